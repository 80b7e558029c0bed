// What systemd is to a service: a datagram socket that its states go to.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace dfs::test {

/// Listens for its life. `@` begins an abstract name, as in $NOTIFY_SOCKET.
class SupervisorSocket {
 public:
  explicit SupervisorSocket(const std::string& address) : address_(address) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (address.size() > sizeof place.sun_path) throw std::runtime_error("too long: " + address);
    std::memcpy(place.sun_path, address.data(), address.size());
    std::size_t length = offsetof(::sockaddr_un, sun_path) + address.size();
    if (address.front() == '@') place.sun_path[0] = '\0';
    if (::bind(fd_, reinterpret_cast<const ::sockaddr*>(&place),
               static_cast<::socklen_t>(length)) != 0) {
      throw std::runtime_error("bind " + address + ": " + std::strerror(errno));
    }
  }
  SupervisorSocket(const SupervisorSocket&) = delete;
  SupervisorSocket& operator=(const SupervisorSocket&) = delete;
  ~SupervisorSocket() { ::close(fd_); }

  [[nodiscard]] const std::string& address() const { return address_; }

  /// The next state; waits for it, two minutes at the most.
  [[nodiscard]] std::string next() const {
    auto state = within(std::chrono::minutes(2));
    if (!state) throw std::runtime_error("nothing was said at " + address_);
    return *state;
  }
  /// The next one that holds `assignment` as a line; those before it are passed over.
  [[nodiscard]] std::string next_with(const std::string& assignment) const {
    for (;;) {
      std::string state = next();
      if (has(state, assignment)) return state;
    }
  }
  [[nodiscard]] std::optional<std::string> within(std::chrono::milliseconds time) const {
    ::pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(time.count())) != 1) return std::nullopt;
    char buffer[4096];
    const ::ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0) return std::nullopt;
    return std::string(buffer, static_cast<std::size_t>(n));
  }
  /// Everything said so far.
  [[nodiscard]] std::vector<std::string> so_far() const {
    std::vector<std::string> states;
    while (auto state = within(std::chrono::milliseconds(0))) states.push_back(std::move(*state));
    return states;
  }
  [[nodiscard]] static bool has(const std::string& state, const std::string& assignment) {
    return ("\n" + state + "\n").find("\n" + assignment + "\n") != std::string::npos;
  }
  /// The text behind `name=`, to the end of its line; empty without one.
  [[nodiscard]] static std::string value(const std::string& state, const std::string& name) {
    const std::string lines = "\n" + state + "\n";
    const auto at = lines.find("\n" + name + "=");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 2;
    return lines.substr(from, lines.find('\n', from) - from);
  }

 private:
  std::string address_;
  int fd_ = -1;
};

}  // namespace dfs::test
