// Refusals as the writer makes them.
#pragma once

#include <cstdint>

#include "common/wire/reply.hpp"

namespace dfs::daemon {

[[nodiscard]] inline wire::Refusal refusal_of(errc code, wire::Rule rule, std::uint64_t limit) {
  wire::Refusal refusal;
  refusal.code = code;
  refusal.rule = rule;
  refusal.limit = limit;
  return refusal;
}

}  // namespace dfs::daemon
