// What stands in `users.db.lock`: who holds it, for people and for the messages of clients. The
// lock itself is the kernel's; a note may be of a holder that is dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfs::wire {

/// One line: `pid 12 uid 0 version 1.0.0 socket /srv/users.db.socket`, or, before it serves,
/// `pid 12 uid 0 version 1.0.0 starting`.
struct LockNote {
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::string version;  ///< of whoever holds the lock
  std::string socket;   ///< where it serves; empty while it starts
};

/// More than any note.
inline constexpr std::uint64_t kMaxLockNoteBytes = 8192;

[[nodiscard]] std::string encode(const LockNote& note);
/// Nothing where the text is no note.
[[nodiscard]] std::optional<LockNote> decode_lock_note(std::string_view text);

}  // namespace dfs::wire
