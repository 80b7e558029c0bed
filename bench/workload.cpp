#include "bench/workload.hpp"

#include <utility>

#include "bench/stopwatch.hpp"

namespace dfs::bench {

namespace {

Report run_compact(Peer& peer, const Order& /*order*/, const Gate& gate) {
  gate();
  Report report;
  const Stopwatch watch;
  peer.compact();
  report.operations = 1;
  watch.finish(report);
  return report;
}

Report run_memory(Peer& peer, const Order& /*order*/, const Gate& gate) {
  gate();
  Report report;
  report.memory = peer.memory();
  return report;
}

/// Connected, and still.
Report run_nothing(Peer& /*peer*/, const Order& /*order*/, const Gate& gate) {
  gate();
  return {};
}

/// Watches, while nothing happens or others write.
Report run_watch(Peer& peer, const Order& order, const Gate& gate) {
  gate();
  peer.watch(order.seconds);
  return {};
}

}  // namespace

Report run(Peer& peer, const Order& order, const Gate& gate) {
  using Workload = Report (*)(Peer&, const Order&, const Gate&);
  constexpr std::pair<std::string_view, Workload> kWorkloads[] = {
      {"get", run_get},       {"get_many", run_get_many}, {"copy", run_copy},
      {"scan", run_scan},     {"begin", run_begin},       {"insert", run_insert},
      {"update", run_update}, {"set", run_set},           {"transact", run_transact},
      {"memory", run_memory}, {"compact", run_compact},   {"nothing", run_nothing},
      {"watch", run_watch}};
  for (const auto& [name, workload] : kWorkloads) {
    if (name == order.workload) return workload(peer, order, gate);
  }
  throw std::runtime_error("no workload " + order.workload);
}

}  // namespace dfs::bench
