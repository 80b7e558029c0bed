// What a store handle is inside: it finds the daemon, follows the store from daemon to daemon, and
// brings commits through.
#pragma once

#include <dfs/batch.hpp>
#include <dfs/committed.hpp>
#include <dfs/options.hpp>
#include <dfs/snapshot.hpp>
#include <dfs/store.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/index/snapshot.hpp"
#include "common/os/clock.hpp"
#include "common/wire/request.hpp"
#include "libclient/address.hpp"
#include "libclient/bell.hpp"
#include "libclient/connection_use.hpp"
#include "libclient/flight.hpp"

namespace dfs::client {

/// Kept alive by every handle that may write: Store, Transaction, Pending, Admin. Snapshots hold
/// their connection alone.
/// Threads: any. Lock order: connecting_, a channel's pushing_, flights_.
class Core {
 public:
  static Result<std::shared_ptr<Core>> open(std::string_view given, Options options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  [[nodiscard]] bool forked() const noexcept { return household_->mark.in_child(); }
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] StoreState state() noexcept;
  [[nodiscard]] int fd() noexcept;
  void close() noexcept;

  [[nodiscard]] Snapshot snapshot();
  [[nodiscard]] Result<Value> get(std::string_view key);

  /// What a commit was asked to be; left out: as the options of the handle say.
  struct Manner {
    std::optional<Durability> durability;
    std::optional<std::chrono::milliseconds> timeout;
  };
  [[nodiscard]] os::Deadline deadline(const Manner& manner) const;
  /// Encodes, sends and waits. The request's views live for the call.
  [[nodiscard]] Result<Committed> commit(wire::CommitRequest& request, const Manner& manner);
  /// The same of a commit that writes one key and does nothing else.
  [[nodiscard]] Result<Committed> commit(const wire::Write& write, const Manner& manner);
  /// Encodes and sends; the flight may have landed already, with an error. Never null.
  [[nodiscard]] std::shared_ptr<Flight> submit(const Batch& batch, const Manner& manner);
  /// Waits for the outcome; at the deadline gives the flight up.
  [[nodiscard]] Result<Committed> land(const std::shared_ptr<Flight>& flight,
                                       os::Deadline deadline);
  [[nodiscard]] Result<Committed> land(const std::shared_ptr<Flight>& flight, const Manner& manner);
  /// Waits so long at the most; gives nothing up.
  [[nodiscard]] bool landed(const std::shared_ptr<Flight>& flight, os::Deadline deadline);
  /// Nobody will ask for this flight's outcome any more.
  void desert(Flight& flight) noexcept;

  /// The connection of whoever serves the store; looks for a daemon, or starts one, until the
  /// deadline. daemon_gone where there is none.
  [[nodiscard]] Result<ConnectionUse> serving(os::Deadline deadline);
  /// The same where a daemon serves; else one try to connect, which starts
  /// nothing.
  [[nodiscard]] Result<ConnectionUse> reach();
  /// Makes who waits for news look whether it was stopped. From signal handlers too.
  void interrupt() const noexcept { bell_.interrupt(); }

  /// One exchange on the socket of whoever serves the store.
  [[nodiscard]] Result<Enquiries::Answer> ask(wire::AdminKind kind, std::uint64_t argument,
                                              os::Deadline deadline);
  [[nodiscard]] Result<Resolution> resolve(const wire::CommitId& id, os::Deadline deadline);
  [[nodiscard]] Result<void> sync(std::uint64_t sequence, os::Deadline deadline);
  /// Waits until the daemon of the moment serves no more.
  [[nodiscard]] Result<void> wait_for_end(os::Deadline deadline);

 private:
  Core(Address address, Options options, Bell bell);

  [[nodiscard]] bool comes_down(const std::shared_ptr<Flight>& flight, os::Deadline deadline);
  /// Whoever has the flight knows that it has landed.
  void hear(Flight& flight) noexcept;

  // Connecting: core_connect.cpp. Those marked (c) require connecting_.
  [[nodiscard]] ConnectionUse use() noexcept;
  [[nodiscard]] Result<void> connect_once(os::Deadline deadline);  // (c)
  [[nodiscard]] Result<void> adopt(Introduction introduction);     // (c)
  [[nodiscard]] Result<void> map_current(Connection& next);        // (c)
  void note_end(Connection& connection);                           // (c)
  [[nodiscard]] Result<void> connect_or_start(const Options& options, os::Deadline deadline);
  [[nodiscard]] Result<ConnectionUse> writing(os::Deadline deadline);
  [[nodiscard]] Result<void> send_orphans(Connection& connection, os::Deadline deadline);  // (c)
  [[nodiscard]] Result<void> ask_about(Connection& connection,
                                       const std::shared_ptr<Flight>& flight,
                                       os::Deadline deadline);  // (c)
  [[nodiscard]] Result<void> send_again(Connection& connection,
                                        const std::shared_ptr<Flight>& flight,
                                        os::Deadline deadline);  // (c)
  void tell(std::string_view text) const;

  // Snapshots.
  [[nodiscard]] Snapshot take(ConnectionUse here, bool stale);
  /// Where its generation is not mapped yet, or is to be mapped once more.
  [[nodiscard]] Snapshot take_mapping(ConnectionUse here, bool stale, index::Taken taken);
  [[nodiscard]] Snapshot take_newest_mapped(ConnectionUse here);
  [[nodiscard]] Snapshot take_anew();

  // Commits: core_commit.cpp.
  /// A flight whose request `encode` has made, sent; as `submit`. Asks for the deadline only where
  /// something is to be waited for.
  template <class Encode, class UntilWhen>
  [[nodiscard]] std::shared_ptr<Flight> launch(Encode encode, UntilWhen deadline);
  [[nodiscard]] bool is_durable(const Manner& manner) const noexcept {
    return manner.durability.value_or(options_.durability) == Durability::durable;
  }
  /// False where anything is to be waited for, or is wrong: `send` says what. Asks no clock, which
  /// costs as much as the push of a short request.
  [[nodiscard]] bool send_at_once(const std::shared_ptr<Flight>& flight);
  [[nodiscard]] Result<void> send(const std::shared_ptr<Flight>& flight, os::Deadline deadline);
  [[nodiscard]] ConnectionUse flown_by(const Flight& flight) noexcept;
  void await_sender(Connection* lost);
  void abandon(const std::shared_ptr<Flight>& flight, Error error);
  [[nodiscard]] Result<Committed> take_outcome(Flight& flight);
  [[nodiscard]] Error unknown(const Flight& flight) const;
  void read_versions(Flight& flight, Committed& committed);
  [[nodiscard]] bool is_in_feed(std::uint64_t sequence);

  // Constant after construction.
  const Address address_;
  const Options options_;
  const Bell bell_;
  const bool checks_views_;
  const std::shared_ptr<Household> household_;
  std::mutex flights_;

  std::mutex connecting_;
  // Written under connecting_, read by any.
  std::atomic<Connection*> current_{nullptr};
  std::atomic<bool> has_orphans_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> bell_is_shared_{false};
  std::atomic<std::uint64_t> turns_{0};  // commits submitted so far; by any
  wire::StoreId store_{};                // constant once `open` has returned

  // Guarded by flights_.
  std::deque<std::shared_ptr<Flight>> orphans_;
};

}  // namespace dfs::client
