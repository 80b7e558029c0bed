#include "daemon/published_socket.hpp"

#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/socket.hpp"

namespace dfs::daemon {

namespace {

/// What root makes is the log's owner's: in a directory like /tmp the owner's daemon could not
/// replace it otherwise.
Result<void> give_to_owner_of(const std::string& log, const std::string& made) {
  if (os::effective_user() != 0) return {};
  auto owner = os::status_of(log);
  if (!owner) return std::move(owner).error();
  return os::set_owner_of(made, owner->uid, owner->gid);
}

}  // namespace

Result<PublishedSocket> PublishedSocket::listen(const Options& options) {
  // Resolved: a link beside the log must lead there from wherever it is read.
  auto path = options.socket.empty() ? Result<std::string>(options.store + ".socket")
                                     : os::resolve_path(options.socket);
  if (!path) return std::move(path).error();
  auto fd = os::listen_at(*path);
  if (!fd) return std::move(fd).error();
  PublishedSocket socket(std::move(*fd), *path);
  auto placed = give_to_owner_of(options.store, *path);
  if (placed) placed = socket.link_beside(options.store);
  if (!placed) {
    static_cast<void>(os::remove(*path));
    return std::move(placed).error();
  }
  return socket;
}

Result<PublishedSocket> PublishedSocket::pass_on(os::PassedSocket passed, const Options& options) {
  auto path = os::resolve_path(passed.path);
  if (!path) return std::move(path).error();
  if (!options.socket.empty()) {
    auto asked = os::resolve_path(options.socket);
    if (!asked) return std::move(asked).error();
    if (*asked != *path) {
      return Error(errc::bad_argument, "--socket says " + options.socket +
                                           ", but the service manager listens at " + passed.path +
                                           "; leave --socket out, or make the two one");
    }
  }
  PublishedSocket socket(std::move(passed.socket), std::move(*path));
  socket.passed_ = true;
  if (auto linked = socket.link_beside(options.store); !linked) return std::move(linked).error();
  return socket;
}

Result<void> PublishedSocket::link_beside(const std::string& log) {
  const std::string beside = log + ".socket";
  if (path_ == beside) return {};
  // Clients look beside the log and nowhere else. By rename: a link is always there.
  const std::string fresh = beside + ".new";
  if (auto gone = os::remove(fresh); !gone) return gone;
  if (auto made = os::symlink(path_, fresh); !made) return made;
  if (auto given = give_to_owner_of(log, fresh); !given) return given;
  if (auto placed = os::rename(fresh, beside); !placed) return placed;
  link_ = beside;
  return {};
}

void PublishedSocket::withdraw() {
  fd_.reset();
  if (passed_) return;
  static_cast<void>(os::remove(path_));
  if (!link_.empty()) static_cast<void>(os::remove(link_));
}

}  // namespace dfs::daemon
