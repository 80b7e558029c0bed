// Stores that are compacted, all the time or when they are told to, and clients that wait for their
// daemons.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {

/// Of a daemon: compaction begins again as soon as one has ended.
inline std::vector<std::string> always_compacting(const std::string& durability = "durable") {
  return {"--compaction-interval", "1ms", "--compaction-garbage", "1",
          "--feed-retention",      "0s",  "--durability",         durability};
}

inline Options patient() {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::minutes(2);
  options.wait_for_daemon = options.timeout;
  return options;
}

inline std::uint64_t generation_of(const Store& store) {
  const std::string info = need(Admin(store).info(), "info");
  const std::string name = "\"generation\":";
  const auto at = info.find(name);
  require(at != std::string::npos, "info names the generation");
  return std::stoull(info.substr(at + name.size()));
}

/// Makes garbage, and has it compacted, so many times.
inline void switch_generations(Store& store, int switches) {
  for (int n = 0; n < switches; ++n) {
    for (int i = 0; i < 200; ++i) {
      static_cast<void>(
          need(store.set("noise/" + std::to_string(i % 20), std::to_string(n)), "set"));
    }
    const std::uint64_t before = generation_of(store);
    const auto done = Admin(store).compact(std::chrono::minutes(2));
    require(done.has_value(), "compact");
    require(generation_of(store) > before, "another generation is current");
  }
}

/// A store that is compacted when it is told to, unless it is served otherwise.
class Compaction : public testing::Test {
 protected:
  Compaction() { serve({"--durability", "written", "--feed-retention", "0s"}); }
  void serve(const std::vector<std::string>& arguments) {
    daemon_.emplace(DaemonProcess::serving({.store = path_, .arguments = arguments}));
  }
  const Watchdog watchdog_{"compaction", 300};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "store.db";
  std::optional<DaemonProcess> daemon_;
};

}  // namespace dfs::test
