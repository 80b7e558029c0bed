#include "cli/watch.hpp"

#include <dfs/watch.hpp>

#include <charconv>
#include <utility>

#include "cli/listing.hpp"
#include "cli/opening.hpp"
#include "common/log/encode.hpp"

namespace dfs::cli {

namespace {

// {"key","version","sequence","time","value"}, as `list` prints a record; "erased":true in place of
// the value, and "position" on the last line of a commit.
void append_change(std::string& out, const Change& change, const Watch& watch) {
  if (!change.erased) {
    append_entry(out, {change.key, change.value, change.version, change.sequence, change.time_ms});
    out.pop_back();
  } else {
    append_entry(out, {change.key, "null", change.version, change.sequence, change.time_ms});
    out.resize(out.rfind("\"value\":"));
    out += "\"erased\":true";
  }
  if (change.last_of_commit) out += ",\"position\":\"" + watch.position().text() + "\"";
  out += "}\n";
}

Result<Position> position_of(const std::string& since, const Store& store) {
  if (auto position = Position::parse(since)) return position;
  std::uint64_t sequence = 0;
  const auto [end, problem] = std::from_chars(since.data(), since.data() + since.size(), sequence);
  if (problem != std::errc() || end != since.data() + since.size()) {
    return Error(errc::bad_argument,
                 "--since takes a position as watch prints it, or a sequence of this store (0: the "
                 "beginning), not " +
                     since);
  }
  return Position(store.snapshot().position().store(), sequence);
}

// What is there, and behind it the position that the changes go on from.
Result<void> print_snapshot(const Snapshot& snapshot, const std::string& prefix, Output& output) {
  const Range range = snapshot.prefix(prefix);
  for (const Entry& entry : range) {
    append_entry(output.text(), entry);
    output.text() += '\n';
    if (!output.large()) continue;
    if (!snapshot.check()) break;
    if (auto written = output.flush(); !written) return written;
  }
  auto good = range.status();
  if (good) good = snapshot.check();
  if (!good) return output.drop(), good;
  output.line("{\"position\":\"" + snapshot.position().text() + "\"}");
  return output.flush();
}

Result<Watch> begin(const Store& store, const WatchOptions& options, Output& output) {
  if (options.snapshot) {
    const Snapshot snapshot = store.snapshot();
    if (auto good = snapshot.check(); !good) return std::move(good).error();
    auto watch = store.watch(options.prefix, snapshot.position());
    if (!watch) return watch;
    if (auto printed = print_snapshot(snapshot, options.prefix, output); !printed) {
      return std::move(printed).error();
    }
    return watch;
  }
  if (!options.since) return store.watch(options.prefix);
  auto after = position_of(*options.since, store);
  if (!after) return std::move(after).error();
  return store.watch(options.prefix, *after);
}

Error with_advice(Error error) {
  if (error != errc::compacted) return error;
  return Error(errc::compacted, std::string(error.text()) + " (dfsctl watch --snapshot)");
}

}  // namespace

Result<int> watch(const WatchOptions& options, const Common& common, Output& output) {
  if (common.transaction != nullptr) {
    return Error(errc::bad_argument, "watch does not go into a transaction");
  }
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  auto watch = begin(*store, options, output);
  if (!watch) return with_advice(std::move(watch).error());
  for (std::uint64_t printed = 0; !options.count || printed < *options.count; ++printed) {
    auto change = watch->next();
    if (!change) return with_advice(std::move(change).error());
    append_change(output.text(), *change, *watch);
    // What a generation that was revoked gave is never written.
    if (auto good = watch->check(); !good) return std::move(good).error();
    if (auto written = output.flush(); !written) return std::move(written).error();
  }
  return 0;
}

}  // namespace dfs::cli
