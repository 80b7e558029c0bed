// Looking again and again before sleeping, where that has paid lately.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/os/clock.hpp"

namespace dfs::os {

/// Looks at what another process is about to store. Whoever goes to sleep a little before that
/// keeps the other waiting for a wake-up, for longer than it spins itself, so that it sleeps too,
/// and from then on both always do: so a spin takes as long as a wake-up. It yields, since the
/// other may need this very processor. Threads: one at a time.
class Spin {
 public:
  Spin() : may_(processors() > 1) {}

  /// Until `anything` says true. False: it is time to sleep, since nothing came, or seldom does.
  template <class Anything>
  [[nodiscard]] bool finds(Anything&& anything) {
    if (anything()) return true;
    if (!may_) return false;
    if (rest_ > 0) return --rest_, false;
    const auto begin = Monotonic::now();
    bool other_ran = false;
    for (auto now = begin; now - begin < kLongest; now = Monotonic::now()) {
      if (shared_ || now - begin > kAlone) {
        std::this_thread::yield();
        other_ran = Monotonic::now() - now > kSwitch;
      }
      for (int i = 0; i < kLooks; ++i) {
        if (anything()) {
          credit_ = std::min(credit_ + 1, kMostCredit);
          next_rest_ = kRest;
          shared_ = other_ran;
          return true;
        }
        pause_processor();
      }
    }
    credit_ = std::max(credit_ - 1, 0);
    if (credit_ == 0) {
      rest_ = next_rest_;
      next_rest_ = std::min(2 * next_rest_, kLongestRest);
    }
    return false;
  }

 private:
  // What a wake-up costs where a processor has gone idle, and some more.
  static constexpr std::chrono::microseconds kLongest{50};
  // An answer from another processor comes within.
  static constexpr std::chrono::microseconds kAlone{10};
  // A yield to nobody takes less.
  static constexpr std::chrono::nanoseconds kSwitch{1500};
  static constexpr int kLooks = 16;
  static constexpr int kMostCredit = 8;
  // Spinning that did not pay is tried again after so many waits; twice as many each time, since
  // of replies that wait for a disk none ever comes in time.
  static constexpr int kRest = 32;
  static constexpr int kLongestRest = 1024;

  const bool may_;
  int credit_ = kMostCredit;
  int rest_ = 0;
  int next_rest_ = kRest;
  bool shared_ = false;  // what came last came from this processor, after a yield
};

}  // namespace dfs::os
