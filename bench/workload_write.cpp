#include <algorithm>
#include <array>

#include "bench/stopwatch.hpp"
#include "bench/workload.hpp"

namespace dfs::bench {

namespace {

/// Keys that are asked for before it begins anew; fewer where several processes do it together.
constexpr std::uint64_t kMostQueries = 1'000'000;
constexpr std::uint64_t kQueriesOfMany = 250'000;

Queries queries_of(const Order& order) {
  Random random(order.seed);
  const std::uint64_t wanted = order.operations > 0 ? order.operations : kQueriesOfMany;
  return {order.shape, Draw(order.distribution, order.keys), std::min(wanted, kMostQueries),
          random};
}

/// Times sets that are under way: when each was handed over, the oldest first.
class Window {
 public:
  explicit Window(Report& report) : report_(report) {}

  void handed_over() { begun_[next_++ % begun_.size()] = Clock::now(); }
  void acknowledged(std::size_t count) {
    if (count == 0) return;
    const auto now = Clock::now();
    for (; count > 0; --count)
      report_.latency.add(ns_between(begun_[oldest_++ % begun_.size()], now));
    if (last_ != Clock::time_point()) {
      const double pause = static_cast<double>(ns_between(last_, now)) / 1e6;
      report_.longest_pause_ms = std::max(report_.longest_pause_ms, pause);
    }
    last_ = now;
  }

 private:
  Report& report_;
  std::array<Clock::time_point, kInFlight + 1> begun_;
  std::size_t next_ = 0;
  std::size_t oldest_ = 0;
  Clock::time_point last_;
};

/// Sets `count` keys, `key(i)` each, kInFlight under way.
template <class Key>
void pipeline(Peer& peer, const Order& order, Report& report, std::uint64_t count, const Key& key) {
  const Values values(order.bytes);
  Window window(report);
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!order.timed) {
      peer.submit(key(i), values[i]);
      continue;
    }
    const std::size_t done = peer.submit(key(i), values[i]);
    // What the peer acknowledged within this call may be this set itself.
    window.handed_over();
    window.acknowledged(done);
  }
  const std::size_t rest = peer.drain();
  if (order.timed) window.acknowledged(rest);
  report.operations = count;
  watch.finish(report);
}

}  // namespace

Report run_insert(Peer& peer, const Order& order, const Gate& gate) {
  Random random(order.seed);
  std::string bytes;
  std::vector<std::size_t> ends;
  for (const std::uint32_t number : shuffled(order.first, order.operations, random)) {
    bytes += key_of(order.shape, number);
    ends.push_back(bytes.size());
  }
  Report report;
  gate();
  pipeline(peer, order, report, order.operations, [&](std::uint64_t i) {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(bytes).substr(begin, ends[i] - begin);
  });
  return report;
}

Report run_update(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  Report report;
  gate();
  pipeline(peer, order, report, order.operations, [&](std::uint64_t i) { return queries[i]; });
  return report;
}

Report run_set(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  const Values values(order.bytes);
  Report report;
  gate();
  measure(order, report, [&](std::uint64_t i) { peer.set(queries[i], values[i]); });
  return report;
}

Report run_transact(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  const Values values(order.bytes);
  Report report;
  gate();
  measure(order, report, [&](std::uint64_t i) {
    const std::string_view first = queries[2 * i];
    std::string_view second = queries[2 * i + 1];
    for (std::uint64_t other = 2; second == first; ++other) second = queries[2 * i + other];
    report.attempts += peer.transact({first, second, values[2 * i], values[2 * i + 1]});
  });
  return report;
}

}  // namespace dfs::bench
