// One commit under way: its request as encoded, kept so that it can be submitted again, and what
// became of it.
#pragma once

#include <dfs/committed.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "common/base/result.hpp"
#include "common/wire/encoded_request.hpp"

namespace dfs::client {

class Connection;

/// A thread that waits in a Channel. Guarded by the flights' mutex.
struct Waiter {
  std::condition_variable wake;
  bool watches = false;  ///< For what is published, too.
};

/// Threads: the request by whoever has the flight; the rest is guarded by the one mutex of all
/// flights of a handle, until it has landed: then it is of whoever has it alone.
struct Flight {
  enum class State : std::uint8_t {
    fresh,     ///< In no ring.
    flying,    ///< In the table of a channel.
    orphaned,  ///< Its daemon died; it waits to be asked about, or submitted again.
    landed,    ///< The outcome is here.
  };

  Flight() {}  // NOLINT(*-use-equals-default): that would write zeros over all of it first

  // Constant once encoded.
  wire::EncodedRequest request;
  std::uint64_t turn = 0;  ///< its place in the order of submission

  State state = State::fresh;
  Connection* connection = nullptr;  ///< flying: whose table it is in
  std::uint64_t number = 0;          ///< flying: of its request there
  std::uint64_t end = 0;             ///< flying: behind its last chunk in the ring
  /// orphaned: the answer, if the next daemon says that its sequence was committed.
  std::optional<Committed> prepared;
  std::optional<Result<Committed>> outcome;
  bool versions_left_out = false;
  /// False: the list of versions, of one, is made when the outcome is taken, by whom it is dropped
  /// soon: memory that lives for a moment is cheaper than a thousand pieces at a time.
  bool lists_its_version = true;
  Waiter* waiter = nullptr;
  bool deserted = false;   ///< Nobody will ask for the outcome.
  std::uint64_t told = 0;  ///< See Bell::heard.
  bool expected = false;   ///< Its answer, by an event loop.
  bool announced = false;  ///< To an event loop, and nobody has asked for it yet.

  /// Whether it has landed, without the mutex.
  [[nodiscard]] bool is_down() const noexcept {
    // SYNC POINT: down_, with `land`. Acquire: the outcome comes before it.
    return down_.load(std::memory_order_acquire);
  }

  void land(Result<Committed> result) {
    outcome = std::move(result);
    state = State::landed;
    connection = nullptr;
    if (waiter != nullptr) waiter->wake.notify_one();
    // SYNC POINT: down_, with `is_down`. The last: nobody of this side touches it afterwards.
    down_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<bool> down_{false};
};

}  // namespace dfs::client
