// Where addresses are limited a mapping is outgrown, again and again, and what is read goes on.
#include "libclient/generation.hpp"

#include <dfs/store.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using test::need;
using test::require;

/// Of this process, from now on: so many bytes of addresses more.
void allow_addresses(std::uint64_t more) {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  ::rlimit limit{};
  require(::getrlimit(RLIMIT_AS, &limit) == 0, "getrlimit");
  limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + more;
  require(::setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
}

std::string text_of(std::size_t bytes) { return '"' + std::string(bytes, 'v') + '"'; }

/// A client in a process of its own: of its mappings none has all the addresses that a store may
/// need, but twice what is there when it is made.
class Outgrown : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kAddresses = std::uint64_t{1} << 30;

  test::ClientProcess reader(const std::function<void(Store&)>& body) {
    return test::ClientProcess("a reader with few addresses", [this, body] {
      allow_addresses(kAddresses);
      Store store = served_.open();
      body(store);
    });
  }

  const test::Watchdog watchdog_{"a mapping that is outgrown"};
  test::ServedStore served_;
  const test::MessagePipe<int> ready_;
  const test::MessagePipe<int> written_;
};

TEST_F(Outgrown, a_watch_and_a_snapshot_that_were_there_before_go_on_through_larger_mappings) {
  constexpr int kChanges = 60;
  Store writer = served_.open();
  need(writer.set("first", "1"), "set");
  test::ClientProcess client = reader([this](Store& store) {
    Watch watch = need(store.watch(), "watch");
    const Snapshot before = store.snapshot();
    for (int i = 0; i < kChanges; ++i) {
      ready_.send(i);
      const Change change = need(watch.next(std::chrono::minutes(2)), "next");
      require(change.key == "k" + std::to_string(i), std::string(change.key));
      require(change.value.size() == (1U << 20) + 2, "the whole value");
      require(need(store.get(change.key), "get").value == change.value, "the newest");
      require(before.get(change.key).error() == errc::absent, "a snapshot changes");
      require(need(before.get("first"), "get").value == "1", "a snapshot keeps what it has");
    }
  });
  for (int i = 0; i < kChanges; ++i) {
    static_cast<void>(ready_.receive());
    need(writer.set("k" + std::to_string(i), text_of(1U << 20)), "set");
  }
  client.expect_done();
}

TEST_F(Outgrown, a_commit_that_could_not_be_mapped_whole_is_given_whole_when_it_can_be) {
  constexpr int kRecords = 200;
  Store writer = served_.open();
  test::ClientProcess client = reader([this](Store& store) {
    Watch watch = need(store.watch(), "watch");
    allow_addresses(1U << 20);
    ready_.send(1);
    static_cast<void>(written_.receive());
    // Its beginning lies in what is mapped.
    for (int i = 0; i < 2; ++i) {
      const auto none = watch.next(milliseconds(0));
      require(!none && none.error() == errc::no_memory,
              none ? std::string(none->key) : std::string(none.error().text()));
    }
    allow_addresses(kAddresses);
    for (int i = 0; i < kRecords; ++i) {
      const Change change = need(watch.next(milliseconds(0)), "next");
      require(change.key == "k" + std::to_string(1000 + i), std::string(change.key));
      require(change.last_of_commit == (i + 1 == kRecords), "the last is the last");
    }
    require(watch.next(milliseconds(0)).error() == errc::timeout, "and that is all");
  });
  static_cast<void>(ready_.receive());
  Batch batch;
  for (int i = 0; i < kRecords; ++i) batch.set("k" + std::to_string(1000 + i), text_of(50'000));
  need(writer.submit(batch).wait(), "commit");
  written_.send(1);
  client.expect_done();
}

}  // namespace
}  // namespace dfs
