#include <dfs/pending.hpp>

#include <utility>

#include "libclient/core.hpp"

namespace dfs {

Pending::Pending(std::shared_ptr<client::Core> core,
                 std::shared_ptr<client::Flight> flight) noexcept
    : core_(std::move(core)), flight_(std::move(flight)) {}

Pending::Pending(Pending&& other) noexcept = default;

Pending& Pending::operator=(Pending&& other) noexcept {
  if (this == &other) return *this;
  leave();
  core_ = std::move(other.core_);
  flight_ = std::move(other.flight_);
  return *this;
}

Pending::~Pending() { leave(); }

void Pending::leave() noexcept {
  if (flight_ && !core_->forked()) core_->desert(*flight_);
  flight_.reset();
  core_.reset();
}

Result<Committed> Pending::wait() {
  if (!flight_) return Error(errc::finished, "this commit was waited for already");
  if (core_->forked()) return errc::forked;
  auto outcome = core_->land(flight_, client::Core::Manner{});
  leave();
  return outcome;
}

bool Pending::wait(std::chrono::nanoseconds timeout) {
  // In a child there is nothing to wait for: wait() says so.
  if (!flight_ || core_->forked()) return true;
  return core_->landed(flight_, os::Deadline::after(timeout));
}

bool Pending::ready() { return wait(std::chrono::nanoseconds(0)); }

}  // namespace dfs
