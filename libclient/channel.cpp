// Sending and waiting. What becomes of replies is in channel_replies.cpp.
#include "libclient/channel.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "common/base/assert.hpp"
#include "common/index/snapshot.hpp"
#include "common/os/futex.hpp"
#include "common/os/poller.hpp"
#include "common/os/socket.hpp"
#include "common/wire/request_word.hpp"
#include "common/wire/waiting.hpp"

namespace dfs::client {

namespace {

// Smaller pieces of a request are not worth a chunk of their own.
constexpr std::size_t kSmallChunk = 4096;
// A sleep at the word hears of no daemon's death, so a longer one is at the bell.
constexpr std::chrono::milliseconds kLongestAtWord{10};

}  // namespace

Channel::Channel(const Memory& memory, std::mutex& flights, const Bell& bell,
                 Connection& connection)
    : memory_(memory),
      flights_(flights),
      bell_(bell),
      connection_(connection),
      table_(kMaxInFlight),
      consumer_(memory.header, memory.replies, memory.page.reply_position) {
  if (!memory.requests.empty()) {
    producer_.emplace(memory.requests, memory.page.request_tail, memory.header.request_head);
  }
}

Channel::~Channel() = default;

bool Channel::daemon_ended() const noexcept {
  return !index::served(memory_.control) || consumer_.dropped() != wire::DropReason::none;
}

void Channel::wake_daemon() noexcept {
  wire::wake_if_asleep(memory_.control.writer_asleep, [this] { os::ring_event(memory_.doorbell); });
}

// Sending.

Channel::Sent Channel::submit(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  DFS_ASSERT(producer_, "who only reads submits nothing");
  // Whoever has it leaves at its own deadline, so this wait is bounded too.
  const std::lock_guard pushing(pushing_);
  {
    const Lock lock(flights_);
    if (lost()) return Sent::lost;
    if (!withdrawn_.empty()) {
      push_owed();
      free_withdrawn();
    }
    if (!enter_table(flight)) return Sent::busy;
  }
  return push(flight, deadline);
}

bool Channel::submit_at_once(const std::shared_ptr<Flight>& flight) {
  DFS_ASSERT(producer_, "who only reads submits nothing");
  const std::unique_lock pushing(pushing_, std::try_to_lock);
  const std::span<const std::byte> request = flight->request.bytes();
  if (!pushing || producer_->room() < request.size()) return false;
  {
    const Lock lock(flights_);
    if (lost() || !withdrawn_.empty() || !enter_table(flight)) return false;
  }
  const wire::Push pushed = producer_->try_push(flight->number, request, wire::kLastChunk);
  DFS_ASSERT(pushed == wire::Push::pushed, "there was room for all of it");
  flight->end = producer_->tail();
  wake_daemon();
  return true;
}

bool Channel::enter_table(const std::shared_ptr<Flight>& flight) {
  const std::uint64_t number = next_number_;
  if (!wire::submit(memory_.page, number)) {
    // Replies that nobody has waited for yet may stand in the ring and hold their words.
    if (led_ || !take_replies() || !wire::submit(memory_.page, number)) return false;
  }
  ++next_number_;
  place_of(number) = flight;
  flight->state = Flight::State::flying;
  flight->connection = &connection_;
  flight->number = number;
  flight->end = kNoEnd;
  if (!flight->deserted) {
    flight->expected = true;
    bell_.expect();
  }
  return true;
}

Channel::Sent Channel::push(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  const std::uint64_t number = flight->number;
  std::span<const std::byte> rest = flight->request.bytes();
  while (!rest.empty()) {
    const std::size_t wanted = std::min({rest.size(), kMaxChunkBytes, kSmallChunk});
    std::size_t room = producer_->room();
    if (room < wanted) {
      Waiter self;
      Lock lock(flights_);
      // seq_cst: a leader that is about to sleep sees it, or is found asleep by the next line.
      room_waiter_.store(&self, std::memory_order_seq_cst);
      wire::wants_room(memory_.page.asleep);
      rouse();  // to the bell, where it is rung for room
      const Waited waited = wait_until(
          lock, self,
          [&] {
            room = producer_->room();
            return room >= wanted || producer_->broken() || flight->state != Flight::State::flying;
          },
          deadline);
      room_waiter_.store(nullptr, std::memory_order_relaxed);
      // Answered before it was whole: refused, so the rest need not follow.
      if (flight->state == Flight::State::landed) return take_back(flight, Sent::sent);
      // Salvaged before this thread woke, it flies no more, and the wait is over.
      if (producer_->broken() || waited == Waited::lost || lost()) return Sent::lost;
      if (waited == Waited::timed_out) return take_back(flight, Sent::timed_out);
    }
    const std::size_t size = std::min({rest.size(), room, kMaxChunkBytes});
    const bool last = size == rest.size();
    switch (producer_->try_push(number, rest.first(size), last ? wire::kLastChunk : 0)) {
      case wire::Push::pushed:
        break;
      case wire::Push::full:
        continue;
      case wire::Push::broken:
        return Sent::lost;
    }
    // Its own: nobody withdraws it before this call returns.
    if (last) flight->end = producer_->tail();
    rest = rest.subspan(size);
    wake_daemon();
  }
  return Sent::sent;
}

Channel::Sent Channel::take_back(const std::shared_ptr<Flight>& flight, Sent why) {
  // Under flights_ and pushing_. The daemon has a part of the request, which it is to forget.
  const std::uint64_t number = flight->number;
  withdrawn_.push_back({number, kNoEnd});
  if (why == Sent::timed_out) {
    if (wire::withdraw(memory_.page, number) == wire::Withdrawal::taken) {
      // Taken before it was whole: to be refused. The answer comes as any.
      return Sent::sent;
    }
    place_of(number).reset();
    expect_no_more(*flight);
    flight->state = Flight::State::fresh;
    flight->connection = nullptr;
  }
  return why;
}

void Channel::push_owed() {
  for (Withdrawn& entry : withdrawn_) {
    if (entry.end != kNoEnd) continue;
    if (producer_->try_push(entry.number, {}, wire::kAbandonChunk) != wire::Push::pushed) return;
    entry.end = producer_->tail();
    wake_daemon();
  }
}

void Channel::free_withdrawn() {
  const std::uint64_t head = producer_->given_back();
  std::erase_if(withdrawn_, [&](const Withdrawn& entry) {
    if (entry.end == kNoEnd || entry.end > head) return false;
    // One that was taken after all has freed its word when its reply was read.
    if (wire::state(memory_.page, entry.number) == wire::WordState::withdrawn) {
      wire::free_word(memory_.page, entry.number);
    }
    return true;
  });
}

// Waiting.

Channel::Waited Channel::wait(Flight& flight, os::Deadline deadline) {
  Waiter self;
  Lock lock(flights_);
  const auto over = [&] {
    return flight.state != Flight::State::flying || flight.connection != &connection_;
  };
  flight.waiter = &self;
  const Waited waited = wait_until(lock, self, over, deadline);
  flight.waiter = nullptr;
  return waited;
}

template <class Done>
Channel::Waited Channel::wait_until(Lock& lock, Waiter& self, Done done, os::Deadline deadline) {
  waiters_.push_back(&self);
  Waited how = Waited::over;
  while (!done()) {
    if (lost()) {
      how = Waited::lost;
      break;
    }
    if (deadline.passed()) {
      how = Waited::timed_out;
      break;
    }
    if (led_) {
      self.wake.wait_for(lock, deadline.left());
    } else {
      led_ = true;
      lead(lock, done, deadline);
      led_ = false;
    }
  }
  std::erase(waiters_, &self);
  // Hands on: somebody must sleep at the bell while anybody waits.
  if (!led_ && !waiters_.empty()) waiters_.front()->wake.notify_one();
  if (!led_ && waiters_.empty() && bell_is_shared_) set_bell();
  return how;
}

Channel::News Channel::news() const noexcept {
  // SYNC POINT: news, against Writer::release and Watchers. seq_cst: behind the store of `asleep`,
  // or of waiting_watchers_, where it is the second look.
  const std::uint64_t generation = memory_.control.current.load(std::memory_order_seq_cst);
  const auto& slot = index::slot_of(memory_.control, generation);
  return {generation, slot.published.load(std::memory_order_seq_cst)};
}

Channel::Waited Channel::wait_for_news(const News& seen, const std::atomic<bool>& stopped,
                                       os::Deadline deadline) {
  Waiter self;
  self.watches = true;
  Lock lock(flights_);
  // seq_cst: a leader that is about to sleep sees it, or this thread's look at the news comes
  // behind that leader's.
  waiting_watchers_.fetch_add(1, std::memory_order_seq_cst);
  rouse();  // to the bell, where it can be interrupted
  const auto over = [&] { return stopped.load(std::memory_order_seq_cst) || news() != seen; };
  const Waited waited = wait_until(lock, self, over, deadline);
  waiting_watchers_.fetch_sub(1, std::memory_order_relaxed);
  return waited;
}

void Channel::tell_watchers(bool interrupted) {
  const News now = news();
  if (now == told_ && !interrupted) return;
  told_ = now;
  for (Waiter* waiter : waiters_) {
    if (waiter->watches) waiter->wake.notify_one();
  }
  const bool watching = memory_.page.watching.load(std::memory_order_relaxed) != 0;
  if (bell_is_shared_ && (watching || interrupted)) bell_.announce_news();
}

template <class Done>
void Channel::lead(Lock& lock, Done done, os::Deadline deadline) {
  while (!done() && !lost() && !deadline.passed()) {
    lock.unlock();
    const bool slept = !spin_.finds([this] { return anything(); }) && sleep(deadline);
    lock.lock();
    // Asked only where nothing else woke this thread: it costs a system call. An interruption that
    // came with replies ends the next sleep.
    const bool any = take_replies();
    tell_watchers(slept && !any && bell_.interrupted());
  }
}

bool Channel::anything() const noexcept {
  return consumer_.has_more() || lost() ||
         (room_waiter_.load(std::memory_order_seq_cst) != nullptr &&
          memory_.header.request_head.load(std::memory_order_seq_cst) != seen_head_) ||
         (waiting_watchers_.load(std::memory_order_seq_cst) > 0 && news() != told_);
}

void Channel::rouse() noexcept {
  wire::rouse(memory_.page.asleep, [this] { os::wake_at(memory_.page.asleep); });
}

bool Channel::sleep_at_word(os::Deadline deadline) {
  const auto more_is_wanted = [this] {
    return room_waiter_.load(std::memory_order_seq_cst) != nullptr ||
           waiting_watchers_.load(std::memory_order_seq_cst) > 0;
  };
  if (!memory_.wakes_at_word || more_is_wanted()) return false;
  std::atomic<std::uint32_t>& word = memory_.page.asleep;
  bool woken = true;
  wire::sleep_unless(
      word, [] {}, [&] { return anything() || more_is_wanted() || daemon_ended(); },
      [&] {
        os::sleep_at(word, wire::kAsleepAtWord,
                     std::min<std::chrono::nanoseconds>(deadline.left(), kLongestAtWord));
        // Relaxed: what it was woken for is looked at anew.
        woken = word.load(std::memory_order_relaxed) != wire::kAsleepAtWord;
      },
      wire::kAsleepAtWord);
  return woken && !daemon_ended();
}

bool Channel::sleep(os::Deadline deadline) {
  if (sleep_at_word(deadline)) return false;
  bool open = true;
  const bool for_room = room_waiter_.load(std::memory_order_seq_cst) != nullptr;
  // One that began to wait for room before `asleep` was stored is found behind it.
  const auto somebody_came = [&] {
    return !for_room && room_waiter_.load(std::memory_order_seq_cst) != nullptr;
  };
  const bool slept = wire::sleep_unless(
      memory_.page.asleep, [&] { open = os::drain_bell(memory_.bell); },
      [&] { return !open || anything() || somebody_came() || daemon_ended(); },
      [&] { bell_.sleep(deadline); }, for_room ? wire::kAsleep : wire::kAsleepForReplies);
  if (!daemon_ended()) {
    // Its sockets are closed, and nothing says yet that it is gone: it is about to.
    if (!open) std::this_thread::sleep_for(kLook);
    return slept;
  }
  lost_.store(true, std::memory_order_release);
  return slept;
}

}  // namespace dfs::client
