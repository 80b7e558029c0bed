// The reception: main's thread, which greets clients, answers what they ask on the socket, and
// never waits for the disk.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/os/poller.hpp"
#include "common/os/socket.hpp"
#include "common/wire/admin.hpp"
#include "common/wire/hello.hpp"
#include "daemon/counters.hpp"
#include "daemon/journal.hpp"
#include "daemon/live_settings.hpp"
#include "daemon/opening.hpp"
#include "daemon/service.hpp"
#include "daemon/session.hpp"
#include "daemon/watchers.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

/// What the reception works with; all of it outlives it.
struct ReceptionParts {
  const Options& options;
  Journal& journal;
  OpenedStore& store;
  Generations& generations;
  Compactor& compactor;
  Ledger& ledger;
  Syncer& syncer;
  Counters& counters;
  Writer& writer;
  const os::ForkMark& mark;
  Service& service;
  LiveSettings& settings;
  const Pulse& pulse;  ///< the writer's
  int listening = -1;
  int signals = -1;
  const os::Event& news;  ///< rung by writer and syncer
};

/// Threads: main only.
class Reception {
 public:
  static Result<std::unique_ptr<Reception>> make(const ReceptionParts& parts);
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  /// Serves until a signal, a client's `stop`, idleness, or the writer ends it.
  void run();

 private:
  /// A connection that has not said hello.
  struct Guest {
    os::Descriptor socket;
    os::Deadline deadline;
  };
  struct Client {
    std::shared_ptr<Session> session;
    os::Descriptor process;   ///< a pidfd
    std::size_t waiting = 0;  ///< of its questions, in waiting_
  };
  /// An answer that waits: resolve for its batch, sync for the disk.
  struct Waiting {
    std::uint64_t connection = 0;
    wire::AdminRequest request;
  };

  Reception(const ReceptionParts& parts, os::Poller poller);
  void on_ready(const os::Ready& ready);
  void accept_some();
  void take_signal();
  void reload();
  void greet(std::uint64_t id);
  /// Why who connected may not, or nothing.
  [[nodiscard]] std::string refusal_of(const os::Peer& peer, bool wants_write) const;
  void admit(Guest guest, const wire::Hello& hello, os::Peer peer);
  void turn_away(const Guest& guest, wire::HelloStatus status, std::string_view text);
  void dismiss_late_guests();
  void serve(std::uint64_t connection);
  void leave(std::uint64_t connection, std::string_view why);
  void take_news();
  [[nodiscard]] bool idle_too_long() const;
  [[nodiscard]] os::Deadline next_deadline() const;

  void answer(Client& client, const wire::AdminRequest& request);
  [[nodiscard]] bool answer_if_known(Client& client, const wire::AdminRequest& request);
  /// Counts one more question that waits; with too many of them says so (I8).
  [[nodiscard]] bool may_wait(Client& client, wire::AdminAnswer& answer);
  void send(Client& client, const wire::AdminAnswer& answer, int descriptor = -1);
  void answer_waiting();
  void watch_publishes();
  [[nodiscard]] std::string info_json() const;
  [[nodiscard]] std::string clients_json() const;
  [[nodiscard]] std::string settings_json() const;
  [[nodiscard]] std::string history_line() const;
  [[nodiscard]] bool may_stop(const ClientIdentity& identity) const;

  // Constant after construction.
  const ReceptionParts parts_;
  const std::uint64_t most_guests_;
  const std::uint64_t started_ms_;

  os::Poller poller_;
  std::map<std::uint64_t, Guest> guests_;  // by number, so the first is the oldest
  std::unordered_map<std::uint64_t, Client> clients_;
  std::deque<Waiting> waiting_;
  Watchers watchers_;
  std::uint64_t next_guest_ = 1;
  std::uint64_t next_connection_ = 1;
  bool ending_ = false;
  bool deaf_ = false;  // no descriptors left: the listening socket is left alone for a while
  os::Deadline deaf_until_ = os::Deadline::never();
  os::Monotonic::time_point last_client_at_;
};

}  // namespace dfs::daemon
