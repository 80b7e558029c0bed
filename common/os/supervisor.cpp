#include "common/os/supervisor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "common/os/process.hpp"

namespace dfs::os {

namespace {

// SD_LISTEN_FDS_START: passed descriptors are numbered from here.
constexpr int kFirstPassed = 3;

/// The decimal number in a variable; nothing where it is missing or anything else.
std::optional<std::uint64_t> number_from(const char* variable) {
  const std::string text = environment(variable);
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || rest != end) return std::nullopt;
  return value;
}

bool is_us(std::optional<std::uint64_t> pid) {
  return pid == static_cast<std::uint64_t>(::getpid());
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

Error wrong_socket(std::string_view what) {
  return Error(errc::bad_argument,
               "the socket passed by the service manager ($LISTEN_FDS) " + std::string(what) +
                   "; the socket unit must have one ListenSequentialPacket=/run/dfs/NAME/socket "
                   "(a path, Accept=no) and nothing else");
}

}  // namespace

Supervisor Supervisor::from_environment() {
  Supervisor supervisor;
  std::string address = environment("NOTIFY_SOCKET");
  // Anything else (vsock:, say) is not of this machine.
  if (address.size() > 1 && (address.front() == '/' || address.front() == '@')) {
    supervisor.address_ = std::move(address);
  }
  const auto period = number_from("WATCHDOG_USEC");
  // Without a process id it means whoever is told.
  const bool ours = environment("WATCHDOG_PID").empty() || is_us(number_from("WATCHDOG_PID"));
  if (period && ours && supervisor.is_there()) {
    constexpr std::uint64_t kYearUs = std::uint64_t{366} * 24 * 3'600'000'000;
    supervisor.watchdog_ = std::chrono::microseconds(std::min(*period, kYearUs));
  }
  return supervisor;
}

Result<void> Supervisor::say(std::string_view state) const { return send(state, 0); }

Result<void> Supervisor::mention(std::string_view state) const { return send(state, MSG_DONTWAIT); }

Result<void> Supervisor::send(std::string_view state, int flags) const {
  if (!is_there()) return {};
  const auto failed = [this] {
    return Error::from_errno(errno, "tell $NOTIFY_SOCKET " + address_);
  };
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed();
  // The main thread says this: a supervisor that does not read must not keep it.
  const timeval patience{1, 0};
  static_cast<void>(
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience));
  std::string path = address_;
  Descriptor far;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.front() == '@') {
    if (path.size() > sizeof address.sun_path) return errno = ENAMETOOLONG, failed();
    path.front() = '\0';
  } else if (path.size() >= sizeof address.sun_path) {
    // Longer than an address may be: by way of an open descriptor.
    far.reset(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!far.is_open()) return failed();
    path = "/proc/self/fd/" + std::to_string(far.get());
  }
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  // An abstract name ends where the length says, a path at its NUL.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                             (path.front() == '\0' ? 0 : 1));
  while (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | flags,
                  reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    if (errno != EINTR) return failed();
  }
  return {};
}

Result<std::optional<PassedSocket>> take_passed_socket() {
  const auto count = number_from("LISTEN_FDS");
  if (!count || *count == 0 || !is_us(number_from("LISTEN_PID"))) {
    return std::optional<PassedSocket>();
  }
  if (*count > 1) {
    const std::string names = environment("LISTEN_FDNAMES");
    return wrong_socket("is not alone: " + std::to_string(*count) + " were passed" +
                        (names.empty() ? "" : " (" + names + ")"));
  }
  PassedSocket passed{Descriptor(kFirstPassed), {}};
  const int fd = passed.socket.get();
  if (option_of(fd, SO_DOMAIN) != AF_UNIX) return wrong_socket("is no Unix socket");
  if (option_of(fd, SO_TYPE) != SOCK_SEQPACKET) {
    return wrong_socket(option_of(fd, SO_TYPE) == SOCK_STREAM ? "is a stream socket"
                                                              : "is a datagram socket");
  }
  if (option_of(fd, SO_ACCEPTCONN) != 1) return wrong_socket("does not listen");
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return Error::from_errno(errno, "ask for the place of the socket passed");
  }
  const char* const path = static_cast<const char*>(address.sun_path);
  const std::size_t most = length - std::min<std::size_t>(length, offsetof(sockaddr_un, sun_path));
  passed.path.assign(path, ::strnlen(path, most));
  if (passed.path.empty() || passed.path.front() != '/') {
    return wrong_socket("has no path at which a client could find it");
  }
  // As every descriptor of ours; systemd may have set neither.
  static_cast<void>(::fcntl(fd, F_SETFD, FD_CLOEXEC));
  static_cast<void>(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK));
  return std::optional(std::move(passed));
}

bool standard_error_is_journal() noexcept {
  // `device:inode` of what the manager connected; another one is a redirection since.
  const std::string stream = environment("JOURNAL_STREAM");
  struct stat status {};
  if (stream.empty() || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::chrono::microseconds monotonic_time() noexcept {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_MONOTONIC, &now));
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace dfs::os
