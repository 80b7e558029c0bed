// A disk that is full or fails, below a daemon, and what its clients were told meanwhile.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/log_contents.hpp"

namespace dfs::test {

inline Store open_served(const std::string& path,
                         std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = timeout;
  return need(Store::open(path, options), "open");
}

/// strace between us and the daemon, whose pid stays the daemon's own; counts are a thread's. The
/// leak check of a sanitizer build cannot run under it.
inline std::vector<std::string> failing(const std::string& injection,
                                        const std::string& trace = "/dev/null") {
  return {"strace",
          "-D",
          "-E",
          "ASAN_OPTIONS=detect_leaks=0",
          "-f",
          "-qq",
          "-y",
          "-o",
          trace,
          "-e",
          "signal=none",
          "-e",
          "trace=pwrite64,fdatasync,ftruncate,sync_file_range",
          "-e",
          "inject=" + injection};
}

/// The same of one call at one file, counted there alone.
inline std::vector<std::string> failing_at(const std::string& path, const std::string& injection) {
  std::vector<std::string> words = failing(injection);
  words.insert(words.end(),
               {"-e", "trace=pwrite64,fdatasync,fsync,sync_file_range,link,rename", "-P", path});
  return words;
}

/// A figure of the daemon's, by its name in `info`.
inline std::uint64_t figure_of(const Store& store, const std::string& name) {
  const std::string info = need(Admin(store).info(), "info");
  const auto at = info.find('"' + name + "\":");
  require(at != std::string::npos, "info names " + name);
  return std::stoull(info.substr(at + name.size() + 3));
}

/// The sequences that a log skips: between `after` and `next` of each start line.
inline std::vector<log::Gap> skipped(const std::string& bytes) {
  std::vector<log::Gap> gaps;
  log::Line line;
  for (log::Lines lines(bytes); !lines.at_end();) {
    lines.next();
    log::decode(lines.text(), line);
    if (line.kind == log::LineKind::start) gaps.push_back({line.start.after, line.start.next});
  }
  return gaps;
}

/// What a client was told of the values it wrote, one key each.
struct Told {
  std::set<std::string> accepted;
  std::set<std::string> refused;

  /// Fails the test unless the log holds exactly what was accepted, under sequences that no start
  /// line skips.
  void expect_in(const std::string& path) const {
    const LogContents log = LogContents::at(path);
    ASSERT_TRUE(log.recovery().usable()) << log.recovery().reason;
    const auto gaps = skipped(file_bytes(path));
    std::set<std::string> found;
    for (const LogCommit& commit : log.commits()) {
      for (const log::Gap& gap : gaps) {
        EXPECT_FALSE(gap.after < commit.sequence && commit.sequence < gap.next)
            << "sequence " << commit.sequence << " was burnt";
      }
      for (const LogRecord& record : commit.records) found.insert(record.key);
    }
    EXPECT_EQ(found, accepted);
  }
};

/// Sets key after key until `enough`; each answer must be a commit or store_full.
inline void write_until(Store& store, Told& told, std::size_t value_bytes,
                        const std::function<bool()>& enough) {
  const std::string value = '"' + std::string(value_bytes, 'v') + '"';
  for (int i = 0; !enough(); ++i) {
    const std::string key = "key" + std::to_string(told.accepted.size() + told.refused.size()) +
                            "." + std::to_string(i);
    const auto done = store.set(key, value);
    if (done) {
      told.accepted.insert(key);
      continue;
    }
    ASSERT_EQ(done.error(), errc::store_full) << done.error().text();
    EXPECT_TRUE(done.error().nothing_was_written());
    EXPECT_TRUE(done.error().system_error() == ENOSPC || done.error().system_error() == EFBIG)
        << done.error().system_error();
    told.refused.insert(key);
  }
}

inline void expect_all_readable(const Store& store, const Told& told) {
  for (const std::string& key : told.accepted) EXPECT_TRUE(store.get(key)) << key;
  for (const std::string& key : told.refused) EXPECT_EQ(store.get(key).error(), errc::absent);
}

}  // namespace dfs::test
