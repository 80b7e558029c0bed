// The reception's answers on the socket: generations, the fate of commits, and what an operator
// asks.
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <numeric>

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"
#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "daemon/holdings.hpp"
#include "daemon/reception.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

// Questions of one client that wait for the disk, or for a compaction: one for each of its threads.
constexpr std::size_t kMaxWaiting = 1024;

boost::json::object compaction_json(const Compactor::Figures& figures) {
  return {{"running", figures.running},           {"records_done", figures.records_done},
          {"records_all", figures.records_all},   {"compactions", figures.compactions},
          {"failures", figures.failures},         {"last_ms", figures.last_ms},
          {"last_took_ms", figures.last_took_ms}, {"longest_stall_us", figures.longest_stall_us}};
}

boost::json::object histogram_json(const Histogram& histogram) {
  boost::json::array buckets;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    const std::uint64_t here = histogram.count_in(i);
    if (here == 0) continue;
    count += here;
    buckets.push_back(boost::json::array{std::uint64_t{1} << i, here});
  }
  return {
      {"count", count}, {"sum", histogram.sum()}, {"max", histogram.max()}, {"buckets", buckets}};
}

boost::json::object writer_json(const Pulse& pulse) {
  const auto name = [](Doing doing) {
    return doing == Doing::working ? "working" : doing == Doing::waiting ? "waiting" : "in_kernel";
  };
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(os::Monotonic::now() - pulse.since());
  return {{"doing", name(pulse.doing())}, {"for_ms", age.count()}};
}

std::int64_t superseded_for_ms(const Generations::Superseded& old) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(os::Monotonic::now() - old.since)
      .count();
}

boost::json::array old_generations_json(const std::vector<Generations::Superseded>& list) {
  boost::json::array array;
  for (const Generations::Superseded& old : list) {
    array.push_back(boost::json::object{{"generation", old.number},
                                        {"bytes", old.bytes},
                                        {"superseded_for_ms", superseded_for_ms(old)}});
  }
  return array;
}

boost::json::array held_json(const std::vector<Held>& list) {
  boost::json::array array;
  for (const Held& held : list) {
    boost::json::object one{{"generation", held.generation}, {"snapshots", held.snapshots}};
    if (!held.current) {
      one.emplace("bytes", held.superseded.bytes);
      one.emplace("superseded_for_ms", superseded_for_ms(held.superseded));
    }
    array.push_back(std::move(one));
  }
  return array;
}

}  // namespace

void Reception::send(Client& client, const wire::AdminAnswer& answer, int descriptor) {
  bool first = true;
  for (const auto& packet : wire::encode(answer)) {
    const std::string_view text(reinterpret_cast<const char*>(packet.data()), packet.size());
    const std::span<const int> descriptors =
        first && descriptor >= 0 ? std::span<const int>(&descriptor, 1) : std::span<const int>();
    first = false;
    if (auto sent = os::try_send_packet(client.session->socket(), text, descriptors); !sent) {
      // It has ended, which its socket tells next: no fault of its.
      const int number = sent.error().system_error();
      if (number == EPIPE || number == ECONNRESET) return;
      // It asks and does not read: what it does not take is not kept for it (I8).
      client.session->drop(wire::DropReason::not_reading);
      parts_.news.ring();
      return;
    }
  }
}

void Reception::answer(Client& client, const wire::AdminRequest& request) {
  wire::AdminAnswer answer;
  answer.serial = request.serial;
  std::string text;
  switch (request.kind) {
    case wire::AdminKind::generation: {
      const auto generation = parts_.generations.find(request.argument);
      answer.number = request.argument;
      if (!generation) {
        answer.status = wire::AdminStatus::refused;
        answer.code = errc::snapshot_too_old;
        answer.text = "that generation was given back; take a new snapshot";
        return send(client, answer);
      }
      answer.descriptor = true;
      return send(client, answer, generation->descriptor());
    }
    case wire::AdminKind::resolve:
    case wire::AdminKind::sync:
      if (answer_if_known(client, request)) return;
      if (!may_wait(client, answer)) return;
      // Watched before the second look, so that no publish falls between.
      waiting_.push_back({client.session->identity().connection, request});
      watch_publishes();
      waiting_.back().request.text = {};
      if (request.kind == wire::AdminKind::sync) parts_.syncer.hurry();
      return answer_waiting();
    case wire::AdminKind::compact: {
      if (!client.session->identity().writes) {
        answer.status = wire::AdminStatus::refused;
        answer.code = errc::not_permitted;
        answer.text = "this client may only read; compacting writes";
        return send(client, answer);
      }
      if (!may_wait(client, answer)) return;
      Waiting waiting{client.session->identity().connection, request};
      waiting.request.text = {};
      waiting.request.argument = parts_.compactor.ask();
      waiting_.push_back(waiting);
      return;
    }
    case wire::AdminKind::watch:
      watchers_.add(client.session);
      break;
    case wire::AdminKind::info:
      text = info_json();
      break;
    case wire::AdminKind::clients:
      text = clients_json();
      break;
    case wire::AdminKind::settings:
      text = settings_json();
      break;
    case wire::AdminKind::history:
      text = history_line();
      break;
    case wire::AdminKind::stop:
      if (!may_stop(client.session->identity())) {
        answer.status = wire::AdminStatus::refused;
        answer.code = errc::not_permitted;
        answer.text = "only the daemon's own user, the log's owner and root may stop it";
        return send(client, answer);
      }
      parts_.journal.info("ending: pid " + std::to_string(client.session->identity().pid) +
                          " asked for it");
      ending_ = true;
      break;
  }
  answer.text = text;
  send(client, answer);
}

bool Reception::answer_if_known(Client& client, const wire::AdminRequest& request) {
  wire::AdminAnswer answer;
  answer.serial = request.serial;
  if (request.kind == wire::AdminKind::compact) {
    const Compactor::Ended ended = parts_.compactor.ended(request.argument);
    if (!ended.over) return false;
    if (ended.failure) {
      answer.status = wire::AdminStatus::refused;
      answer.code = ended.failure->code();
      answer.text = ended.failure->text();
    }
    send(client, answer);
    return true;
  }
  if (request.kind == wire::AdminKind::sync) {
    // SYNC POINT: Syncer::watched_. seq_cst: behind `watch`, where this is the second look.
    answer.number = parts_.store.control->page().durable.load(std::memory_order_seq_cst);
    if (answer.number < request.argument) {
      if (parts_.ledger.fate(request.argument) != Fate::not_committed) return false;
      answer.status = wire::AdminStatus::refused;
      answer.code = errc::bad_argument;
      answer.text = "no commit of this store has that sequence";
    }
    send(client, answer);
    return true;
  }
  switch (parts_.ledger.fate(request.argument)) {
    case Fate::in_flight:
      return false;
    case Fate::committed:
      answer.status = wire::AdminStatus::done;
      break;
    case Fate::not_committed:
      answer.status = wire::AdminStatus::not_committed;
      break;
  }
  send(client, answer);
  return true;
}

bool Reception::may_wait(Client& client, wire::AdminAnswer& answer) {
  if (client.waiting < kMaxWaiting) {
    ++client.waiting;
    return true;
  }
  answer.status = wire::AdminStatus::refused;
  answer.code = errc::busy;
  const std::string text = std::to_string(kMaxWaiting) + " questions of this client wait already";
  answer.text = text;
  send(client, answer);
  return false;
}

void Reception::answer_waiting() {
  std::erase_if(waiting_, [this](const Waiting& waiting) {
    const auto found = clients_.find(waiting.connection);
    if (found == clients_.end()) return true;
    if (!answer_if_known(found->second, waiting.request)) return false;
    --found->second.waiting;
    return true;
  });
  watch_publishes();
  for (const Waiting& waiting : waiting_) {
    if (waiting.request.kind == wire::AdminKind::sync) parts_.syncer.hurry();
  }
}

void Reception::watch_publishes() {
  parts_.syncer.watch(!waiting_.empty());
  parts_.writer.watch_publishes(!waiting_.empty() || watchers_.listening());
}

bool Reception::may_stop(const ClientIdentity& identity) const {
  if (identity.uid == 0 || identity.uid == os::effective_user()) return true;
  auto status = os::status_of(parts_.options.store);
  return status && status->uid == identity.uid;
}

std::string Reception::info_json() const {
  const Counters& c = parts_.counters;
  boost::json::array warnings;
  if (auto text = narrowness(parts_.generations.budget(), c.live_bytes); !text.empty()) {
    warnings.emplace_back(text);
  }
  const auto n = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  const index::ControlPage& control = parts_.store.control->page();
  const boost::json::object info{
      {"store", parts_.store.store_id},
      {"path", parts_.options.store},
      {"socket", parts_.options.socket},
      {"pid", os::process_id()},
      {"uid", os::effective_user()},
      {"version", kVersion},
      {"started_ms", started_ms_},
      {"durability", parts_.options.durability == Durability::durable ? "durable" : "written"},
      {"generation", control.current.load(std::memory_order_acquire)},
      {"sequence", parts_.ledger.last_published()},
      {"durable_sequence", control.durable.load(std::memory_order_acquire)},
      {"keys", n(c.live_keys)},
      {"live_bytes", parts_.compactor.garbage().live_records()},
      {"used_bytes", n(c.used_bytes)},
      {"memory_limit", parts_.generations.budget().limit()},
      {"log_bytes", n(c.log_bytes)},
      {"clients", clients_.size()},
      {"commits", n(c.commits)},
      {"records", n(c.records)},
      {"batches", n(c.batches)},
      {"syncs", n(c.syncs)},
      {"refusals", n(c.refusals)},
      {"mismatches", n(c.mismatches)},
      {"conflicts", n(c.conflicts)},
      {"dropped_clients", n(c.dropped_clients)},
      {"compaction", compaction_json(parts_.compactor.figures())},
      {"old_generations", old_generations_json(parts_.generations.superseded())},
      {"received_bytes", n(c.received_bytes)},
      {"limits",
       {{"key_bytes", kMaxKeyBytes},
        {"value_bytes", kMaxValueBytes},
        {"value_depth", kMaxValueDepth},
        {"commit_records", kMaxCommitRecords},
        {"commit_bytes", kMaxCommitBytes},
        {"clients", kMaxClients},
        {"in_flight", kMaxInFlight}}},
      {"warnings", warnings},
      {"writer", writer_json(parts_.pulse)},
      {"dead_bytes", parts_.compactor.garbage().dead()},
      {"sync_us", histogram_json(c.sync_us)},
      {"batch_commits", histogram_json(c.batch_commits)},
      {"batch_bytes", histogram_json(c.batch_bytes)},
  };
  return boost::json::serialize(info);
}

std::string Reception::clients_json() const {
  const Holdable there{parts_.generations.superseded(),
                       parts_.store.control->page().current.load(std::memory_order_acquire)};
  std::unordered_map<std::uint64_t, HoldCounts> counts;
  HoldCounts all{};
  for (const auto& [connection, client] : clients_) {
    HoldCounts& own = counts[connection];
    for (std::size_t slot = 0; slot < kGenerationSlots; ++slot) {
      own.at(slot) = client.session->holds(slot);
      all.at(slot) += own.at(slot);
    }
  }
  boost::json::array list;
  for (const auto& [connection, client] : clients_) {
    const ClientIdentity& identity = client.session->identity();
    const HoldCounts& own = counts[connection];
    const std::uint64_t holds = std::accumulate(own.begin(), own.end(), std::uint64_t{0});
    const Holdings holdings = holdings_of(own, all, there);
    list.push_back(boost::json::object{{"connection", connection},
                                       {"pid", identity.pid},
                                       {"uid", identity.uid},
                                       {"program", identity.program},
                                       {"origin", identity.origin},
                                       {"version", identity.library_version},
                                       {"since_ms", identity.since_ms},
                                       {"writes", identity.writes},
                                       {"snapshots", holds},
                                       {"holds", held_json(holdings.held)},
                                       {"keeps_bytes", holdings.keeps_bytes},
                                       {"frees_bytes", holdings.frees_bytes}});
  }
  return boost::json::serialize(list);
}

std::string Reception::history_line() const {
  const VersionFloors floors = parts_.compactor.floors();
  log::Base base;
  base.gaps = parts_.ledger.gaps();
  // Behind the gaps, so that none of them lies beyond it.
  base.sequence = std::max<std::uint64_t>(parts_.ledger.last_published(), 1);
  base.floor = floors.floor;
  base.restored = floors.restored;
  base.time_ms = os::wall_clock_ms();
  std::string line;
  log::append_base(line, base);
  return line;
}

std::string Reception::settings_json() const {
  const Options& o = parts_.options;
  const auto names = [](const std::vector<Principal>& list) {
    boost::json::array texts;
    for (const Principal& principal : list) texts.emplace_back(principal.text);
    return texts;
  };
  return boost::json::serialize(boost::json::object{
      {"socket", o.socket},
      {"durability", o.durability == Durability::durable ? "durable" : "written"},
      {"sync_interval_ms", o.sync_interval.count()},
      {"compaction_interval_ms", o.compaction_interval.count()},
      {"compaction_garbage", o.compaction_garbage},
      {"feed_retention_ms", o.feed_retention.count()},
      {"snapshot_ttl_ms", o.snapshot_ttl.count()},
      {"idle_exit_ms", o.idle_exit.count()},
      {"memory_limit", o.memory_limit},
      {"queue_bytes", o.queue_bytes},
      {"readers", names(o.readers)},
      {"writers", names(o.writers)},
      {"record_origins", o.record_origins},
      {"log_level", o.log_level},
      {"log_file", o.log_file},
      {"log_file_size", o.log_file_size},
      {"log_file_count", o.log_file_count}});
}

}  // namespace dfs::daemon
