// The settings of a daemon, in one table: what the command line, a config and their checks, and
// what prints them, know of each.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/options.hpp"

namespace dfs::daemon {

using DurationMember = std::chrono::milliseconds Options::*;
using TextMember = std::string Options::*;
using FlagMember = bool Options::*;
using DurabilityMember = Durability Options::*;
/// Bytes, where their text has a unit.
struct SizeMember {
  std::uint64_t Options::*member;
};
struct CountMember {
  std::uint64_t Options::*member;
};
using PrincipalsMember = std::vector<Principal> Options::*;
using Member = std::variant<PrincipalsMember, DurationMember, TextMember, FlagMember,
                            DurabilityMember, SizeMember, CountMember>;

/// When a value read again at SIGHUP holds.
enum class Changes : std::uint8_t { at_once, at_restart };

struct Setting {
  std::string_view name;  ///< the long option, without its dashes
  std::string_view form;  ///< what a value looks like; with `|`, the values there are
  std::string_view meaning;
  Member member;
  Changes changes = Changes::at_once;
  /// In milliseconds, bytes, or as a count.
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
  std::string_view zero{};  ///< how 0 is written, where it has a meaning of its own
};

/// All of them, in the order in which they are shown.
[[nodiscard]] std::span<const Setting> settings();
/// The name in a config: `_` for `-`.
[[nodiscard]] std::string key_of(const Setting& setting);
/// The one of that name in a config, or null.
[[nodiscard]] const Setting* setting_with_key(std::string_view key);
/// The name in a config nearest to one that is none; empty where nothing is near.
[[nodiscard]] std::string nearest_key(std::string_view key);

/// Reads a value as it is written on the command line or as a text of a config. bad_argument: what
/// is wrong, and what would be right.
[[nodiscard]] Result<void> set(Options& options, const Setting& setting, const std::string& text);
/// As `set` reads it.
[[nodiscard]] std::string text_of(const Options& options, const Setting& setting);
/// As TOML: a text in quotes, a flag or a count without, a list in brackets.
[[nodiscard]] std::string toml_of(const Options& options, const Setting& setting);

}  // namespace dfs::daemon
