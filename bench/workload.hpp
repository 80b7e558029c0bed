// What is done to a peer and measured. Each prepares its keys and values, passes the gate, and
// runs.
#pragma once

#include "bench/order.hpp"
#include "bench/peer.hpp"

namespace dfs::bench {

/// Does the workload that the order names. Throws Unsupported where the peer has no such thing.
Report run(Peer& peer, const Order& order, const Gate& gate);

// Reading, from one held state but for `copy`.

/// Single gets.
Report run_get(Peer& peer, const Order& order, const Gate& gate);
/// The same keys, sixteen at a time; an operation is one key.
Report run_get_many(Peer& peer, const Order& order, const Gate& gate);
/// The newest value of a key, copied.
Report run_copy(Peer& peer, const Order& order, const Gate& gate);
/// A hundred entries in key order from a random key on; an operation is one scan.
Report run_scan(Peer& peer, const Order& order, const Gate& gate);
/// A transaction begun and dropped.
Report run_begin(Peer& peer, const Order& order, const Gate& gate);

// Writing.

/// New keys from `first` on, in random order, kInFlight under way.
Report run_insert(Peer& peer, const Order& order, const Gate& gate);
/// Keys that are there, kInFlight under way.
Report run_update(Peer& peer, const Order& order, const Gate& gate);
/// Keys that are there, one acknowledged set after the other.
Report run_set(Peer& peer, const Order& order, const Gate& gate);
/// Two keys read and written in one transaction.
Report run_transact(Peer& peer, const Order& order, const Gate& gate);

}  // namespace dfs::bench
