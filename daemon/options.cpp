#include "daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "common/os/file.hpp"
#include "daemon/journal.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

/// A decimal number and the unit behind it.
struct Quantity {
  std::uint64_t number = 0;
  std::string unit;
};

Result<Quantity> parse_quantity(const std::string& text) {
  Quantity q;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, q.number);
  if (error != std::errc() || rest == text.data()) {
    return Error(errc::bad_argument, "'" + text + "' does not begin with a number");
  }
  q.unit.assign(rest, end);
  return q;
}

/// Adds an option whose text is turned into `target` by `parse`; a wrong one ends the parsing with
/// its error.
template <class T, class Parse>
CLI::Option* add(CLI::App& app, const std::string& name, T& target, Parse parse,
                 const std::string& help) {
  return app.add_option_function<std::string>(
      name,
      [name, &target, parse](const std::string& text) {
        auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, std::string(value.error().text()));
        target = *value;
      },
      help);
}

Result<Durability> parse_durability(const std::string& text) {
  if (text == "durable") return Durability::durable;
  if (text == "written") return Durability::written;
  return Error(errc::bad_argument, "'" + text + "' is neither durable nor written");
}

Result<std::string> parse_level(const std::string& text) {
  if (Journal::is_level(text)) return text;
  return Error(errc::bad_argument,
               "'" + text + "' is none of trace, debug, info, warn, error, off");
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  auto q = parse_quantity(text);
  if (!q) return std::move(q).error();
  std::uint64_t factor = 0;
  if (q->unit == "ms") factor = 1;
  if (q->unit == "s") factor = 1000;
  if (q->unit == "m") factor = 60'000;
  if (q->unit == "h") factor = 3'600'000;
  constexpr std::uint64_t kMostMs = std::uint64_t{366} * 24 * 3'600'000;
  if (factor == 0) {
    return Error(errc::bad_argument, "'" + text + "' needs a unit: ms, s, m or h, as in 100ms");
  }
  if (q->number > kMostMs / factor)
    return Error(errc::bad_argument, "'" + text + "' is more than a year");
  return std::chrono::milliseconds(q->number * factor);
}

Result<std::uint64_t> parse_size(const std::string& text) {
  auto q = parse_quantity(text);
  if (!q) return std::move(q).error();
  unsigned shift = 64;
  if (q->unit.empty()) shift = 0;
  if (q->unit == "K") shift = 10;
  if (q->unit == "M") shift = 20;
  if (q->unit == "G") shift = 30;
  if (q->unit == "T") shift = 40;
  if (shift == 64 || q->number > (UINT64_MAX >> shift)) {
    return Error(errc::bad_argument,
                 "'" + text + "' is no size; say 512M or 4G (K, M, G, T), or bytes");
  }
  return q->number << shift;
}

ParsedOptions parse_options(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  Options& o = parsed.options;
  CLI::App app{"dfsd serves one store: it owns the log and publishes its index to every client.",
               "dfsd"};
  app.set_version_flag("--version", "dfsd " + std::string(kVersion));
  app.add_option("STORE", o.store, "the store's log; made if nothing is there")
      ->required()
      ->type_name("STORE.db");
  app.add_option("--socket", o.socket, "where to listen (default: STORE.db.socket)")
      ->type_name("PATH");
  add(app, "--durability", o.durability, parse_durability,
      "what an acknowledged commit survives: durable (power cuts) or written (any crash but the "
      "machine's)")
      ->type_name("durable|written");
  add(app, "--sync-interval", o.sync_interval, parse_duration,
      "written: how often to sync (100ms)");
  add(app, "--compaction-interval", o.compaction_interval, parse_duration,
      "how often to look for garbage (1m)");
  add(app, "--feed-retention", o.feed_retention, parse_duration, "history kept for watchers (10m)");
  add(app, "--snapshot-ttl", o.snapshot_ttl, parse_duration,
      "a younger snapshot is never revoked (60s)");
  add(app, "--memory-limit", o.memory_limit, parse_size, "of shared memory (4G)");
  add(app, "--idle-exit", o.idle_exit, parse_duration,
      "end when no client was connected for so long (never)");
  add(app, "--log-level", o.log_level, parse_level,
      "trace, debug, info, warn, error or off (info)");
  app.add_flag("--record-origins", o.record_origins, "write who made each commit into the log");
  const char* const start = "How a client starts a daemon";
  app.add_flag("--detach", o.detach, "fork, and let the first process end")->group(start);
  app.add_option("--ready-fd", o.ready_fd, "write `ok` or an error there, then close it")
      ->group(start);
  app.add_option("--lock-fd", o.lock_fd, "the store's lock file, locked by the starter")
      ->group(start);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    parsed.finished = true;
    parsed.exit_code = app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    return parsed;
  }
  auto resolved = os::resolve_path(o.store);
  if (!resolved) {
    std::cerr << "dfsd: no store at " << o.store << ": " << resolved.error().text() << "\n";
    parsed.finished = true;
    parsed.exit_code = exit_code(errc::no_store);
    return parsed;
  }
  o.store = *resolved;
  return parsed;
}

}  // namespace dfs::daemon
