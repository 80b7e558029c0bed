// One client, as the daemon has it: who it is, the memory shared with it, and the requests it is
// sending.
//
// The one class that touches memory a client may write. Every such touch is under a guard that
// turns SIGBUS into dropping that client, and what is read there is copied once and checked (I7).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "common/os/memory.hpp"
#include "common/os/poller.hpp"
#include "common/os/socket.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/hello.hpp"
#include "common/wire/reply_ring.hpp"
#include "common/wire/request_assembly.hpp"
#include "common/wire/request_ring.hpp"
#include "common/wire/request_word.hpp"
#include "daemon/client_identity.hpp"
#include "daemon/intake.hpp"
#include "daemon/permission.hpp"
#include "daemon/quota.hpp"

namespace dfs::daemon {

/// A request received whole.
struct ReceivedRequest {
  std::uint64_t number = 0;
  wire::Buffer buffer;
};
/// The same of one that came in a single chunk. Its bytes are in the intake.
struct ShortRequest {
  std::uint64_t number = 0;
  std::span<const std::byte> bytes;
};

enum class Received : std::uint8_t {
  nothing,  ///< no more chunks, or no room for a reply: wait for the client
  pause,    ///< this client's turn is over
  request,  ///< one is whole and taken
  refusal,  ///< one was taken to be refused
  dropped,  ///< the client broke the protocol: reason() says how
};

/// Threads: made and read by main; the members under "Writer" by the writer only. Ends when both
/// have let go.
class Session {
 public:
  static Result<std::shared_ptr<Session>> make(ClientIdentity identity, os::Descriptor socket,
                                               const os::ForkMark& mark);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Main.
  [[nodiscard]] const ClientIdentity& identity() const { return identity_; }
  [[nodiscard]] int socket() const { return socket_.get(); }
  /// The descriptors for the answer to hello, behind the control page's, and their names. Called
  /// once; what only the client needs is closed when `sent` is called.
  struct Handover {
    std::vector<int> descriptors;
    std::vector<wire::Descriptor> names;
  };
  [[nodiscard]] Handover handover() const;
  void sent();
  /// Its holds of the generation in a slot, as it says.
  [[nodiscard]] std::uint64_t holds(std::size_t slot) const;
  /// Whether it has watchers, as it says.
  [[nodiscard]] bool watching() const;
  /// Main no longer serves it: the writer lets go between two batches.
  void leave() { leaving_.store(true, std::memory_order_release); }
  [[nodiscard]] bool leaving() const { return leaving_.load(std::memory_order_acquire); }
  /// Why the writer dropped it, or none.
  [[nodiscard]] wire::DropReason dropped() const {
    return dropped_.load(std::memory_order_acquire);
  }

  // Writer.
  [[nodiscard]] int doorbell() const { return doorbell_.fd(); }
  /// What the writer receives with.
  struct Receiving {
    Quota& quota;
    Intake& intake;
    std::size_t budget;     ///< bytes left in this round
    std::size_t count = 0;  ///< of what receive_short has received, also where it met a fault
  };
  /// The next requests, as long as they came in one chunk each and nothing is to be said of them:
  /// all under one guard. Where there are fewer than asked for, `receive` says what comes next.
  /// There is room for their replies behind those to all that were received since `answered`.
  [[nodiscard]] std::size_t receive_short(Receiving& with, std::span<ShortRequest> into);
  /// The next whole request, however it came. `refusal` is filled for Received::refusal. Room as
  /// for receive_short.
  [[nodiscard]] Received receive(Receiving& with, ReceivedRequest& out, wire::Refusal& refusal);
  /// The replies to all that was received are prepared.
  void answered() { promised_ = 0; }
  /// Whether receive() could get on: what a writer looks at before it sleeps.
  [[nodiscard]] bool has_work();
  /// What it has received whole is done with: its quota is given back.
  void done(Quota& quota);
  [[nodiscard]] wire::ReplyProducer& replies() { return replies_; }
  /// Gives the ring space of everything received this round back. After the words were taken.
  void give_back();
  /// Whether it sleeps, or is about to. Behind `release`: one that does not has yet to look.
  [[nodiscard]] bool sleeps() const;
  /// Rings the client if it sleeps.
  void wake();
  /// The same, where it sleeps until there is room in its ring.
  void wake_for_room();
  void drop(wire::DropReason reason);
  /// Lets go of all that was received. Between batches.
  void forget(Quota& quota);
  /// The same, and tells the client that this daemon lives but not for it.
  void end(Quota& quota);

 private:
  struct Memories {
    os::Descriptor client_page;
    os::Descriptor reply_ring;
    os::Descriptor request_ring;
    std::unique_ptr<os::Mapping> client_mapping;
    std::unique_ptr<os::Mapping> reply_mapping;
    std::unique_ptr<os::Mapping> request_mapping;
  };
  static Result<Memories> make_memories(bool writes, const os::ForkMark& mark);
  Session(ClientIdentity identity, os::Descriptor socket, Memories memories, os::Event doorbell,
          os::SocketPair bell);
  [[nodiscard]] wire::Found look(wire::Chunk& chunk);
  [[nodiscard]] std::optional<Received> receive_part(const wire::Chunk& chunk, Quota& quota,
                                                     ReceivedRequest& out, wire::Refusal& refusal);
  [[nodiscard]] Received refuse_chunk(const wire::Chunk& chunk, Quota& quota,
                                      const wire::Refusal& why, wire::Refusal& refusal,
                                      ReceivedRequest& out);
  void promise_reply(std::size_t request_bytes);
  [[nodiscard]] wire::Taking take(std::uint64_t number);
  void settle(Quota& quota);

  // Constant after construction.
  const ClientIdentity identity_;
  const os::Descriptor socket_;
  Memories memories_;
  os::Event doorbell_;
  os::Descriptor bell_;
  os::Descriptor client_bell_;
  wire::ClientPage& page_;

  // Writer thread only.
  wire::RequestConsumer requests_;
  wire::ReplyProducer replies_;
  wire::RequestAssembly assembly_;
  std::size_t charged_ = 0;   // for partial requests; the same as assembly_.bytes() between calls
  std::size_t held_ = 0;      // for whole requests of the batch
  std::size_t promised_ = 0;  // of the reply ring, to requests that are not answered yet
  std::uint64_t to_give_back_ = 0;

  std::atomic<bool> leaving_{false};
  std::atomic<wire::DropReason> dropped_{wire::DropReason::none};
};

}  // namespace dfs::daemon
