// Who keeps which old generations, and what that takes: the answer to `clients`.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/base/limits.hpp"
#include "daemon/generations.hpp"

namespace dfs::daemon {

/// Snapshots that are held, by slot, as clients say.
using HoldCounts = std::array<std::uint64_t, kGenerationSlots>;

/// One generation that a client holds.
struct Held {
  std::uint64_t generation = 0;
  std::uint64_t snapshots = 0;
  bool current = false;
  Generations::Superseded superseded;  ///< where it is not the current one
};

struct Holdings {
  std::vector<Held> held;         ///< the oldest first
  std::uint64_t keeps_bytes = 0;  ///< of superseded generations that are not given back before it
  std::uint64_t frees_bytes = 0;  ///< of those, what nobody else keeps
};

/// What there is to hold.
struct Holdable {
  std::vector<Generations::Superseded> superseded;  ///< the oldest first
  std::uint64_t current = 0;
};

/// What a client keeps; `all` counts the holds of every client. Generations are given back from the
/// oldest on, so a hold of one keeps all that are younger, too.
[[nodiscard]] Holdings holdings_of(const HoldCounts& own, const HoldCounts& all,
                                   const Holdable& there);

}  // namespace dfs::daemon
