#include "libclient/bell.hpp"

#include <utility>

namespace dfs::client {

namespace {

constexpr os::Poller::Interest kLevel{0, os::Poller::Trigger::level};

}  // namespace

Result<Bell> Bell::make() {
  auto inner = os::Poller::make();
  if (!inner) return std::move(inner).error();
  auto outer = os::Poller::make();
  if (!outer) return std::move(outer).error();
  auto ours = os::Event::make();
  if (!ours) return std::move(ours).error();
  auto interruption = os::Event::make();
  if (!interruption) return std::move(interruption).error();
  auto landed = os::Event::make();
  if (!landed) return std::move(landed).error();
  if (auto added = inner->add(ours->fd(), kLevel); !added) return std::move(added).error();
  if (auto added = inner->add(interruption->fd(), kLevel); !added) return std::move(added).error();
  if (auto added = outer->add(inner->fd(), kLevel); !added) return std::move(added).error();
  if (auto added = outer->add(landed->fd(), kLevel); !added) return std::move(added).error();
  return Bell(std::move(*inner), std::move(*outer), std::move(*ours), std::move(*interruption),
              std::move(*landed));
}

Result<void> Bell::attach(int fd) const { return inner_.add(fd, kLevel); }

}  // namespace dfs::client
