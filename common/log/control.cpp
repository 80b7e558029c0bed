#include "common/log/control.hpp"

namespace dfs::log {

std::optional<std::string_view> unknown_need(const First& first) {
  // There is no feature yet that a log may need.
  if (first.needs.empty()) return std::nullopt;
  return first.needs.front();
}

}  // namespace dfs::log
