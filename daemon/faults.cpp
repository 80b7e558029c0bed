#include "daemon/faults.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

constexpr std::array<std::string_view, 16> kNames{
    "taken",         "prepared", "torn",     "appended",     "synced", "published",
    "kept_aside",    "cut",      "reread",   "hand_removed", "base",   "caught_up",
    "before_rename", "renamed",  "switched", "punched"};

/// What DFS_FAULT asks for; read once.
struct Plan {
  enum class Way : std::uint8_t { kill, stop, hold };
  struct Stop {
    std::uint64_t at_pass = 0;  ///< 0: never
    Way way = Way::kill;
  };
  std::array<Stop, kNames.size()> stops{};
  std::array<std::uint64_t, kNames.size()> passes{};
  bool no_sync = false;

  Plan() {
    const std::string text = os::environment("DFS_FAULT");
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(item.size() + (item.size() < rest.size() ? 1 : 0));
      add(item);
    }
  }

  void add(std::string_view item) {
    if (item == "no-sync") no_sync = true;
    const auto at = item.find('@');
    const auto colon = item.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos) return;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (item.substr(at + 1, colon - at - 1) != kNames[i]) continue;
      const std::string_view way = item.substr(0, at);
      stops[i].way = way == "kill" ? Way::kill : way == "hold" ? Way::hold : Way::stop;
      std::from_chars(item.data() + colon + 1, item.data() + item.size(), stops[i].at_pass);
    }
  }
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

}  // namespace

void pass(StopPoint point) {
  const auto i = static_cast<std::size_t>(point);
  Plan& p = plan();
  if (++p.passes[i] != p.stops[i].at_pass) return;
  switch (p.stops[i].way) {
    case Plan::Way::kill:
      os::kill_self();
    case Plan::Way::stop:
      return os::stop_self();
    case Plan::Way::hold:
      return os::hold_self(os::environment("DFS_HOLD"));
  }
}

bool is_due(StopPoint point) {
  const auto i = static_cast<std::size_t>(point);
  return plan().passes[i] + 1 == plan().stops[i].at_pass;
}

bool sync_is_planted_out() { return plan().no_sync; }

}  // namespace dfs::daemon
