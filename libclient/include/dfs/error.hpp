// What can go wrong, and what the caller is to do about it.
//
// Every call that can fail returns a `dfs::Result` whose error is a `dfs::Error`: a code that says
// what to do, and a text that says what happened, where, and what helps. A miss is `errc::absent`
// and allocates nothing. The numbers of the codes cross the message queue and never change.
#pragma once

#include <dfs/export.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace DFS_API dfs {

enum class errc : std::uint16_t {
  absent = 1,            ///< No such key. Nothing is wrong; go on.
  version_mismatch = 2,  ///< The key has another version than expected. Read again, decide again.
  transaction_conflict = 3,   ///< What the transaction read has changed. Begin anew.
  transaction_too_large = 4,  ///< The ranges it read take too long to check. Read less.
  timeout = 5,         ///< The daemon did not take it in time; not written. Try again, back off.
  busy = 6,            ///< Too much under way; not written. Try again, back off.
  unknown = 7,         ///< Taken, and the answer was lost. Ask with `Store::resolve`.
  daemon_gone = 8,     ///< The daemon ended; not written. Wait; reads go on from the last state.
  no_store = 9,        ///< Nothing at that address. Mend the address.
  no_daemon = 10,      ///< Nobody serves that store. Start its daemon.
  not_permitted = 11,  ///< The log's mode does not let you. Ask its owner.
  store_full = 12,     ///< Memory, disk or quota is used up; not written. Delete, or raise it.
  read_only = 13,      ///< Opened, or served, for reading only; not written.
  writing_stopped =
      14,          ///< A sync failed, so nothing is written until a restart. Ask the operator.
  bad_key = 15,    ///< The key breaks a rule. Mend it.
  bad_value = 16,  ///< The value is not JSON as dfs takes it. Mend it.
  too_large = 17,  ///< Over a limit of `limits.hpp`. Mend it.
  snapshot_too_old = 18,  ///< The snapshot was revoked. Take a new one.
  compacted = 19,         ///< Not, or no longer, in the log. Start over from a snapshot.
  stopped = 20,           ///< The watch was stopped. Leave the loop.
  wrong_type = 21,        ///< The stored value is not of the type asked for. Migrate it.
  bad_argument = 22,      ///< The call is wrong. Mend the program.
  finished = 23,          ///< The transaction or pending commit is over. Mend the program.
  closed = 24,            ///< The store was closed. Mend the program.
  forked = 25,            ///< This is a child of the process that opened it. Call `reopen()`.
  damaged = 26,           ///< The log is damaged. `dfsctl check`, then `dfsctl repair`.
  incompatible = 27,      ///< Library and daemon, or log, are of different majors. Upgrade.
  unsupported = 28,       ///< This kernel, file system or daemon cannot do it. Move or upgrade.
  system = 29,            ///< A system call failed; `system_error()` says why.
  no_memory = 30,         ///< The process is out of memory.
};

inline constexpr std::uint16_t kErrcCount = 30;

/// The name of a code as written in `errc` ("version_mismatch"), for messages and `--json`.
[[nodiscard]] std::string_view name(errc code) noexcept;
/// One sentence on a code: what it means and what to do.
[[nodiscard]] std::string_view describe(errc code) noexcept;
/// The exit code that `dfsctl` ends with for this error.
[[nodiscard]] int exit_code(errc code) noexcept;

[[nodiscard]] const std::error_category& error_category() noexcept;
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// An error: its code, its text, and what belongs to it. Cheap to make without a text; copies
/// share. Threads: a const Error may be read by any.
class Error : public std::exception {
 public:
  Error(errc code) noexcept
      : code_(code) {}  // NOLINT(google-explicit-constructor): return errc::absent;
  Error(errc code, std::string text);
  /// The world failed: `operation` names what was tried on what, `system_errno` is errno's value.
  [[nodiscard]] static Error from_errno(int system_errno, std::string_view operation);

  [[nodiscard]] errc code() const noexcept { return code_; }
  /// What, where and what to do. Lives as long as this Error or a copy.
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] const char* what() const noexcept override;

  /// The key it is about, or empty.
  [[nodiscard]] std::string_view key() const noexcept;
  /// The real version of that key (version_mismatch), else 0.
  [[nodiscard]] std::uint64_t version() const noexcept;
  /// The limit or figure that was passed (too_large, transaction_too_large, busy, store_full), else
  /// 0.
  [[nodiscard]] std::uint64_t limit() const noexcept;
  /// errno of the call that failed, else 0.
  [[nodiscard]] int system_error() const noexcept;
  /// The commit id to ask about with `Store::resolve` (unknown), or empty.
  [[nodiscard]] std::string_view commit() const noexcept;
  /// Position in bytes inside the value (bad_value), key or file (damaged), and line of a file;
  /// else 0.
  [[nodiscard]] std::uint64_t offset() const noexcept;
  [[nodiscard]] std::uint64_t line() const noexcept;

  /// True where it is certain that the call changed nothing, now or later.
  [[nodiscard]] bool nothing_was_written() const noexcept;
  /// True where the same call may succeed later without any change.
  [[nodiscard]] bool worth_retrying() const noexcept;

  // Made once, where the error is found; each returns this error with one more thing known.
  [[nodiscard]] Error with_key(std::string_view key) const;
  [[nodiscard]] Error with_version(std::uint64_t version) const;
  [[nodiscard]] Error with_limit(std::uint64_t limit) const;
  [[nodiscard]] Error with_errno(int system_errno) const;
  [[nodiscard]] Error with_commit(std::string_view commit) const;
  [[nodiscard]] Error with_place(std::uint64_t line, std::uint64_t offset) const;

  friend bool operator==(const Error& error, errc code) noexcept { return error.code_ == code; }

 private:
  struct Detail;
  [[nodiscard]] std::shared_ptr<Detail> changed() const;

  errc code_;
  std::shared_ptr<const Detail> detail_;
};

}  // namespace dfs

template <>
struct std::is_error_code_enum<dfs::errc> : std::true_type {};
