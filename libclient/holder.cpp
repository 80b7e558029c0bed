#include "libclient/holder.hpp"

#include <chrono>
#include <optional>

#include "common/os/file.hpp"
#include "common/os/proc.hpp"
#include "common/os/process.hpp"
#include "common/wire/lock_note.hpp"
#include "libclient/advice.hpp"

namespace dfs::client {

namespace {

// Between the making of a lock file and its locking, and between one holder and the next, nobody
// holds it. A hundred times what that takes on a machine under load.
constexpr std::chrono::milliseconds kBetweenHolders{250};

std::optional<wire::LockNote> read_note(const Address& address) {
  auto lock = os::File::open(address.lock(), {});  // the owner's alone
  const auto text =
      lock ? lock->read_at(0, wire::kMaxLockNoteBytes) : Result<std::string>(errc::absent);
  return text ? wire::decode_lock_note(*text) : std::nullopt;
}

std::optional<std::int32_t> holder_of(const std::string& path) {
  const auto file = os::status_of(path);
  return file ? os::lock_holder(*file) : std::nullopt;
}

/// The daemon's process, or 0. It took the lock on the log itself; the one on the lock file was
/// taken by whoever started it, perhaps long ago.
std::int32_t daemon_process(const Address& address) {
  if (address.log.empty()) return 0;
  if (const auto pid = holder_of(address.log); pid && *pid != 0) return *pid;
  const auto note = read_note(address);
  if (note && !os::state_of_process(note->pid).empty()) return note->pid;
  return holder_of(address.lock()).value_or(0);
}

std::string process_text(std::int32_t pid) {
  const std::string state = pid > 0 ? os::state_of_process(pid) : std::string();
  return state.empty() ? std::string() : "pid " + std::to_string(pid) + ", which is " + state;
}

}  // namespace

bool Expectation::holds(const Address& address) {
  if (address.log.empty()) return false;
  const auto lock = os::status_of(address.lock());
  if (!lock) return false;
  const auto now = os::Monotonic::now();
  if (os::lock_holder(*lock)) {
    held_at_ = now;
    return true;
  }
  const std::uint32_t user = os::effective_user();
  return lock->uid != user && user != 0 && now - held_at_ < kBetweenHolders;
}

Error not_answering(const Address& address, std::int32_t pid) {
  const std::string process = process_text(pid > 0 ? pid : daemon_process(address));
  return Error(errc::timeout, "the daemon of " + address.given + " does not answer" +
                                  (process.empty() ? "" : ": it is " + process));
}

Error not_serving_yet(const Address& address) {
  const std::string process = process_text(daemon_process(address));
  std::string text =
      "the daemon of " + address.given + " is starting or ending, and takes its time";
  if (!process.empty()) text += ": its lock is held by " + process;
  const auto note = read_note(address);
  if (note && !note->socket.empty() && !os::status_of(note->socket) &&
      !os::state_of_process(note->pid).empty()) {
    const std::string pid = std::to_string(note->pid);
    text = "the daemon of " + address.given + " runs (" + process_text(note->pid) +
           "), and its socket " + note->socket + " was taken away: end it (kill " + pid +
           "), and the next call starts another";
  }
  return Error(errc::timeout, text + "; the lock is " + quoted(address.lock()));
}

}  // namespace dfs::client
