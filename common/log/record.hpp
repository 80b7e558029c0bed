// One change of one key, as a line of the log has it: what the writer hands to the encoder and
// what recovery hands to the index.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dfs::log {

/// A record. The views belong to whoever made it: on the way in to the request, on the way out to
/// the bytes that were read, or to the decoder, until it decodes the next line.
struct Record {
  std::string_view key = {};
  std::uint64_t version = 0;
  bool erased = false;
  std::string_view value = {};  ///< JSON without white space between tokens; empty where erased.
  std::uint64_t sequence = 0;   ///< 0 only in a line written by hand, which has none yet.
  std::uint32_t commit_records = 1;             ///< Records in its commit; 1 for each base record.
  std::optional<std::uint64_t> watermark = {};  ///< On the first line of a batch.
  std::optional<std::uint64_t> time_ms = {};    ///< On the first line of a batch, and in a base.
  std::string_view origin = {};  ///< `uid/origin`, on a commit's first line, or empty.

  // Known to recovery, not written.
  std::uint32_t commit_position = 0;  ///< 0 for the first record of its commit.
  bool in_base = false;               ///< A record of the base: its sequences do not rise.
};

}  // namespace dfs::log
