#include "libclient/start_rule.hpp"

#include <cerrno>
#include <string>

#include "common/os/file.hpp"
#include "common/os/proc.hpp"
#include "common/os/process.hpp"
#include "libclient/advice.hpp"

namespace dfs::client {

namespace {

constexpr std::string_view kSocketEnding = ".socket";

Error nobody_serves(const Address& address, const std::string& why) {
  return Error(errc::no_daemon, "nobody serves " + address.given + why);
}

/// A shell's words for doing something as another user, who may have no name here.
std::string as_user(std::uint32_t uid, const std::string& command) {
  if (command.starts_with("systemctl start ")) return command;  // a service has its own user
  return "sudo -u '#" + std::to_string(uid) + "' " + command;
}

/// A shell's words for making the daemon a service of its own.
std::string as_service(const Address& address, std::uint32_t uid) {
  if (address.command.starts_with("systemctl ")) return address.command;
  return "systemd-run --uid=" + std::to_string(uid) + " " + address.command +
         ", or for good a named store (systemctl enable --now dfsd@NAME)";
}

/// An address that is a socket alone, of which nobody knows the log.
Error no_daemon_behind(const Address& address) {
  const auto status = os::status_of(address.socket);
  const std::string what = status && status->socket ? "the socket " + address.socket +
                                                          " was left by a daemon that has ended"
                                                    : "there is no socket at " + address.socket;
  const std::string log =
      address.socket.ends_with(kSocketEnding)
          ? address.socket.substr(0, address.socket.size() - kSocketEnding.size())
          : std::string();
  if (const auto file = os::status_of(log); file && file->regular) {
    return nobody_serves(address,
                         ": " + what + "; name the log, and its daemon is started: " + quoted(log));
  }
  return nobody_serves(address, ": " + what + ", and a client starts only the daemon of a log; " +
                                    address.command + " does");
}

/// The system service that this process belongs to; empty where it belongs to none. Both must say
/// so: sshd and cron stand in a service's control group with what they run for people, but hand no
/// INVOCATION_ID on, and whoever runs a login shell's children in a session has no service's group.
std::string own_service() {
  return os::environment("INVOCATION_ID").empty() ? std::string() : os::system_service();
}

/// A lock, a sync and a rename must mean what they say, and there must be a way to write.
Result<void> check_file_system(const Address& address) {
  const std::string directory = os::directory_of(address.log);
  auto system = os::file_system_of(os::status_of(address.log) ? address.log : directory);
  if (!system || (system->fit && !system->read_only)) return {};  // what is wrong will be said
  if (!system->fit) {
    return Error(
        errc::unsupported,
        address.given + " is on " + system->name +
            ", where a lock, a sync or a rename does not mean what a store needs; put it on "
            "a local file system (ext4, xfs, btrfs, tmpfs), and share the daemon's socket");
  }
  return Error(errc::unsupported,
               address.given +
                   " is on a read-only file system, where no daemon can serve it: copy it (cp) to "
                   "where it can be written; dfsctl check and dfsctl log read it as it is")
      .with_errno(EROFS);
}

}  // namespace

Result<void> may_start(const Address& address, const Options& options) {
  if (address.log.empty()) return no_daemon_behind(address);
  const auto status = os::status_of(address.log);
  if (!status && status.error() != errc::absent) return not_reached(address.given, status.error());
  if (!status && (!options.create || options.read_only)) {
    return no_store_at(address, options.read_only);
  }
  if (status && !status->regular) {
    return Error(errc::no_store, address.given + " is no file that could be a log");
  }
  if (auto good = check_file_system(address); !good) return good;
  if (options.autostart == Autostart::never) {
    return nobody_serves(address, ", and this call starts no daemon; " + address.command + " does");
  }
  if (os::environment_is_untrusted()) {
    return nobody_serves(address,
                         ", and a setuid program starts no daemon; " + address.command + " does");
  }
  const bool always = options.autostart == Autostart::always;
  const std::uint32_t user = os::effective_user();
  if (status && status->uid != user) {
    const std::string command = as_user(status->uid, address.command);
    if (user != 0) {
      return nobody_serves(
          address, ", and only its owner starts its daemon (" + status->owner() + "; you are uid " +
                       std::to_string(user) +
                       "), since another's could not keep owner and mode: " + command);
    }
    if (!always) {
      return nobody_serves(address, ", and root starts no daemon for another's log (" +
                                        status->owner() +
                                        ") unless told autostart = always: " + command);
    }
  }
  if (const std::string service = always ? std::string() : own_service(); !service.empty()) {
    return nobody_serves(address, ", and inside " + service +
                                      " none is started, since it would end with that service: " +
                                      as_service(address, user) + "; or say autostart = always");
  }
  return {};
}

}  // namespace dfs::client
