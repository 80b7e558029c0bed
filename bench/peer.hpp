// A store that is measured: dfs, or one that it is compared with.
//
// The interface is as narrow as what all of them can do, and lets each do it its best way: views
// where it has views, one round trip where one is enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dfs::bench {

/// Sets that a client has under way at once where it does not wait for each.
inline constexpr std::size_t kInFlight = 1000;

/// Thrown by a peer that cannot do what is asked for.
struct Unsupported : std::runtime_error {
  Unsupported() : std::runtime_error("this peer has no such thing") {}
};

/// How a peer is opened.
struct Opening {
  std::string peer;
  /// Its directory, file or socket; what of these depends on the peer.
  std::string path;
  /// An acknowledged set is on disk. Otherwise the kernel has it.
  bool durable = false;
};

/// Two keys that a transaction reads and then writes.
struct Pair {
  std::string_view first_key;
  std::string_view second_key;
  std::string_view first_value;
  std::string_view second_value;
};

/// One open store. Whatever fails throws. Threads: one at a time.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  /// Holds the store as it is now, for `get` and `scan`.
  virtual void hold() { throw Unsupported(); }
  /// Ends that.
  virtual void release() {}
  /// The value as it was held; empty where there is none. Valid until the next call. Requires:
  /// hold().
  virtual std::string_view get(std::string_view /*key*/) { throw Unsupported(); }
  /// `values[i]` becomes what stands under `keys[i]`. Requires: hold(), one size.
  virtual void get_many(std::span<const std::string_view> /*keys*/,
                        std::span<std::string_view> /*values*/) {
    throw Unsupported();
  }
  /// Looks at `count` entries in key order from `from` on, key and value; answers the sum of their
  /// bytes. Requires: hold().
  virtual std::size_t scan(std::string_view /*from*/, std::size_t /*count*/) {
    throw Unsupported();
  }
  /// The newest value, copied.
  virtual void copy(std::string_view /*key*/, std::string& /*value*/) { throw Unsupported(); }
  /// Begins a transaction that can read, and drops it.
  virtual void begin() { throw Unsupported(); }

  /// Sets a key, and returns when that is acknowledged.
  virtual void set(std::string_view /*key*/, std::string_view /*value*/) { throw Unsupported(); }
  /// Hands a set over, up to kInFlight of them at once, and answers how many earlier ones were
  /// acknowledged meanwhile. Order is kept.
  virtual std::size_t submit(std::string_view /*key*/, std::string_view /*value*/) {
    throw Unsupported();
  }
  /// Waits for all of them; answers how many that were.
  virtual std::size_t drain() { return 0; }
  /// Reads both keys and writes both, all or nothing; answers in how many attempts.
  virtual std::size_t transact(const Pair& /*pair*/) { throw Unsupported(); }

  /// Follows all changes for so long.
  virtual void watch(double /*seconds*/) { throw Unsupported(); }
  /// Rids the store of what is outdated, and returns when that is done.
  virtual void compact() { throw Unsupported(); }
  /// Bytes of memory that the store says it uses for its content; 0 where it does not say.
  virtual std::uint64_t memory() { return 0; }
};

std::unique_ptr<Peer> open_dfs(const Opening& opening);
std::unique_ptr<Peer> open_hash_map(const Opening& opening);
std::unique_ptr<Peer> open_lmdb(const Opening& opening);
std::unique_ptr<Peer> open_redis(const Opening& opening);
std::unique_ptr<Peer> open_sqlite(const Opening& opening);
std::unique_ptr<Peer> open_leveldb(const Opening& opening);
std::unique_ptr<Peer> open_rocksdb(const Opening& opening);
std::unique_ptr<Peer> open_bare(const Opening& opening);

}  // namespace dfs::bench
