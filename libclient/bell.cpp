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
  outer->heed(inner->fd(), false);
  if (auto added = outer->add(landed->fd(), kLevel); !added) return std::move(added).error();
  return Bell(std::move(*inner), std::move(*outer), std::move(*ours), std::move(*interruption),
              std::move(*landed));
}

Result<void> Bell::attach(int fd) const { return inner_.add(fd, kLevel); }

void Bell::share() const noexcept {
  if (!std::exchange(shared_, true) && expected_ > 0) outer_.heed(inner_.fd(), true);
}

void Bell::expect() const noexcept {
  if (expected_++ == 0 && shared_) outer_.heed(inner_.fd(), true);
}

void Bell::expect_no_more() const noexcept {
  if (--expected_ == 0 && shared_) outer_.heed(inner_.fd(), false);
}

void Bell::announce() const noexcept {
  ++announced_;
  landed_.ring();
}

void Bell::announce_answer() const noexcept {
  ++unheard_;
  announce();
}

void Bell::announce_news() const noexcept {
  news_ = true;
  announce();
}

void Bell::answer_heard() const noexcept {
  --unheard_;
  quieten();
}

void Bell::news_is_nobodys() const noexcept {
  news_ = false;
  quieten();
}

void Bell::quieten() const noexcept {
  if (unheard_ == 0 && !news_) landed_.drain();
}

void Bell::heard(std::uint64_t& told) const noexcept {
  if (told == announced_) {
    news_ = false;
    landed_.drain();
  }
  told = announced_;
}

void Bell::heard_alone(std::uint64_t& told) const noexcept {
  if (expected_ != 1) return;
  told = announced_;
  news_is_nobodys();
}

}  // namespace dfs::client
