#include "libclient/starter.hpp"

#include <algorithm>
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

namespace dfs::client {

namespace {

// How often to look whether the lock is free, while another starts the daemon.
constexpr std::chrono::milliseconds kLook{2};

std::string program_of(const Options& options) {
  if (!options.daemon.program.empty()) return options.daemon.program;
  if (!os::environment_is_untrusted()) {
    if (std::string named = os::environment("DFS_DAEMON"); !named.empty()) return named;
  }
  return DFS_DAEMON_PATH;
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
  arguments.add("--config", options.config);
  arguments.add("--socket", options.socket);
  if (options.durability) {
    const bool durable = *options.durability == Durability::durable;
    arguments.add("--durability", std::string(durable ? "durable" : "written"));
  }
  arguments.add("--sync-interval", options.sync_interval);
  arguments.add("--compaction-interval", options.compaction_interval);
  arguments.add("--feed-retention", options.feed_retention);
  arguments.add("--snapshot-ttl", options.snapshot_ttl);
  arguments.add("--idle-exit", options.idle_exit ? options.idle_exit : std::chrono::minutes(1));
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

/// `error NAME TEXT`, as a daemon says why it does not serve.
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
      return Error(code, std::string(words));
    }
  }
  return Error(errc::no_daemon, words.empty() ? "it ended without a word" : std::string(words));
}

Result<void> spawn(const Address& address, const Options& options, const os::File& lock,
                   os::Deadline deadline) {
  auto pair = os::make_pair();
  if (!pair) return std::move(pair).error();
  os::SpawnRequest request;
  request.program = program_of(options);
  request.arguments = arguments_of(address, options.daemon);
  request.descriptors = {pair->theirs.get(), lock.fd()};
  auto status = os::spawn_and_wait(request);
  if (!status) {
    return Error(errc::no_daemon, "cannot start the daemon of " + address.given + ": " +
                                      std::string(status.error().text()) +
                                      "; name it with DFS_DAEMON or Options::daemon.program")
        .with_errno(status.error().system_error());
  }
  // Ours goes, so that the end of the daemon's is the end.
  pair->theirs.reset();
  auto words = hear(pair->ours.get(), deadline);
  if (!words) {
    if (words.error() != errc::timeout) return std::move(words).error();
    return Error(errc::timeout, "the daemon of " + address.given + " is still starting");
  }
  if (*words == "ok\n") return {};
  const Error error = error_from(*words);
  return Error(error.code(),
               "the daemon of " + address.given + " did not start: " + std::string(error.text()));
}

}  // namespace

Result<void> may_start(const Address& address, const Options& options) {
  const auto refuse = [&](const std::string& why) {
    return Error(errc::no_daemon, "nobody serves " + address.given + ", and " + why);
  };
  if (address.log.empty()) return refuse("only whoever set up its socket can start it");
  const auto status = os::status_of(address.log);
  if (!status && status.error() != errc::absent) return status.error();
  if (!status && (!options.create || options.read_only)) return no_store_at(address);
  if (options.autostart == Autostart::never) {
    return refuse("this program does not start it; dfsd " + address.log + " does");
  }
  if (status && !status->regular) {
    return Error(errc::no_store, address.given + " is no file that could be a log");
  }
  if (os::environment_is_untrusted()) return refuse("a setuid program starts nothing");
  if (status && status->uid != os::effective_user()) {
    return refuse("only the owner of the log, user " + std::to_string(status->uid) +
                  ", may start its daemon: as that user, dfsd " + address.log);
  }
  return {};
}

Result<void> start_daemon(const Address& address, const Options& options, os::Deadline deadline) {
  // 0600: whoever could open it could hold it.
  auto lock = os::File::open(address.lock(), {.write = true, .create = true, .mode = 0600});
  if (!lock) return std::move(lock).error();
  for (;;) {
    auto locked = lock->try_lock();
    if (!locked) return std::move(locked).error();
    // Another has come first, or a daemon serves that was about to when the caller looked.
    if (os::connect_to(address.socket, deadline)) return {};
    if (*locked) return spawn(address, options, *lock, deadline);
    if (deadline.passed()) {
      return Error(errc::timeout, "the daemon of " + address.given +
                                      " is being started, or is "
                                      "ending, and takes its time; its lock is " +
                                      address.lock());
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace dfs::client
