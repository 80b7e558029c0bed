// Where the threads of one handle sleep, and what an event loop may wait for in their place.
#pragma once

#include <cstdint>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/poller.hpp"

namespace dfs::client {

/// The daemon's bell of the moment and events of our own, as one descriptor that stays the same
/// from daemon to daemon. Threads: any.
class Bell {
 public:
  static Result<Bell> make();

  /// The bell of a new connection.
  [[nodiscard]] Result<void> attach(int fd) const;
  void detach(int fd) const noexcept { inner_.remove(fd); }

  /// Returns when the daemon rang or is gone, when `ring` was called, or at the deadline.
  void sleep(os::Deadline deadline) const noexcept { os::wait_readable(inner_.fd(), deadline); }
  /// Ends whoever sleeps, until `quiet`.
  void ring() const noexcept { ours_.ring(); }
  void quiet() const noexcept { ours_.drain(); }
  /// Ends the sleep of whoever leads, for the sake of a watch that was stopped. From signal
  /// handlers too.
  void interrupt() const noexcept { interruption_.ring(); }
  /// Whether there was an interruption; there is none afterwards.
  [[nodiscard]] bool interrupted() const noexcept { return interruption_.rang(); }

  /// For event loops: readable while the daemon's bell rings and anything is expected, and while
  /// what was announced is not heard. Apart from `ring`, since a thread that sleeps has nothing to
  /// do with what is announced.
  [[nodiscard]] int fd() const noexcept { return outer_.fd(); }

  // The rest under the flights' mutex.

  /// From now on somebody waits at `fd`.
  void share() const noexcept;
  /// One more commit is under way, or watch there, for which the daemon may ring; one less. With
  /// none a ring that came late, or a daemon's end, is nobody's to hear, and would go on for ever.
  void expect() const noexcept;
  void expect_no_more() const noexcept;
  /// An answer has landed that no thread waits for: until `answer_heard`, by whoever asks for it or
  /// lets it go.
  void announce_answer() const noexcept;
  void answer_heard() const noexcept;
  /// Something was published: until the watches have heard of it, or the last has gone.
  void announce_news() const noexcept;
  void news_is_nobodys() const noexcept;
  /// One of those for whom it may ring has asked. `told` is the asker's, 0 at first: all is quiet
  /// once one asks for whom nothing was announced since it last did, since by then the others, who
  /// are asked in turn, have been asked too.
  void heard(std::uint64_t& told) const noexcept;
  /// The same of a watch, behind what was announced while it asked, which is for others if there
  /// are any.
  void heard_alone(std::uint64_t& told) const noexcept;

 private:
  Bell(os::Poller inner, os::Poller outer, os::Event ours, os::Event interruption, os::Event landed)
      : inner_(std::move(inner)),
        outer_(std::move(outer)),
        ours_(std::move(ours)),
        interruption_(std::move(interruption)),
        landed_(std::move(landed)) {}

  void announce() const noexcept;
  void quieten() const noexcept;

  // Constant after construction.
  os::Poller inner_;  // the daemon's bell, ours_, interruption_
  os::Poller outer_;  // inner_, landed_
  os::Event ours_;
  os::Event interruption_;
  os::Event landed_;
  // Guarded by the flights' mutex.
  mutable std::uint64_t announced_ = 0;
  mutable std::uint64_t expected_ = 0;  // commits and watches
  mutable std::uint64_t unheard_ = 0;   // answers
  mutable bool news_ = false;
  mutable bool shared_ = false;
};

}  // namespace dfs::client
