// Ends a test that hangs, loudly. Not a bound on time: minutes for what takes milliseconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace dfs {

/// Armed for its life. Threads: owned by one.
class Watchdog {
 public:
  explicit Watchdog(const char* what, std::chrono::minutes patience = std::chrono::minutes(5))
      : thread_([this, what, patience] {
          std::unique_lock lock(mutex_);
          if (done_.wait_for(lock, patience, [this] { return over_; })) return;
          std::fprintf(stderr, "watchdog: %s hangs\n", what);
          std::abort();
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace dfs
