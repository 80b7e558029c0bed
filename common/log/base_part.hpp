// Writes the part that a log begins with where it does not begin at nothing: first line, one record
// for each live key, base line. What a compaction, a repair, a backup and a restore have in common.
#pragma once

#include <cstdint>
#include <string>

#include "common/log/encode.hpp"

namespace dfs::log {

/// Appends to a buffer of its caller's, who may empty it between two calls. Threads: one.
class BasePart {
 public:
  /// Appends the first line. Requires: first.base > 0.
  BasePart(std::string& out, const First& first);
  BasePart(const BasePart&) = delete;
  BasePart& operator=(const BasePart&) = delete;

  /// Requires: a live record, its key above the one before. Keeps its version, sequence and time.
  void add(Record record);
  /// Appends the base line; `records` and `sequence` are filled in here.
  void end(Base base);
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  std::string& out_;
  const std::uint64_t sequence_;
  std::uint64_t records_ = 0;
};

}  // namespace dfs::log
