// Stores that are compacted all the time, and clients that wait for their daemons.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"

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

}  // namespace dfs::test
