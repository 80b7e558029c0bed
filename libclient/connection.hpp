// One connection to one daemon: the memory it shares with us, and the generations of it that are
// mapped. Snapshots hold it; it outlives its daemon as long as they do.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/index/control_page.hpp"
#include "common/index/snapshot.hpp"
#include "common/os/clock.hpp"
#include "common/os/memory.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/reply_header.hpp"
#include "libclient/channel.hpp"
#include "libclient/enquiries.hpp"
#include "libclient/generation.hpp"
#include "libclient/introduction.hpp"

namespace dfs::client {

class Connection;

/// All the connections that a handle has had. They are freed only together, so that a thread may
/// reach for one that is being retired (`Connection::acquire`); what they map goes earlier.
/// Kept alive by the handle, and by each connection that anything still uses.
struct Household {
  const os::ForkMark mark;
  std::mutex mutex;
  // Guarded by mutex.
  std::vector<std::unique_ptr<Connection>> connections;
  // In a child of fork: itself, so that it is never freed.
  std::shared_ptr<Household> kept;
};

/// Threads: any.
class Connection {
 public:
  /// Begins with one use, its maker's. `household` is the one that owns it.
  Connection(std::shared_ptr<Household> household, Introduction introduction, std::mutex& flights,
             const Bell& bell);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One more use. False where it was retired: then nothing of it may be touched.
  [[nodiscard]] bool acquire() noexcept {
    // Acquire: what was mapped is seen by whoever uses it.
    // SYNC POINT: uses_, with `release`.
    if ((uses_.fetch_add(1, std::memory_order_acquire) & kRetired) == 0) return true;
    release();
    return false;
  }
  void release() noexcept {
    // Release: this use's reads come before the unmapping; acquire: the unmapping after all reads.
    // SYNC POINT: uses_, with `acquire`.
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == (kRetired | 1)) dispose();
  }
  /// One more use for somebody who has one.
  void share() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  /// Gives the maker's use back; nobody acquires it from now on.
  void retire() noexcept {
    uses_.fetch_or(kRetired, std::memory_order_relaxed);  // relaxed: `release` follows
    release();
  }

  // Each requires a use.

  /// Whether its daemon serves the store, and this client.
  [[nodiscard]] bool usable() const noexcept {
    // Death and closed first, and acquire (I2). The others tell of themselves alone: relaxed.
    return index::served(*control_) &&
           reply_header_->dropped.load(std::memory_order_relaxed) == 0 && !channel_->lost();
  }
  [[nodiscard]] const index::ControlPage& control() const noexcept { return *control_; }
  [[nodiscard]] index::Holds holds() const noexcept { return index::Holds(page_->holds); }
  [[nodiscard]] bool forked() const noexcept { return mark_.in_child(); }
  [[nodiscard]] const wire::StoreId& store() const noexcept { return store_; }
  [[nodiscard]] int bell() const noexcept { return introduction_.bell.get(); }
  [[nodiscard]] Enquiries& enquiries() noexcept { return *enquiries_; }
  /// Who only reads has one too, to wait in.
  [[nodiscard]] Channel& channel() noexcept { return *channel_; }
  /// The number that the daemon gave it.
  [[nodiscard]] std::uint64_t number() const noexcept { return introduction_.number; }

  /// One more watcher: the daemon rings this client after publishes from now on, until the last
  /// has ended.
  [[nodiscard]] Result<void> begin_watching(os::Deadline deadline);
  void end_watching() noexcept;

  /// A generation that is mapped, or null.
  [[nodiscard]] const Generation* mapped(std::uint64_t number) const noexcept {
    // SYNC POINT: generations_. Acquire: pairs with the release in `keep`.
    const Generation* found =
        generations_[number % kGenerationSlots].load(std::memory_order_acquire);
    return found != nullptr && found->number() == number ? found : nullptr;
  }
  struct Held {
    const Generation* generation = nullptr;
    std::uint64_t sequence = 0;  ///< the last that was published there
  };
  /// The newest generation that is mapped and stands, held; none where none is.
  [[nodiscard]] Held hold_newest_mapped();
  /// A generation, asking for it where it is not mapped. Requires: it is held.
  [[nodiscard]] Result<const Generation*> fetch(std::uint64_t number, os::Deadline deadline);
  /// A larger mapping of the same, where the mapping was outgrown. Requires: it is held.
  [[nodiscard]] Result<void> enlarge(const Generation& generation);
  /// Another mapping of the same; `apart`, for one snapshot alone.
  [[nodiscard]] Result<std::unique_ptr<Generation>> map_again(const Generation& generation,
                                                              bool apart);

 private:
  static constexpr std::uint64_t kRetired = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kDisposed = std::uint64_t{1} << 62;

  void dispose() noexcept;
  void drop_unheld();
  [[nodiscard]] const Generation* keep(std::unique_ptr<Generation> generation);

  std::atomic<std::uint64_t> uses_{1};

  // Constant until disposed of.
  std::shared_ptr<Household> household_;
  const os::ForkMark& mark_;
  Introduction introduction_;
  const wire::StoreId store_;
  const index::ControlPage* control_;
  wire::ClientPage* page_;
  const wire::ReplyHeader* reply_header_;
  std::optional<Enquiries> enquiries_;
  std::optional<Channel> channel_;

  // Written under mapping_, read by all.
  std::array<std::atomic<const Generation*>, kGenerationSlots> generations_{};
  std::mutex mapping_;
  // Guarded by mapping_.
  std::vector<std::unique_ptr<Generation>> mapped_;

  std::mutex watching_;
  std::uint64_t watchers_ = 0;  // guarded by watching_
};

}  // namespace dfs::client
