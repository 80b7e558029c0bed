// The control lines of the log: what stands in it beside records.
//
// They are JSON arrays, which the Go library skips. Plain values; encode.hpp writes them, line.hpp
// reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/format.hpp"
#include "common/log/gaps.hpp"

namespace dfs::log {

/// `["dfs",{...}]`, the first line of every log.
struct First {
  std::uint64_t format = kFormat;
  std::string store = {};               ///< 32 hex digits, lower case.
  std::uint64_t base = 0;               ///< The sequence its base stands for; 0: no base.
  std::vector<std::string> needs = {};  ///< Features that a reader must know.
  std::string dfs = {};                 ///< The version that wrote it.
};

/// `["base",{...}]`, behind the records that a compaction, an import or a restore wrote.
struct Base {
  std::uint64_t records = 0;   ///< How many base records stand before it.
  std::uint64_t sequence = 0;  ///< The same as `First::base`.
  std::uint64_t floor = 0;     ///< Highest version among the tombstones dropped so far.
  std::uint64_t restored = 0;  ///< Floor for every key since a restore; 0: never restored.
  Gaps gaps = {};              ///< Of the whole history up to here.
  std::uint64_t time_ms = 0;
};

/// `["start",{...}]`: by every daemon before its first sequence, and wherever sequences are
/// skipped. Those between `after` and `next` were never committed and never will be.
struct Start {
  std::uint64_t after = 0;  ///< The last sequence that stands before it.
  std::uint64_t next = 0;   ///< The next that may.
  std::uint64_t watermark = 0;
  std::uint64_t time_ms = 0;
};

/// The first feature in `needs` that this version does not know, or nothing.
[[nodiscard]] std::optional<std::string_view> unknown_need(const First& first);

}  // namespace dfs::log
