// The client's side of the message queue of one connection: requests into the ring, replies out of
// it, and the one thread that sleeps for all, watchers too.
//
// On the way of a write it is the second station, and the last.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "common/index/control_page.hpp"
#include "common/os/clock.hpp"
#include "common/os/spin.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/reply_ring.hpp"
#include "common/wire/request_ring.hpp"
#include "libclient/bell.hpp"
#include "libclient/flight.hpp"

namespace dfs::client {

/// Threads: any. Of those that wait one leads: it alone reads the reply ring and sleeps at the
/// bell, serves the others, and hands on when it is done (two sleepers would lose a wake-up). One
/// at a time pushes. Lock order: pushing_, then the flights' mutex.
class Channel {
 public:
  /// What it works on; all of it outlives the channel.
  struct Memory {
    const index::ControlPage& control;
    wire::ClientPage& page;
    const wire::ReplyHeader& header;
    std::span<const std::byte> replies;
    std::span<std::byte> requests;  ///< none for who only reads
    int doorbell = -1;              ///< the daemon's
    int bell = -1;                  ///< ours
    bool wakes_at_word = false;     ///< the daemon does
  };
  Channel(const Memory& memory, std::mutex& flights, const Bell& bell, Connection& connection);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class Sent : std::uint8_t {
    sent,       ///< It flies, or has landed already.
    busy,       ///< Too many fly; it stays fresh.
    timed_out,  ///< Withdrawn; it stays fresh and was not executed.
    lost,       ///< The daemon is gone. Fresh, or flying until `salvage`.
  };
  /// Requires: a fresh flight, encoded.
  [[nodiscard]] Sent submit(const std::shared_ptr<Flight>& flight, os::Deadline deadline);

  /// The same where nothing is to be waited for; else false, and it stays fresh.
  [[nodiscard]] bool submit_at_once(const std::shared_ptr<Flight>& flight);

  enum class Waited : std::uint8_t { over, timed_out, lost };
  /// Until the flight no longer flies here.
  [[nodiscard]] Waited wait(Flight& flight, os::Deadline deadline);
  /// What is published. Another one is news for watchers.
  struct News {
    std::uint64_t generation = 0;
    std::uint64_t sequence = 0;
    friend bool operator==(const News&, const News&) = default;
  };
  [[nodiscard]] News news() const noexcept;
  /// Until something else than `seen` is published, or `stopped` is set and the bell interrupted.
  /// Requires: the daemon knows that this client watches.
  [[nodiscard]] Waited wait_for_news(const News& seen, const std::atomic<bool>& stopped,
                                     os::Deadline deadline);
  /// Takes what replies are there and leaves the bell set: after it, what lands or is published
  /// later makes the bell's descriptor readable. `told` is the asker's, see Bell::heard.
  enum class Asker : std::uint8_t { commit, watch };
  void listen(Asker asker, std::uint64_t& told);
  /// Lands the flight: withdrawn (timeout, never executed), or taken, and then unknown with the
  /// commit id as soon as it is prepared.
  void give_up(Flight& flight, os::Deadline grace);
  /// Ends every wait with `lost`.
  void end() noexcept;
  [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_acquire); }

  /// After the daemon's end, or at the handle's, once: what was released lands; the rest is
  /// orphaned and appended in the order of submission, with its answer where that was prepared.
  /// What a daemon that lives has taken lands as unknown, and what it has not is withdrawn.
  void salvage(std::deque<std::shared_ptr<Flight>>& orphans);

  /// From now on an event loop waits at the bell too: who lands a commit that no thread waits for
  /// rings for it, and whenever no thread sleeps the bell is left set.
  void share_bell();
  /// Of this client as a whole, for an event loop.
  void begin_watching();
  void end_watching(bool last) noexcept;

 private:
  struct Withdrawn {
    std::uint64_t number;
    std::uint64_t end;  ///< behind its last chunk; kNoEnd while that is owed
  };
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::uint64_t kNoEnd = UINT64_MAX;
  // Between two looks at what nobody rings for: a reply that is prepared and not released, a daemon
  // whose sockets closed before its death was marked.
  static constexpr std::chrono::microseconds kLook{200};

  [[nodiscard]] bool daemon_ended() const noexcept;
  template <class Done>
  Waited wait_until(Lock& lock, Waiter& self, Done done, os::Deadline deadline);
  template <class Done>
  void lead(Lock& lock, Done done, os::Deadline deadline);
  [[nodiscard]] bool sleep(os::Deadline deadline);
  [[nodiscard]] bool sleep_at_word(os::Deadline deadline);
  void rouse() noexcept;
  void set_bell();
  [[nodiscard]] bool anything() const noexcept;
  bool take_replies();
  void land(const wire::Reply& reply);
  void tell_watchers(bool interrupted);
  void wake_daemon() noexcept;

  [[nodiscard]] bool enter_table(const std::shared_ptr<Flight>& flight);
  [[nodiscard]] Sent push(const std::shared_ptr<Flight>& flight, os::Deadline deadline);
  [[nodiscard]] Sent take_back(const std::shared_ptr<Flight>& flight, Sent why);
  void push_owed();
  void free_withdrawn();
  void expect_no_more(Flight& flight) noexcept;
  [[nodiscard]] std::shared_ptr<Flight>& place_of(std::uint64_t number) {
    return table_[number % kMaxInFlight];
  }

  // Constant after construction.
  const Memory memory_;
  std::mutex& flights_;
  const Bell& bell_;
  Connection& connection_;

  std::mutex pushing_;
  // Guarded by pushing_.
  std::optional<wire::RequestProducer> producer_;  // none for who only reads

  // Guarded by flights_.
  std::vector<std::shared_ptr<Flight>> table_;  // by number modulo its size
  std::vector<Withdrawn> withdrawn_;            // whose words are not free yet
  std::vector<Waiter*> waiters_;
  std::uint64_t next_number_ = 1;
  bool led_ = false;
  bool salvaged_ = false;
  bool bell_is_shared_ = false;
  // The leader's. Written under flights_ too, so that who becomes leader sees them.
  wire::ReplyConsumer consumer_;
  std::uint64_t seen_head_ = 0;
  News told_;  // to the watchers
  os::Spin spin_;
  bool broken_ = false;

  std::atomic<bool> lost_{false};
  std::atomic<unsigned> waiting_watchers_{0};  // written under flights_
  std::atomic<Waiter*> room_waiter_{nullptr};  // the thread that pushes and finds no room; the same
};

}  // namespace dfs::client
