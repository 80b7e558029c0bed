// While its daemon lives a reader makes no system call (I11): not to get from a snapshot it holds,
// not to get the newest value, not to take a snapshot; from one thread and from several, while
// another process writes.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/program.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/system_call_trace.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kReads = 100'000;

/// What a trace shows of the threads that marked a stretch.
struct Stretches {
  int threads = 0;                 ///< that came to their second marker
  std::vector<std::string> calls;  ///< between the markers
};

Stretches stretches_of(const SystemCallTrace& trace) {
  Stretches found;
  std::map<int, bool> inside;
  for (const SystemCall& call : trace.calls()) {
    const bool marker = call.name == "write" && call.arguments.starts_with("-1, ");
    if (marker && call.entered) {
      const bool begins = call.arguments.find("begin") != std::string::npos;
      found.threads += begins ? 0 : 1;
      inside[call.thread] = begins;
    } else if (!marker && call.entered && inside[call.thread]) {
      found.calls.push_back(call.name + "(" + call.arguments);
    }
  }
  return found;
}

class Syscall : public ::testing::Test {
 protected:
  Syscall() : daemon_(DaemonProcess::serving({.store = directory_ / "users.db"})) {
    Store store = open();
    for (int i = 0; i < 100; ++i) {
      if (i % 10 != 0) store.set("key" + std::to_string(i), R"({"name":"Alice"})").value();
    }
  }

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    return need(Store::open(directory_ / "users.db", options), "open");
  }

  /// Traces a reader while another process writes the same keys.
  Stretches trace_reader(int threads, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = SystemCallTrace::command(directory_ / "trace", "all");
    words.insert(words.end(), {QUIET_READER, directory_ / "users.db", std::to_string(threads),
                               std::to_string(kReads)});
    words.insert(words.end(), more.begin(), more.end());
    Program reader(words);
    const SharedMemory<std::atomic<bool>> ending;
    ClientProcess writer("the writer", [&] {
      Store store = open();
      for (int i = 0; !ending->load(); ++i) {
        store.set("key" + std::to_string(i % 100), std::to_string(i)).value();
      }
    });
    EXPECT_EQ(reader.run(), 0) << reader.output();
    ending->store(true);
    writer.expect_done();
    return stretches_of(SystemCallTrace(directory_ / "trace"));
  }

  const Watchdog watchdog_{"a traced reader"};
  const TemporaryDirectory directory_;
  DaemonProcess daemon_;
};

TEST_F(Syscall, reading_makes_none_from_one_thread) {
  const Stretches found = trace_reader(1);
  EXPECT_EQ(found.threads, 1);
  EXPECT_EQ(found.calls, std::vector<std::string>());
}

TEST_F(Syscall, reading_makes_none_from_four_threads) {
  const Stretches found = trace_reader(4);
  EXPECT_EQ(found.threads, 4);
  EXPECT_EQ(found.calls, std::vector<std::string>());
}

TEST_F(Syscall, one_among_the_reads_is_found_out) {
  const Stretches found = trace_reader(2, {"loud"});
  EXPECT_EQ(found.threads, 2);
  EXPECT_EQ(found.calls.size(), 2U);
}

}  // namespace
}  // namespace dfs::test
