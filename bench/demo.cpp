// The demonstration: processes that read, write and move money in one store at once, while its
// daemon is killed.
//
// Each process opens the store for itself, as unrelated programs would. At the end the parent
// checks what must hold, and prints what was seen: it fails where a promise was broken.
#include <dfs/store.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <deque>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAccounts = 64;
constexpr std::int64_t kEach = 1000;
constexpr std::size_t kInFlight = 256;

/// What one process did.
struct Report {
  std::uint64_t reads = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t commits = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t refused = 0;
  std::uint64_t stale = 0;
  std::uint64_t wrong = 0;
  std::uint64_t longest_wait_us = 0;
};

std::string account(int n) {
  std::string digits = std::to_string(n);
  return "account/" + std::string(3 - digits.size(), '0') + digits;
}

std::int64_t number(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

dfs::Store open_store(const std::string& path, const char* origin) {
  dfs::Options options;
  options.origin = origin;
  options.timeout = std::chrono::seconds(20);
  options.wait_for_daemon = std::chrono::seconds(20);
  return dfs::Store::open(path, options).value();
}

/// Sums every account in one snapshot.
std::int64_t sum_of(const dfs::Snapshot& snapshot) {
  std::int64_t sum = 0;
  for (const dfs::Entry& entry : snapshot.prefix("account/")) sum += number(entry.value);
  return sum;
}

Report read_packages(const std::string& path, Clock::time_point until) {
  Report report;
  const dfs::Store store = open_store(path, "reader");
  std::vector<std::string> keys;
  const dfs::Snapshot first = store.snapshot();
  for (const dfs::Entry& entry : first.prefix("package/")) keys.emplace_back(entry.key);
  std::mt19937_64 random(std::random_device{}());
  while (Clock::now() < until) {
    const dfs::Snapshot snapshot = store.snapshot();
    ++report.snapshots;
    if (snapshot.stale()) ++report.stale;
    for (int i = 0; i < 1000; ++i) {
      if (!snapshot.get(keys[random() % keys.size()])) ++report.wrong;
      ++report.reads;
    }
    if (sum_of(snapshot) != kAccounts * kEach) ++report.wrong;
  }
  return report;
}

Report write_counters(const std::string& path, int writer, Clock::time_point until) {
  Report report;
  dfs::Store store = open_store(path, "writer");
  const std::string key = "counter/" + std::to_string(writer);
  std::deque<dfs::Pending> in_flight;
  std::uint64_t submitted = 0;
  const auto finish_one = [&] {
    const auto begin = Clock::now();
    if (auto done = in_flight.front().wait(); done) {
      ++report.commits;
    } else {
      ++report.refused;
    }
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    report.longest_wait_us =
        std::max(report.longest_wait_us, static_cast<std::uint64_t>(waited.count()));
    in_flight.pop_front();
  };
  while (Clock::now() < until) {
    in_flight.push_back(store.submit(dfs::Batch().set(key, std::to_string(++submitted))));
    if (in_flight.size() >= kInFlight) finish_one();
  }
  while (!in_flight.empty()) finish_one();
  return report;
}

Report move_money(const std::string& path, int mover, Clock::time_point until) {
  Report report;
  dfs::Store store = open_store(path, "mover");
  const std::string moves = "moves/" + std::to_string(mover);
  std::mt19937_64 random(std::random_device{}());
  while (Clock::now() < until) {
    const std::string from = account(static_cast<int>(random() % kAccounts));
    const std::string to = account(static_cast<int>(random() % kAccounts));
    std::uint64_t attempts = 0;
    auto moved = store.transact([&](dfs::Transaction& tx) {
      ++attempts;
      auto a = tx.get(from);
      auto b = tx.get(to);
      auto n = tx.get(moves);
      if (!a || !b || from == to) return;
      const std::int64_t amount =
          std::min<std::int64_t>(number(a->value), static_cast<std::int64_t>(random() % 10));
      const std::int64_t have = number(a->value) - amount;
      const std::int64_t get = number(b->value) + amount;
      tx.set(from, std::to_string(have)).set(to, std::to_string(get));
      tx.set(moves, std::to_string((n ? number(n->value) : 0) + 1));
    });
    report.conflicts += attempts - 1;
    if (moved && moved->sequence != 0) ++report.commits;
    if (!moved) ++report.refused;
  }
  return report;
}

int failures = 0;
void check(bool holds, const std::string& claim) {
  std::printf("  %s  %s\n", holds ? "holds " : "BROKEN", claim.c_str());
  if (!holds) ++failures;
}

/// Makes the accounts, all in one commit.
int prepare(const std::string& path) {
  dfs::Store store = open_store(path, "demo");
  dfs::Batch accounts;
  for (int i = 0; i < kAccounts; ++i) accounts.set(account(i), std::to_string(kEach));
  static_cast<void>(store.submit(accounts).wait().value());
  return 0;
}

/// A line that a process left behind: `ROLE NUMBER` and its figures.
struct Line {
  std::string role;
  int number = 0;
  Report report;
};

void print(const Line& line) {
  const Report& r = line.report;
  std::cout << line.role << ' ' << line.number << ' ' << r.reads << ' ' << r.snapshots << ' '
            << r.commits << ' ' << r.conflicts << ' ' << r.refused << ' ' << r.stale << ' '
            << r.wrong << ' ' << r.longest_wait_us << '\n';
}

std::vector<Line> read_lines(std::istream& in) {
  std::vector<Line> lines;
  Line l;
  while (in >> l.role >> l.number >> l.report.reads >> l.report.snapshots >> l.report.commits >>
         l.report.conflicts >> l.report.refused >> l.report.stale >> l.report.wrong >>
         l.report.longest_wait_us) {
    lines.push_back(l);
  }
  return lines;
}

/// Prints what the processes did, and whether what must hold holds.
int judge(const std::string& path, double seconds, std::size_t started) {
  const std::vector<Line> lines = read_lines(std::cin);
  Report all;
  std::printf("  %-26s %12s %10s %10s %10s %8s\n", "process", "reads", "commits", "conflicts",
              "refused", "stale");
  for (const Line& line : lines) {
    const Report& r = line.report;
    std::printf(
        "  %-26s %12llu %10llu %10llu %10llu %8llu\n",
        (line.role + " " + std::to_string(line.number)).c_str(),
        static_cast<unsigned long long>(r.reads), static_cast<unsigned long long>(r.commits),
        static_cast<unsigned long long>(r.conflicts), static_cast<unsigned long long>(r.refused),
        static_cast<unsigned long long>(r.stale));
    all.reads += r.reads;
    all.commits += r.commits;
    all.wrong += r.wrong;
    all.longest_wait_us = std::max(all.longest_wait_us, r.longest_wait_us);
  }
  std::printf(
      "\n  %.0f reads and %.0f durable commits a second; longest wait of a writer, over the kill: "
      "%.0f ms\n\n",
      static_cast<double>(all.reads) / seconds, static_cast<double>(all.commits) / seconds,
      static_cast<double>(all.longest_wait_us) / 1000);
  const dfs::Store store = open_store(path, "demo");
  const dfs::Snapshot snapshot = store.snapshot();
  check(lines.size() == started, std::to_string(lines.size()) + " of " + std::to_string(started) +
                                     " processes went on to their end");
  check(all.wrong == 0, "no snapshot ever missed a package or showed a wrong sum of accounts");
  check(sum_of(snapshot) == kAccounts * kEach,
        "the accounts still hold " + std::to_string(kAccounts * kEach));
  for (const Line& line : lines) {
    const std::string n = std::to_string(line.number);
    if (line.role == "writer") {
      const auto counter = snapshot.get("counter/" + n);
      const std::uint64_t version = counter ? counter->version : 0;
      check(version == line.report.commits,
            "counter " + n + " changed " + std::to_string(version) + " times, for " +
                std::to_string(line.report.commits) + " acknowledged sets: none lost, none twice");
    } else if (line.role == "mover") {
      const auto moves = snapshot.get("moves/" + n);
      const std::int64_t count = moves ? number(moves->value) : 0;
      check(count == static_cast<std::int64_t>(line.report.commits),
            "mover " + n + " counted " + std::to_string(count) + " moves, for " +
                std::to_string(line.report.commits) + " acknowledged transactions");
    }
  }
  return failures == 0 ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    std::cerr << "usage: dfs-demo prepare|judge|reader|writer|mover STORE.db [NUMBER SECONDS]\n";
    return 2;
  }
  const std::string& role = arguments[0];
  const std::string& path = arguments[1];
  if (role == "prepare") return prepare(path);
  const int which = arguments.size() > 2 ? static_cast<int>(number(arguments[2])) : 0;
  const auto seconds = std::chrono::seconds(arguments.size() > 3 ? number(arguments[3]) : 5);
  if (role == "judge")
    return judge(path, static_cast<double>(seconds.count()), static_cast<std::size_t>(which));
  const auto until = Clock::now() + seconds;
  Line line{role, which, {}};
  if (role == "reader") line.report = read_packages(path, until);
  if (role == "writer") line.report = write_counters(path, which, until);
  if (role == "mover") line.report = move_money(path, which, until);
  print(line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const dfs::Error& error) {
    std::cerr << "dfs-demo: " << error.what() << '\n';
    return dfs::exit_code(error.code());
  }
}
