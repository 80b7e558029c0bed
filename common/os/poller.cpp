#include "common/os/poller.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace dfs::os {

Result<Event> Event::make() {
  Event event;
  event.fd_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.fd_.is_open()) return Error::from_errno(errno, "make an event");
  return event;
}

void Event::ring() const noexcept { ring_event(fd_.get()); }

void Event::drain() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd_.get(), &count, sizeof count));
}

bool Event::rang() const noexcept {
  std::uint64_t count = 0;
  return ::read(fd_.get(), &count, sizeof count) == sizeof count;
}

void ring_event(int fd) noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(fd, &one, sizeof one));
}

Result<Poller> Poller::make() {
  Poller poller;
  poller.fd_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller.fd_.is_open()) return Error::from_errno(errno, "make an epoll set");
  return poller;
}

Result<void> Poller::add(int fd, Interest interest) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  if (interest.trigger == Trigger::edge) event.events |= EPOLLET;
  event.data.u64 = interest.tag;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error::from_errno(errno, "wait for a descriptor");
  }
  return {};
}

void Poller::remove(int fd) const noexcept {
  static_cast<void>(::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr));
}

void Poller::heed(int fd, bool on) const noexcept {
  epoll_event event{};
  if (on) event.events = EPOLLIN | EPOLLRDHUP;
  static_cast<void>(::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event));
}

std::span<const Ready> Poller::wait(Deadline deadline) {
  std::array<epoll_event, 64> events{};
  ready_.clear();
  for (;;) {
    const int n =
        ::epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), deadline.left_ms());
    if (n < 0 && errno == EINTR) continue;
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      ready_.push_back({event.data.u64, (event.events & EPOLLIN) != 0,
                        (event.events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0});
    }
    if (n > 0 || deadline.passed()) return ready_;
  }
}

bool wait_readable(int fd, Deadline deadline) noexcept {
  for (;;) {
    pollfd entry{fd, POLLIN | POLLRDHUP, 0};
    if (::poll(&entry, 1, deadline.left_ms()) > 0) return true;
    if (deadline.passed()) return false;
  }
}

Result<Descriptor> catch_signals(std::span<const int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return Error::from_errno(error, "block signals");
  }
  Descriptor fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return Error::from_errno(errno, "catch signals");
  return fd;
}

Result<Descriptor> catch_daemon_signals() {
  const std::array<int, 3> asking{SIGTERM, SIGINT, SIGHUP};
  return catch_signals(asking);
}

bool asks_for_reload(int signal) noexcept { return signal == SIGHUP; }

int next_signal(int fd) noexcept {
  signalfd_siginfo caught{};
  if (::read(fd, &caught, sizeof caught) != static_cast<ssize_t>(sizeof caught)) return 0;
  return static_cast<int>(caught.ssi_signo);
}

}  // namespace dfs::os
