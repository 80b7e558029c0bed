#include "libclient/starter.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/socket.hpp"
#include "libclient/advice.hpp"
#include "libclient/holder.hpp"

namespace dfs::client {

namespace {

// How often to look whether the lock is free, while another starts the daemon.
constexpr std::chrono::milliseconds kLook{2};

// Of a daemon that dies in its start, without a word, as often as this the next one would too.
constexpr int kStarts = 3;

/// The daemon's program, and who said so.
struct NamedProgram {
  std::string path;
  const char* named_by;
};

NamedProgram program_of(const Options& options) {
  if (!options.daemon.program.empty()) {
    return {options.daemon.program, "Options::daemon.program names it"};
  }
  if (!os::environment_is_untrusted()) {
    if (std::string named = os::environment("DFS_DAEMON"); !named.empty()) {
      return {std::move(named), "DFS_DAEMON names it"};
    }
  }
  return {installed_daemon(), "install dfsd, or name another with DFS_DAEMON"};
}

/// The daemon does not stay in this directory.
std::string from_anywhere(const std::string& path) {
  if (path.empty()) return path;
  auto resolved = os::resolve_path(path);
  if (!resolved) return path;
  return std::move(*resolved);
}

class Arguments {
 public:
  explicit Arguments(std::vector<std::string> first) : list_(std::move(first)) {}
  void add(const char* option, const std::string& value) {
    if (value.empty()) return;
    list_.emplace_back(option);
    list_.push_back(value);
  }
  void add(const char* option, const std::optional<std::chrono::milliseconds>& value) {
    if (value) add(option, std::to_string(value->count()) + "ms");
  }
  void add(const char* option, const std::optional<std::uint64_t>& value) {
    if (value) add(option, std::to_string(*value));
  }
  [[nodiscard]] std::vector<std::string> end(std::string last) && {
    list_.push_back(std::move(last));
    return std::move(list_);
  }

 private:
  std::vector<std::string> list_;
};

std::vector<std::string> arguments_of(const Address& address, const DaemonOptions& options) {
  Arguments arguments({"--detach", "--ready-fd", "3", "--lock-fd", "4"});
  arguments.add("--config", from_anywhere(options.config));
  arguments.add("--socket", from_anywhere(options.socket));
  if (options.durability) {
    const bool durable = *options.durability == Durability::durable;
    arguments.add("--durability", std::string(durable ? "durable" : "written"));
  }
  arguments.add("--sync-interval", options.sync_interval);
  arguments.add("--compaction-interval", options.compaction_interval);
  arguments.add("--feed-retention", options.feed_retention);
  arguments.add("--snapshot-ttl", options.snapshot_ttl);
  arguments.add("--idle-exit", options.idle_exit);
  arguments.add("--memory-limit", options.memory_limit);
  arguments.add("--queue-bytes", options.queue_bytes);
  arguments.add("--log-level", options.log_level);
  return std::move(arguments).end(address.log);
}

/// The daemon's own words, up to the end of the pipe: `ok`, or what keeps it.
Result<std::string> hear(int ready, os::Deadline deadline) {
  std::string words;
  for (;;) {
    auto packet = os::receive_packet(ready, deadline);
    if (!packet) return std::move(packet).error();
    if (packet->end) return words;
    words += packet->bytes;
  }
}

/// The number behind `name=` at the beginning of the words, which is taken off; 0 without one.
std::uint64_t take_number(std::string_view& words, std::string_view name) {
  if (!words.starts_with(name)) return 0;
  std::uint64_t number = 0;
  const char* const end = words.data() + words.size();
  const char* const rest = std::from_chars(words.data() + name.size(), end, number).ptr;
  words.remove_prefix(static_cast<std::size_t>(rest - words.data()));
  if (words.starts_with(' ')) words.remove_prefix(1);
  return number;
}

/// `error NAME line=N offset=N TEXT`, as a daemon says why it does not serve.
Error error_from(std::string_view words) {
  constexpr std::string_view kError = "error ";
  while (words.ends_with('\n')) words.remove_suffix(1);
  if (words.starts_with(kError)) {
    words.remove_prefix(kError.size());
    const std::string_view code_name = words.substr(0, words.find(' '));
    for (std::uint16_t number = 1; number <= kErrcCount; ++number) {
      const auto code = static_cast<errc>(number);
      if (code_name != name(code)) continue;
      words.remove_prefix(std::min(words.size(), code_name.size() + 1));
      const std::uint64_t line = take_number(words, "line=");
      const std::uint64_t offset = take_number(words, "offset=");
      const Error error(code, std::string(words));
      return line == 0 && offset == 0 ? error : error.with_place(line, offset);
    }
  }
  return Error(errc::no_daemon, words.empty() ? "it ended without a word" : std::string(words));
}

/// Starts the program and hears what becomes of it. False where it died without a word.
Result<bool> spawn(const Address& address, const Options& options, const os::File& lock,
                   os::Deadline deadline) {
  auto pair = os::make_pair();
  if (!pair) return std::move(pair).error();
  const NamedProgram program = program_of(options);
  os::SpawnRequest request;
  request.program = program.path;
  request.arguments = arguments_of(address, options.daemon);
  request.descriptors = {pair->theirs.get(), lock.fd()};
  auto status = os::spawn_and_wait(request);
  if (!status) {
    return Error(errc::no_daemon, "cannot start the daemon of " + address.given + ": " +
                                      std::string(status.error().text()) + " (" + program.named_by +
                                      ")")
        .with_errno(status.error().system_error());
  }
  // Ours goes, so that the end of the daemon's is the end.
  pair->theirs.reset();
  auto words = hear(pair->ours.get(), deadline);
  if (!words) {
    if (words.error() != errc::timeout) return std::move(words).error();
    return not_serving_yet(address);
  }
  if (*words == "ok\n") return true;
  constexpr int kBySignal = 128;
  if (words->empty() && *status != 0 && *status < kBySignal) {
    return Error(errc::no_daemon, program.path + " ended with " + std::to_string(*status) +
                                      " before it could serve " + address.given + "; is it dfsd " +
                                      DFS_VERSION + "? What it said is on standard error");
  }
  if (words->empty()) return false;
  const Error error = error_from(*words);
  const Error told(error.code(), "the daemon of " + address.given +
                                     " did not start: " + std::string(error.text()));
  if (error.line() == 0 && error.offset() == 0) return told;
  return told.with_place(error.line(), error.offset());
}

/// Why the lock could not be opened or made, in words that help.
Error lock_refused(const Address& address, const Error& error) {
  const int why = error.system_error();
  const std::string lock = address.lock();
  if (why == ENOSPC || why == EDQUOT) {
    return Error(errc::store_full, std::string(error.text())).with_errno(why);
  }
  if (why != EACCES && why != EPERM) return error;
  if (const auto there = os::status_of(lock)) {
    return Error(errc::not_permitted, "the lock of " + address.given + " belongs to another (" +
                                          there->owner() +
                                          "), and nobody holds it: what is left of an earlier "
                                          "store; remove it (rm " +
                                          quoted(lock) + ")")
        .with_errno(why);
  }
  const std::string directory = os::directory_of(address.log);
  const auto status = os::status_of(directory);
  const char* const what = os::status_of(address.log) ? "nobody serves " : "no store at ";
  return Error(errc::not_permitted, what + address.given +
                                        ", and you may not write in its directory " + directory +
                                        (status ? " (" + status->owner() + ")" : "") +
                                        ", where its daemon keeps lock and socket")
      .with_errno(why);
}

/// The lock is its owner's alone, and its owner is the log's: what root has made must not keep the
/// owner out, and any who could open it could hold it.
Result<void> protect(const os::File& lock, const Address& address) {
  auto status = lock.status();
  if (!status) return std::move(status).error();
  const auto log = os::status_of(address.log);
  if (os::effective_user() == 0 && log && log->uid != status->uid) {
    if (auto r = lock.set_owner(log->uid, log->gid); !r) return r;
  }
  if ((status->mode & 0077U) != 0 && status->uid == os::effective_user()) {
    return lock.set_mode(0600);
  }
  return {};
}

Error died_often(const Address& address, const Options& options) {
  return Error(errc::no_daemon, "the daemon of " + address.given + " did not start: " +
                                    program_of(options).path + " ended " + std::to_string(kStarts) +
                                    " times without a word; was it killed, or is it no dfsd?");
}

/// Whether the path still names the file that was opened.
bool in_place(const os::File& lock) {
  const auto opened = lock.status();
  const auto there = os::status_of(lock.path());
  return opened && there && there->same_file(*opened);
}

}  // namespace

Result<void> start_daemon(const Address& address, const Options& options, os::Deadline deadline) {
  Expectation another;
  for (int deaths = 0;;) {
    // 0600: whoever could open it could hold it.
    auto lock = os::File::open(address.lock(), {.write = true, .create = true, .mode = 0600});
    bool ours = false;
    if (lock) {
      if (auto good = protect(*lock, address); !good) return good;
      auto locked = lock->try_lock();
      if (!locked) return std::move(locked).error();
      ours = *locked && in_place(*lock);
    }
    // Another has come first, or a daemon serves that was about to when the caller looked.
    if (os::connect_to(address.socket, deadline)) return {};
    if (ours) {
      auto served = spawn(address, options, *lock, deadline);
      if (served && *served) return {};
      if (served && ++deaths < kStarts) continue;
      const Error error = served ? died_often(address, options) : served.error();
      // Of a store that was not made nothing is left, or it would keep another's out. Who has
      // opened this lock meanwhile will see that it is in place no more.
      const auto log = os::status_of(address.log);
      if (error != errc::timeout && !log && log.error() == errc::absent) {
        static_cast<void>(os::remove(address.lock()));
      }
      return error;
    }
    // Another user's lock: of a new store it may be that user's daemon that is about to serve.
    if (!lock && (lock.error().system_error() != EACCES || !another.holds(address))) {
      return lock_refused(address, lock.error());
    }
    if (deadline.passed()) return not_serving_yet(address);
    std::this_thread::sleep_for(kLook);
  }
}

std::string installed_daemon() {
  const std::string own = os::environment_is_untrusted() ? std::string() : os::own_library();
  if (own.empty()) return DFS_DAEMON_PATH;
  const auto beside = os::resolve_path(os::directory_of(own) + "/" DFS_DAEMON_FROM_LIBRARY);
  if (!beside) return DFS_DAEMON_PATH;
  const auto there = os::status_of(*beside);
  return there && there->regular ? *beside : DFS_DAEMON_PATH;
}

}  // namespace dfs::client
