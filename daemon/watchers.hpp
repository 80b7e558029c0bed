// The clients that watch: rung after publishes by main, so that a publish wakes nobody itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/index/control_page.hpp"
#include "common/os/clock.hpp"
#include "daemon/session.hpp"

namespace dfs::daemon {

/// Rings each watching client once for all its watchers, at most every millisecond. While nothing
/// is published it takes no time and wakes nobody.
///
/// Between two rings it is deaf: the writer then pays nothing for a publish. Once the time is over
/// it listens again, and looks for what was published meanwhile. Threads: main only.
class Watchers {
 public:
  /// `listen` is told whether a publish shall be news.
  Watchers(const index::ControlPage& page, std::function<void(bool)> listen);

  /// A client says that it watches from now on.
  void add(std::shared_ptr<Session> session);
  void remove(std::uint64_t connection);
  /// Something may have been published.
  void on_news();
  /// When to call `on_time`.
  [[nodiscard]] os::Deadline next() const { return listens_from_; }
  void on_time();
  /// Whether it wants to hear of the next publish.
  [[nodiscard]] bool listening() const { return listening_; }

 private:
  struct Published {
    std::uint64_t generation = 0;
    std::uint64_t sequence = 0;
    friend bool operator==(const Published&, const Published&) = default;
  };
  [[nodiscard]] Published published() const;
  void listen(bool on);
  void ring();

  // Constant after construction.
  const index::ControlPage& page_;
  const std::function<void(bool)> listen_;

  std::vector<std::shared_ptr<Session>> sessions_;
  Published rung_for_;
  bool listening_ = false;
  os::Deadline listens_from_ = os::Deadline::never();  // while it is deaf
};

}  // namespace dfs::daemon
