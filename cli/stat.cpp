#include "cli/stat.hpp"

#include <dfs/admin.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/json_text.hpp"
#include "cli/opening.hpp"

namespace dfs::cli {

namespace {

std::uint64_t whole(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// How often something was below which power of two, and its sum and largest.
struct Spread {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t max = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets;  // below, count

  /// What was at most so large in `percent` of the cases: the end of the bucket.
  [[nodiscard]] std::uint64_t at_percent(std::uint64_t percent) const {
    if (count == 0) return 0;
    std::uint64_t seen = 0;
    for (const auto& [below, here] : buckets) {
      seen += here;
      if (seen * 100 >= count * percent) return below;
    }
    return 0;
  }
  [[nodiscard]] std::uint64_t average() const { return count == 0 ? 0 : sum / count; }
};

/// What the daemon tells of itself at one moment.
struct Look {
  std::chrono::steady_clock::time_point at;
  std::uint64_t pid = 0, started_ms = 0;
  std::uint64_t commits = 0, records = 0, batches = 0, syncs = 0;
  std::uint64_t refusals = 0, mismatches = 0, conflicts = 0, compactions = 0;
  std::uint64_t keys = 0, live_bytes = 0, dead_bytes = 0, used_bytes = 0, log_bytes = 0;
  std::uint64_t clients = 0, generations = 1, received_bytes = 0;
  std::uint64_t compacted_ms = 0, longest_stall_us = 0;
  Spread sync_us, batch_commits, batch_bytes;
};

Result<Spread> spread_of(std::string_view object) {
  Spread spread;
  auto found = members(object);
  if (!found) return std::move(found).error();
  for (const Member& member : *found) {
    if (member.name == "count") spread.count = whole(member.value);
    if (member.name == "sum") spread.sum = whole(member.value);
    if (member.name == "max") spread.max = whole(member.value);
    if (member.name != "buckets") continue;
    auto buckets = elements(member.value);
    if (!buckets) return std::move(buckets).error();
    for (const std::string_view bucket : *buckets) {
      auto pair = elements(bucket);
      if (!pair) return std::move(pair).error();
      if (pair->size() == 2) spread.buckets.emplace_back(whole(pair->at(0)), whole(pair->at(1)));
    }
  }
  return spread;
}

Result<void> take_spread(const Member& member, Look& look) {
  const std::array<std::pair<std::string_view, Spread*>, 3> spreads{
      {{"sync_us", &look.sync_us},
       {"batch_commits", &look.batch_commits},
       {"batch_bytes", &look.batch_bytes}}};
  for (const auto& [name, spread] : spreads) {
    if (member.name != name) continue;
    auto read = spread_of(member.value);
    if (!read) return std::move(read).error();
    *spread = std::move(*read);
  }
  return {};
}

Result<void> take_numbers(std::string_view object, Look& look) {
  const std::array<std::pair<std::string_view, std::uint64_t*>, 19> numbers{
      {{"pid", &look.pid},
       {"started_ms", &look.started_ms},
       {"commits", &look.commits},
       {"records", &look.records},
       {"batches", &look.batches},
       {"syncs", &look.syncs},
       {"refusals", &look.refusals},
       {"mismatches", &look.mismatches},
       {"conflicts", &look.conflicts},
       {"compactions", &look.compactions},
       {"keys", &look.keys},
       {"live_bytes", &look.live_bytes},
       {"dead_bytes", &look.dead_bytes},
       {"used_bytes", &look.used_bytes},
       {"log_bytes", &look.log_bytes},
       {"clients", &look.clients},
       {"received_bytes", &look.received_bytes},
       {"last_ms", &look.compacted_ms},
       {"longest_stall_us", &look.longest_stall_us}}};
  auto found = members(object);
  if (!found) return std::move(found).error();
  for (const Member& member : *found) {
    if (member.name == "compaction") {
      if (auto read = take_numbers(member.value, look); !read) return read;
    }
    if (member.name == "old_generations") {
      auto old = elements(member.value);
      if (!old) return std::move(old).error();
      look.generations = 1 + old->size();
    }
    if (auto read = take_spread(member, look); !read) return read;
    for (const auto& [name, number] : numbers) {
      if (member.name == name) *number = whole(member.value);
    }
  }
  return {};
}

Result<Look> take(const Admin& admin) {
  auto text = admin.info();
  if (!text) return std::move(text).error();
  Look look;
  look.at = std::chrono::steady_clock::now();
  if (auto read = take_numbers(*text, look); !read) return std::move(read).error();
  return look;
}

/// What came between two looks. Another daemon began to count anew.
Look between(const Look& before, const Look& now) {
  if (before.pid != now.pid || before.started_ms != now.started_ms) return now;
  Look since = now;
  since.commits -= before.commits;
  since.records -= before.records;
  since.batches -= before.batches;
  since.syncs -= before.syncs;
  since.refusals -= before.refusals;
  since.mismatches -= before.mismatches;
  since.conflicts -= before.conflicts;
  since.compactions -= before.compactions;
  const auto less = [](Spread& from, const Spread& by) {
    from.count -= by.count;
    from.sum -= by.sum;
    for (auto& [below, here] : from.buckets) {
      for (const auto& [other, count] : by.buckets) {
        if (other == below) here -= count;
      }
    }
  };
  less(since.sync_us, before.sync_us);
  less(since.batch_commits, before.batch_commits);
  less(since.batch_bytes, before.batch_bytes);
  return since;
}

/// A column of the lines, and a member of their JSON.
struct Column {
  std::string_view head;
  std::string_view name;
  std::uint64_t value = 0;
  std::string shown = {};  // where it is not the value
};

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<char, 5> kUnits{'B', 'K', 'M', 'G', 'T'};
  std::size_t unit = 0;
  while (bytes >= 10000 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits.at(unit);
}

std::vector<Column> columns(const Look& since, double seconds) {
  const auto rate = [seconds](std::uint64_t count) {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) / seconds));
  };
  const auto size = [](std::string_view head, std::string_view name, std::uint64_t bytes) {
    return Column{head, name, bytes, bytes_text(bytes)};
  };
  return {{"commit/s", "commits_per_s", rate(since.commits)},
          {"record/s", "records_per_s", rate(since.records)},
          {"refuse/s", "refusals_per_s", rate(since.refusals)},
          {"confl/s", "conflicts_per_s", rate(since.conflicts + since.mismatches)},
          {"sync/s", "syncs_per_s", rate(since.syncs)},
          {"sync_us", "sync_us_average", since.sync_us.average()},
          {"p99_us", "sync_us_p99_below", since.sync_us.at_percent(99)},
          {"batch", "batch_commits_average", since.batch_commits.average()},
          size("queued", "received_bytes", since.received_bytes),
          {"keys", "keys", since.keys},
          size("live", "live_bytes", since.live_bytes),
          size("dead", "dead_bytes", since.dead_bytes),
          size("log", "log_bytes", since.log_bytes),
          {"gens", "generations", since.generations},
          {"clients", "clients", since.clients}};
}

void print_line(const std::vector<Column>& columns, Output& output) {
  for (const Column& column : columns) {
    const std::string text = column.shown.empty() ? std::to_string(column.value) : column.shown;
    const std::size_t width = std::max<std::size_t>(column.head.size(), 6);
    output.text().append(width - std::min(width, text.size()), ' ');
    output.text() += text;
    output.text() += &column == &columns.back() ? '\n' : ' ';
  }
}

void print_heads(const std::vector<Column>& columns, Output& output) {
  for (const Column& column : columns) {
    const std::size_t width = std::max<std::size_t>(column.head.size(), 6);
    output.text().append(width - column.head.size(), ' ');
    output.text() += column.head;
    output.text() += &column == &columns.back() ? '\n' : ' ';
  }
}

void print_json(const std::vector<Column>& columns, Output& output) {
  output.text() += '{';
  for (const Column& column : columns) {
    if (&column != columns.data()) output.text() += ',';
    output.text() += '"';
    output.text() += column.name;
    output.text() += "\":" + std::to_string(column.value);
  }
  output.line("}");
}

void print_spread(std::string_view what, const Spread& spread, Output& output) {
  output.line(std::string(what) + ": " + std::to_string(spread.count) + ", on average " +
              std::to_string(spread.average()) + ", at the most " + std::to_string(spread.max));
  constexpr std::uint64_t kBar = 40;
  for (const auto& [below, count] : spread.buckets) {
    std::string text = "below " + std::to_string(below);
    text.resize(std::max<std::size_t>(text.size(), 22), ' ');
    text += std::to_string(count);
    text.resize(std::max<std::size_t>(text.size(), 32), ' ');
    const std::uint64_t length = count * kBar / std::max<std::uint64_t>(spread.count, 1);
    text += std::string(std::max<std::uint64_t>(length, count > 0 ? 1 : 0), '#');
    output.line("  " + text);
  }
}

void print_totals(const Look& look, Output& output) {
  const auto line = [&output](std::string_view name, const std::string& text) {
    output.line(std::string(name) + ": " + text);
  };
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  line("since the daemon's start", text(look.commits) + " commits of " + text(look.records) +
                                       " records in " + text(look.batches) + " batches, " +
                                       text(look.syncs) + " syncs");
  line("refused", text(look.refusals) + ", of these " + text(look.mismatches) +
                      " by an expectation and " + text(look.conflicts) + " by a conflict");
  line("now",
       text(look.keys) + " keys, " + bytes_text(look.live_bytes) + " live, " +
           bytes_text(look.dead_bytes) + " dead, log " + bytes_text(look.log_bytes) + ", " +
           text(look.generations) + (look.generations == 1 ? " generation, " : " generations, ") +
           text(look.clients) + " connected, " + bytes_text(look.received_bytes) + " queued");
  line("compactions", text(look.compactions) + ", longest stall of the writer " +
                          text(look.longest_stall_us) + " us");
  print_spread("sync, us", look.sync_us, output);
  print_spread("commits of a batch", look.batch_commits, output);
  print_spread("bytes of a batch", look.batch_bytes, output);
}

Result<int> stat_once(const Admin& admin, const Common& common, Output& output) {
  auto look = take(admin);
  if (!look) return std::move(look).error();
  if (!common.json) {
    print_totals(*look, output);
    return 0;
  }
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const double seconds =
      (static_cast<double>(now_ms.count()) - static_cast<double>(look->started_ms)) / 1000;
  print_json(columns(*look, std::max(seconds, 0.001)), output);
  return 0;
}

}  // namespace

Result<int> stat(const StatOptions& options, const Common& common, Output& output) {
  auto store = open_store(common, Purpose::ask);
  if (!store) return std::move(store).error();
  const Admin admin(*store);
  if (!options.interval) return stat_once(admin, common, output);
  auto before = take(admin);
  if (!before) return std::move(before).error();
  // As many lines as a screen commonly has between two lines of heads.
  constexpr std::uint64_t kHeadsEvery = 20;
  for (std::uint64_t line = 0; !options.count || line < *options.count; ++line) {
    std::this_thread::sleep_for(*options.interval);
    auto now = take(admin);
    if (!now) return std::move(now).error();
    const std::chrono::duration<double> seconds = now->at - before->at;
    const std::vector<Column> line_columns =
        columns(between(*before, *now), std::max(seconds.count(), 0.001));
    if (common.json) {
      print_json(line_columns, output);
    } else {
      if (line % kHeadsEvery == 0 && (line == 0 || output.on_terminal())) {
        print_heads(line_columns, output);
      }
      print_line(line_columns, output);
    }
    if (auto written = output.flush(); !written) return std::move(written).error();
    before = std::move(now);
  }
  return 0;
}

}  // namespace dfs::cli
