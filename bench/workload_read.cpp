#include <algorithm>
#include <array>

#include "bench/stopwatch.hpp"
#include "bench/workload.hpp"

namespace dfs::bench {

namespace {

constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kScanned = 100;
/// Enough that no cache holds what they ask for; beyond it they begin anew.
constexpr std::uint64_t kMostQueries = 2'000'000;
/// Of one of several processes, which together ask for enough.
constexpr std::uint64_t kQueriesOfMany = 250'000;

Queries queries_of(const Order& order) {
  Random random(order.seed);
  const std::uint64_t wanted = order.operations > 0 ? order.operations : kQueriesOfMany;
  return {order.shape, Draw(order.distribution, order.keys), std::min(wanted, kMostQueries),
          random};
}

/// What a program does at least with a value: it looks at it.
void look(Report& report, std::string_view value) {
  if (value.empty()) {
    ++report.absent;
  } else {
    report.sum += value.size() + static_cast<unsigned char>(value.front()) +
                  static_cast<unsigned char>(value.back());
  }
}

}  // namespace

Report run_get(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  Report report;
  peer.hold();
  gate();
  if (order.look) {
    measure(order, report, [&](std::uint64_t i) { look(report, peer.get(queries[i])); });
  } else {
    measure(order, report, [&](std::uint64_t i) { report.sum += peer.get(queries[i]).size(); });
  }
  peer.release();
  return report;
}

Report run_get_many(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  const std::span<const std::string_view> all = queries.all();
  std::array<std::string_view, kAtOnce> values;
  Report report;
  peer.hold();
  gate();
  Order groups = order;
  groups.operations = order.operations / kAtOnce;
  measure(groups, report, [&](std::uint64_t i) {
    peer.get_many(all.subspan(i * kAtOnce % (all.size() - kAtOnce + 1), kAtOnce), values);
    for (const std::string_view value : values) look(report, value);
  });
  report.operations *= kAtOnce;
  peer.release();
  return report;
}

Report run_copy(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  Report report;
  std::string value;
  gate();
  measure(order, report, [&](std::uint64_t i) {
    peer.copy(queries[i], value);
    look(report, value);
  });
  return report;
}

Report run_scan(Peer& peer, const Order& order, const Gate& gate) {
  const Queries queries = queries_of(order);
  Report report;
  peer.hold();
  gate();
  measure(order, report, [&](std::uint64_t i) { report.sum += peer.scan(queries[i], kScanned); });
  peer.release();
  return report;
}

Report run_begin(Peer& peer, const Order& order, const Gate& gate) {
  Report report;
  gate();
  measure(order, report, [&](std::uint64_t) { peer.begin(); });
  return report;
}

}  // namespace dfs::bench
