// Threads of one handle, and a daemon, that meet in an order which the test says.
#include "libclient/meeting.hpp"

#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/libclient/watch_fixture.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/hold.hpp"

namespace dfs {
namespace {

/// What is done where threads meet; constant while there is more than one.
std::function<void(client::Meeting)> at_meeting;

/// For its life, `body` is done at each meeting of one kind, but not at those within.
class AtMeeting {
 public:
  AtMeeting(client::Meeting kind, std::function<void()> body) {
    at_meeting = [kind, body = std::move(body)](client::Meeting meeting) {
      thread_local bool within = false;
      if (meeting != kind || within) return;
      within = true;
      body();
      within = false;
    };
  }
  AtMeeting(const AtMeeting&) = delete;
  AtMeeting& operator=(const AtMeeting&) = delete;
  ~AtMeeting() { at_meeting = nullptr; }
};

}  // namespace

void client::meet(Meeting meeting) {
  if (at_meeting) at_meeting(meeting);
}

namespace {

using client::Meeting;
using test::DaemonProcess;
using test::kPatience;
using test::need;
using test::ServedStore;

TEST(Meeting, a_mapping_goes_beside_a_watch_that_begins_to_hold_it_and_is_made_again) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  test::Hold hold(directory / "hold");
  // Held behind the switch, the daemon gives no generation back.
  DaemonProcess daemon = DaemonProcess::serving({.program = DFSD_FAULTS,
                                                 .store = path,
                                                 .arguments = {"--feed-retention", "0s"},
                                                 .fault = "hold@switched:1",
                                                 .environment = hold.environment()});
  Store store = need(Store::open(path, test::patient()), "open");
  Store other = need(Store::open(path, test::patient()), "open");
  need(store.set("a", "1"), "set");
  const Position before = store.snapshot().position();
  need(store.set("b", "2"), "set");
  std::thread compacts([&] {
    do {
      EXPECT_TRUE(Admin(other).compact(kPatience));
    } while (test::generation_of(other) == 1);
  });
  hold.wait();

  std::promise<void> holds;
  std::optional<Result<Watch>> watch;
  std::thread watches;
  {
    // Whichever comes first: it asks for the generation that it holds, or goes without.
    std::once_flag once;
    const auto say = [&] { std::call_once(once, [&] { holds.set_value(); }); };
    std::thread::id watching;
    bool dropped = false;
    at_meeting = [&](Meeting meeting) {
      if (meeting == Meeting::fetches && std::this_thread::get_id() == watching) say();
      if (meeting != Meeting::drops || dropped) return;
      dropped = true;
      std::promise<void> begun;
      watches = std::thread([&] {
        watching = std::this_thread::get_id();
        begun.set_value();
        watch.emplace(store.watch("", before));
        say();
      });
      begun.get_future().wait();
      holds.get_future().wait();
    };
    // Maps the next generation, and has no use for the one before.
    EXPECT_EQ(need(store.get("b"), "get").value, "2");
    ASSERT_TRUE(watches.joinable()) << "nothing was dropped";
    watches.join();
    at_meeting = nullptr;
  }
  Watch followed = need(std::move(*watch), "watch");
  const Change change = need(followed.next(kPatience), "next");
  EXPECT_EQ(change.key, "b");
  EXPECT_EQ(change.value, "2");
  hold.let_go();
  compacts.join();
  daemon.stop();
}

TEST(Meeting, a_commit_never_overtakes_those_of_its_thread_that_a_daemon_left) {
  for (int when = 1; when <= 2; ++when) {
    ServedStore served;
    Options options = ServedStore::options();
    options.wait_for_daemon = options.timeout;
    Store store = served.open(options);
    served.stop();
    Pending first = store.submit(Batch().set("k", "1"));
    std::optional<Pending> second;
    {
      int met = 0;
      const AtMeeting successor(Meeting::sends, [&] {
        if (++met != when) return;
        served.replace();
        // As another thread would: from now on the successor is the one that serves.
        EXPECT_FALSE(store.snapshot().stale());
      });
      second.emplace(store.submit(Batch().set("k", "2")));
      EXPECT_GE(met, when);
    }
    EXPECT_EQ(need(first.wait(), "first").version, 1U) << when;
    EXPECT_EQ(need(second->wait(), "second").version, 2U) << when;
    EXPECT_EQ(need(store.get("k"), "get").value, "2");
  }
}

TEST(Meeting, a_commit_that_is_revoked_while_it_is_gathered_goes_on_where_it_was) {
  constexpr int kRecords = 4;
  for (int when = 1; when <= kRecords + 1; ++when) {
    // Enough that lives for a long feed, and nobody may hold for long.
    const ServedStore served({"--feed-retention", "1h", "--snapshot-ttl", "1ms"});
    Store store = served.open();
    Store other = served.open();
    need(store.set("big", '"' + std::string(std::size_t{1} << 20, 'x') + '"'), "set");
    for (int i = 0; i < 3; ++i) need(Admin(store).compact(kPatience), "compact");
    Watch watch = need(store.watch(), "watch");
    const auto revoke = [&] {
      while (watch.check()) {
        need(other.set("noise", "1"), "set");
        need(Admin(other).compact(kPatience), "compact");
      }
    };
    Batch batch;
    for (int i = 1; i <= kRecords; ++i) batch.set("k" + std::to_string(i), std::to_string(i));
    need(store.submit(batch).wait(), "commit");
    EXPECT_EQ(need(watch.next(kPatience), "next").key, "k1");
    EXPECT_EQ(need(watch.next(kPatience), "next").key, "k2");
    revoke();
    int met = 0;
    const AtMeeting once_more(Meeting::gathers, [&] {
      if (++met == when) revoke();
    });
    for (int i = 3; i <= kRecords; ++i) {
      const Change change = need(watch.next(kPatience), "next");
      ASSERT_EQ(change.key, "k" + std::to_string(i)) << "revoked at meeting " << when;
      EXPECT_EQ(change.value, std::to_string(i));
      EXPECT_EQ(change.last_of_commit, i == kRecords);
    }
    EXPECT_GE(met, when + kRecords) << "it was gathered again";
    EXPECT_EQ(need(watch.next(kPatience), "next").key, "noise");
  }
}

}  // namespace
}  // namespace dfs
