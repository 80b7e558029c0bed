// What can still be read of a log: the first half of a repair.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/control.hpp"
#include "common/log/line.hpp"
#include "common/log/record.hpp"
#include "common/log/repair.hpp"

namespace dfs::log {

/// A line without what editors and transfers put around it: a byte order mark, NUL bytes before it,
/// a CR at its end.
[[nodiscard]] std::string_view without_wrapping(std::string_view text);

/// A record, and where it stands.
struct SalvagedRecord {
  Record record;
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  /// Of its batch, where it is no record of the base.
  std::optional<std::uint64_t> batch_time_ms;
};

/// All that the readable lines of a log say. The views point into the bytes or into `texts`.
struct Salvage {
  Salvage() = default;
  Salvage(Salvage&&) = default;
  Salvage& operator=(Salvage&&) = default;

  std::optional<First> first;
  std::optional<Base> base;
  std::vector<Start> starts;
  std::vector<SalvagedRecord> records;  ///< in the order of the file
  std::uint64_t watermark = 0;
  std::uint64_t highest_sequence = 0;  ///< used or announced
  std::uint64_t unreadable = 0;        ///< lines
  std::uint64_t lines = 0;
  std::vector<RepairFinding> findings;
  std::deque<std::string> texts;
};

/// Reads every line there is. incompatible, unsupported: by the first line.
[[nodiscard]] Result<Salvage> salvage(std::string_view bytes, bool accept_edits);

}  // namespace dfs::log
