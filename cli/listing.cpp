#include "cli/listing.hpp"

#include <algorithm>

#include "cli/opening.hpp"
#include "common/log/encode.hpp"

namespace dfs::cli {

namespace {

// The first text behind all that begin with `prefix`, by bytes; empty where there is none. It need
// not be a key itself.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

// `source`: a snapshot or a transaction.
template <class Source>
Range range_of(Source& source, const ListOptions& options) {
  if (options.from.empty() && options.to.empty()) return source.prefix(options.prefix);
  const std::string from = std::max(options.from, options.prefix);
  const std::string end = end_of_prefix(options.prefix);
  const bool own_end = !options.to.empty() && (end.empty() || options.to < end);
  return source.range(from, own_end ? options.to : end);
}

// Calls `print` with each entry. What a revoked snapshot gave is never written: its views may have
// turned to NUL bytes, so what has gathered goes out only after a look at the snapshot.
// A transaction's range tells the same by its status.
template <class Print>
Result<void> each_entry(const Snapshot* snapshot, const Range& range, std::uint64_t limit,
                        Output& output, Print&& print) {
  std::uint64_t left = limit;
  if (left > 0) {
    for (const Entry& entry : range) {
      print(entry);
      if (output.large()) {
        if (snapshot != nullptr && !snapshot->check()) break;
        if (auto written = output.flush(); !written) return written;
      }
      if (--left == 0) break;
    }
  }
  auto good = range.status();
  if (good && snapshot != nullptr) good = snapshot->check();
  if (!good) output.drop();
  return good;
}

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

// A snapshot to read from, or nothing where the command is part of a transaction. It keeps alive
// what it needs of the store.
Result<std::optional<Snapshot>> source_of(const Common& common) {
  if (common.transaction != nullptr) return std::optional<Snapshot>();
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  return std::optional<Snapshot>(store->snapshot());
}

}  // namespace

void append_entry(std::string& out, const Entry& entry) {
  out += "{\"key\":";
  log::append_text(out, entry.key);
  out += ",\"version\":" + std::to_string(entry.version);
  out += ",\"sequence\":" + std::to_string(entry.sequence);
  out += ",\"time\":";
  out += entry.time_ms == 0 ? "null" : std::to_string(entry.time_ms);
  out += ",\"value\":";
  out += entry.value;
  out += "}";
}

Result<int> list(const ListOptions& options, const Common& common, Output& output) {
  auto source = source_of(common);
  if (!source) return std::move(source).error();
  const Range range =
      *source ? range_of(**source, options) : range_of(*common.transaction, options);
  const char end = options.zero_end ? '\0' : '\n';
  auto listed =
      each_entry(*source ? &**source : nullptr, options.reverse ? range.reversed() : range,
                 options.limit.value_or(kNoLimit), output, [&](const Entry& entry) {
                   std::string& out = output.text();
                   if (!options.keys) {
                     append_entry(out, entry);
                   } else if (common.json) {
                     log::append_text(out, entry.key);
                   } else {
                     out += entry.key;
                   }
                   out += end;
                 });
  if (!listed) return std::move(listed).error();
  return 0;
}

Result<int> count(const CountOptions& options, const Common& common, Output& output) {
  auto source = source_of(common);
  if (!source) return std::move(source).error();
  const ListOptions all{.prefix = options.prefix, .from = {}, .to = {}, .limit = {}};
  const Range range = *source ? range_of(**source, all) : range_of(*common.transaction, all);
  std::uint64_t counted = 0;
  auto walked = each_entry(*source ? &**source : nullptr, range, kNoLimit, output,
                           [&counted](const Entry&) { ++counted; });
  if (!walked) return std::move(walked).error();
  const std::string number = std::to_string(counted);
  output.line(common.json ? "{\"count\":" + number + "}" : number);
  return 0;
}

Result<int> dump(const DumpOptions& options, const Common& common, Output& output) {
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  const Snapshot snapshot = store->snapshot();
  auto dumped = each_entry(&snapshot, snapshot.prefix(options.prefix), kNoLimit, output,
                           [&output](const Entry& entry) {
                             std::string& out = output.text();
                             out += "{\"key\":";
                             log::append_text(out, entry.key);
                             out += ",\"value\":";
                             out += entry.value;
                             out += "}\n";
                           });
  if (!dumped) return std::move(dumped).error();
  return 0;
}

}  // namespace dfs::cli
