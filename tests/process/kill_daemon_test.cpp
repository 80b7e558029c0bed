// kill -9 of the daemon under eight writing clients: what was acknowledged is there, nothing is
// half there, what is recovered is a prefix, and what became of a commit whose reply was lost is
// told rightly. A process that only reads follows.
#include <dfs/store.hpp>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/tagged_writer.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kWriters = 8;

/// What a reader saw in the snapshot that it took when it was told of a daemon's first commit.
struct Sighting {
  std::uint64_t told = 0;  ///< the sequence it was told of
  std::uint64_t seen = 0;  ///< its snapshot's
  bool stale = false;
};

struct ReaderBoard {
  std::atomic<std::uint64_t> live;
  std::atomic<std::uint64_t> stale;
};

Store open_for_reading(const std::string& path) {
  Options options;
  options.read_only = true;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(120);
  options.wait_for_daemon = options.timeout;
  return need(Store::open(path, options), "open");
}

/// Every snapshot holds each tagged commit whole.
void require_whole(const Snapshot& snapshot) {
  for (int writer = 0; writer < kWriters; ++writer) {
    const std::string name = "w" + std::to_string(writer);
    const auto a = snapshot.get(name + "/a");
    const auto b = snapshot.get(name + "/b");
    require(a.has_value() == b.has_value(), "both keys of a commit are there, or none");
    if (!a) {
      require(a.error() == errc::absent, "a miss is absent: " + std::string(a.error().text()));
      require(b.error() == errc::absent, "a miss is absent: " + std::string(b.error().text()));
      continue;
    }
    int of_a = 0;
    int of_b = 0;
    std::uint64_t number_a = 0;
    std::uint64_t number_b = 0;
    require(parse_tag(std::string(a->value), of_a, number_a) &&
                parse_tag(std::string(b->value.substr(0, 64)), of_b, number_b),
            "values are as they were written");
    require(of_a == writer && of_b == writer && number_a == number_b &&
                a->sequence == b->sequence && a->version == b->version,
            "a commit is seen whole");
  }
}

/// Takes snapshots without end: each holds what was acknowledged before, or says that it is stale.
void run_reader(const std::string& path, const TaggedBoard& board, ReaderBoard& counts) {
  const Store store = open_for_reading(path);
  std::uint64_t last = 0;
  while (!board.stopping) {
    const std::uint64_t acknowledged = board.announced;
    const Snapshot snapshot = store.snapshot();
    require(snapshot.sequence() >= last, "time does not go back");
    last = snapshot.sequence();
    if (snapshot.stale()) {
      ++counts.stale;
      ::poll(nullptr, 0, 1);  // leaves the processor to the daemon that is starting
    } else {
      ++counts.live;
      require(last >= acknowledged, "a live snapshot at " + std::to_string(last) + " lacks " +
                                        std::to_string(acknowledged) +
                                        ", acknowledged before it was taken");
    }
    require_whole(snapshot);
  }
}

/// Sleeps until it is told of a daemon's first commit, and then takes one snapshot.
void run_sleeper(const std::string& path, const TaggedPipes& pipes,
                 const MessagePipe<Sighting>& sightings) {
  const Store store = open_for_reading(path);
  for (;;) {
    Sighting sighting;
    sighting.told = pipes.first.receive();
    const Snapshot snapshot = store.snapshot();
    sighting.seen = snapshot.sequence();
    sighting.stale = snapshot.stale();
    require_whole(snapshot);
    sightings.send(sighting);
  }
}

/// Eight writers, two readers, and the store they share; the daemons are the test's, or started by
/// the writers.
class Company {
 public:
  Company(std::string path, bool starts_daemon, bool large = false) : path_(std::move(path)) {
    board_->ring_at = UINT64_MAX;
    constexpr std::array<std::size_t, kWriters> kDepths{1, 1, 4, 16, 1, 1, 1, 4};
    for (int i = 0; i < kWriters; ++i) {
      TaggedSettings settings;
      settings.path = path_;
      settings.number = i;
      settings.depth = kDepths[static_cast<std::size_t>(i)];
      settings.patient = is_patient(i);
      settings.starts_daemon = starts_daemon;
      if (large) {
        settings.large_every = 2;
        settings.large_bytes = 1'000'000;
      }
      writers_.emplace_back("writer " + std::to_string(i),
                            [this, settings] { TaggedWriter(settings, *board_, pipes_).run(); });
    }
    readers_.emplace_back("reader", [this] { run_reader(path_, *board_, *reading_); });
    readers_.emplace_back("sleeper", [this] { run_sleeper(path_, pipes_, sightings_); });
  }

  [[nodiscard]] TaggedBoard& board() { return *board_; }

  /// Waits until the sleeper has seen the latest daemon's first acknowledged commit.
  [[nodiscard]] Sighting next_sighting() {
    while (!sightings_.readable(1000)) {
      for (const ClientProcess& client : writers_) require(!client.ended(), "a writer has ended");
      for (const ClientProcess& client : readers_) require(!client.ended(), "a reader has ended");
    }
    return sightings_.receive();
  }
  /// Waits until so many more commits were acknowledged.
  void wait_for_answers(std::uint64_t more) {
    const std::uint64_t target = board_->answers + more;
    board_->ring_at = target;
    while (board_->answers < target && !pipes_.reached.readable(100)) {
      for (const ClientProcess& client : writers_) require(!client.ended(), "a writer has ended");
    }
    while (pipes_.reached.poll()) {
    }
  }
  /// From now on sequences from `sequence` on are a new daemon's.
  void expect_successor(std::uint64_t sequence) { board_->successor_from = sequence; }

  /// Lets everybody finish, and checks the sheets against a log.
  void finish() {
    board_->stopping = true;
    for (ClientProcess& writer : writers_) writer.expect_done();
    readers_.front().expect_done();
    EXPECT_FALSE(readers_.back().ended());
    readers_.clear();
  }
  void expect_log_has_all(const LogContents& log) {
    const TaggedLog tagged(log);
    for (int i = 0; i < kWriters; ++i) {
      const TaggedSheet& sheet = board_->sheets[static_cast<std::size_t>(i)];
      EXPECT_EQ(sheet.answered, sheet.begun);
      EXPECT_EQ(tagged.count(i), sheet.begun) << "writer " << i;
      tagged.expect_told(i, sheet);
      if (is_ordered(i)) {
        EXPECT_TRUE(tagged.in_order(i)) << "writer " << i;
      }
    }
    log.expect_versions_rise_by_one();
  }
  /// While nobody serves: what was acknowledged is in the log. How many commits were under way that
  /// are not.
  std::uint64_t expect_log_has_acknowledged(const LogContents& log) {
    std::array<std::uint64_t, kWriters> begun{};
    const TaggedLog tagged(log);
    std::uint64_t lost = 0;
    for (int i = 0; i < kWriters; ++i) {
      const TaggedSheet& sheet = board_->sheets[static_cast<std::size_t>(i)];
      begun[static_cast<std::size_t>(i)] = sheet.begun;
      tagged.expect_told(i, sheet);
      if (is_ordered(i)) {
        EXPECT_TRUE(tagged.in_order(i)) << "writer " << i;
      }
      lost += begun[static_cast<std::size_t>(i)] - tagged.count(i);
    }
    return lost;
  }

  struct Totals {
    std::uint64_t commits = 0;
    std::uint64_t resolved_committed = 0;
    std::uint64_t resolved_not_committed = 0;
    std::uint64_t not_written = 0;
  };
  [[nodiscard]] Totals totals() {
    Totals totals;
    for (const TaggedSheet& sheet : board_->sheets) {
      totals.commits += sheet.answered;
      totals.resolved_committed += sheet.resolved_committed;
      totals.resolved_not_committed += sheet.resolved_not_committed;
      totals.not_written += sheet.not_written;
    }
    return totals;
  }
  [[nodiscard]] const ReaderBoard& reading() { return *reading_; }

 private:
  static bool is_patient(int writer) { return writer < 5; }
  /// One that keeps several in flight and submits what failed again by itself reorders them.
  static bool is_ordered(int writer) { return writer < 7; }

  const std::string path_;
  const SharedMemory<TaggedBoard> board_;
  const SharedMemory<ReaderBoard> reading_;
  const TaggedPipes pipes_;
  const MessagePipe<Sighting> sightings_;
  std::vector<ClientProcess> writers_;
  std::vector<ClientProcess> readers_;
};

/// What the daemons of a store left behind, from death to death: each log begins with the last.
class Deaths {
 public:
  /// Reads the log of a dead daemon.
  LogContents examine(const std::string& path) {
    LogContents log = LogContents::at(path);
    EXPECT_TRUE(log.recovery().usable()) << log.recovery().reason;
    expect_prefix(log);
    left_.emplace_back(log.good().size(), std::hash<std::string_view>()(log.good()));
    torn_ += log.recovery().kind == log::RecoveryKind::cut ? 1 : 0;
    return log;
  }
  /// What a dead daemon's log held is what its successors' begin with.
  void expect_prefix(const LogContents& log) const {
    for (const auto& [size, hash] : left_) {
      ASSERT_LE(size, log.good().size());
      EXPECT_EQ(std::hash<std::string_view>()(log.good().substr(0, size)), hash);
    }
  }
  [[nodiscard]] int torn() const { return torn_; }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> left_;
  int torn_ = 0;
};

/// Waits until the idle daemon has said in the log how far it is synced.
void wait_for_mark(const std::string& path) {
  while (file_bytes(path).find("\n[\"mark\",") == std::string::npos) ::poll(nullptr, 0, 20);
}

void commit_one(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  Store store = need(Store::open(path, options), "open");
  static_cast<void>(need(store.set("first", "1"), "set"));
}

/// Kills daemons at one stop point, again and again, under one company.
void kill_at(const std::string& point, int kills) {
  const Watchdog watchdog("killing at a stop point", 500);
  const TemporaryDirectory directory;
  const std::string path = directory / "stop.db";
  std::mt19937 random(
      static_cast<unsigned>(point.size() * 1000 + static_cast<unsigned char>(point[0])));
  const auto settings = [&](std::uint64_t pass) {
    return DaemonSettings{.program = DFSD_FAULTS,
                          .store = path,
                          .fault = "kill@" + point + ":" + std::to_string(pass)};
  };
  // The first dies behind an idle mark; its first pass is the commit before the mark.
  DaemonProcess daemon = DaemonProcess::serving(settings(2 + random() % 20));
  commit_one(path);
  wait_for_mark(path);
  Company company(path, false);

  Deaths deaths;
  std::uint64_t in_log = 0;      // replies lost of commits that are in the log
  std::uint64_t not_in_log = 0;  // commits under way that are not
  int live_sightings = 0;
  for (int death = 0; death < kills; ++death) {
    // A daemon that dies early may die before its first answer.
    ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
    const LogContents log = deaths.examine(path);
    ASSERT_TRUE(log.recovery().usable());
    if (death == 0) {
      ASSERT_NE(log.good().find("[\"mark\","), std::string_view::npos);
    }
    not_in_log += company.expect_log_has_acknowledged(log);
    if (point == "torn") {
      EXPECT_EQ(log.recovery().kind, log::RecoveryKind::cut);
    }
    if (point == "appended" || point == "synced") in_log += log.last_batch();
    company.expect_successor(log.recovery().next);
    const bool early = random() % 3 == 0;
    const std::uint64_t pass = 1 + random() % (early ? 8U : 40U);
    daemon = DaemonProcess(settings(pass));  // it may die before it says that it serves: no matter
  }
  // The last one lives.
  ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
  const LogContents log = deaths.examine(path);
  company.expect_successor(log.recovery().next);
  daemon = DaemonProcess::serving({.store = path});
  for (Sighting last; last.told < log.recovery().next;) {
    last = company.next_sighting();
    if (!last.stale) {
      ++live_sightings;
      EXPECT_GE(last.seen, last.told);
    }
    if (last.told >= log.recovery().next) {
      EXPECT_FALSE(last.stale);
    }
  }
  company.finish();
  daemon.stop();

  const LogContents whole = LogContents::at(path);
  EXPECT_EQ(whole.recovery().kind, log::RecoveryKind::whole);
  deaths.expect_prefix(whole);
  company.expect_log_has_all(whole);
  const Company::Totals totals = company.totals();
  std::printf(
      "%s: %d deaths, %lu commits; replies lost of %lu in the log and %lu not; callers resolved "
      "%lu committed, %lu not committed, were refused %lu; %d live sightings; %lu live and %lu "
      "stale snapshots\n",
      point.c_str(), kills + 1, totals.commits, in_log, not_in_log, totals.resolved_committed,
      totals.resolved_not_committed, totals.not_written, live_sightings,
      company.reading().live.load(), company.reading().stale.load());
  if (point == "appended" || point == "synced") {
    EXPECT_GE(in_log, static_cast<std::uint64_t>(kills));
    EXPECT_GT(totals.resolved_committed, 0U);
  } else {
    EXPECT_GE(not_in_log, static_cast<std::uint64_t>(kills));
  }
  if (point == "prepared") {
    EXPECT_GT(totals.resolved_not_committed, 0U);
  }
  if (point == "taken") {
    EXPECT_GT(totals.not_written, 0U);
  }
  EXPECT_GT(live_sightings, 0);
  EXPECT_GT(company.reading().live.load(), 0U);
  EXPECT_GT(company.reading().stale.load(), 0U);
}

TEST(kill_daemon, killed_when_it_has_taken_a_request_nothing_of_it_is_there) {
  kill_at("taken", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_replies_are_prepared_they_count_as_not_committed) {
  kill_at("prepared", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_in_the_middle_of_a_write_what_is_torn_was_told_to_nobody) {
  kill_at("torn", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_a_batch_is_appended_its_commits_are_told_to_have_happened) {
  kill_at("appended", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_a_batch_is_synced_its_commits_are_told_to_have_happened) {
  kill_at("synced", scaled("kills", 25, 8));
}

/// Lets a random, short stretch pass: less than a batch, more than an instruction.
void dawdle(std::mt19937& random, unsigned most_us) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(random() % (most_us + 1));
  while (std::chrono::steady_clock::now() < until) {
  }
}

/// Waits until a file is larger than it was: then a write of megabytes is under way.
void wait_for_growth(const std::string& path) {
  const auto before = std::filesystem::file_size(path);
  while (std::filesystem::file_size(path) == before) {
  }
}

struct KillCounts {
  int kills = 0;
  int sightings = 0;
  int torn = 0;
  Company::Totals totals;

  void add(const Company::Totals& more) {
    totals.commits += more.commits;
    totals.resolved_committed += more.resolved_committed;
    totals.resolved_not_committed += more.resolved_not_committed;
    totals.not_written += more.not_written;
  }
  void print(const char* who) const {
    std::printf(
        "%d kills at random, %s restarts: %lu commits, %d torn tails; callers resolved %lu "
        "committed, %lu not committed, were refused %lu; %d first commits of successors seen\n",
        kills, who, totals.commits, torn, totals.resolved_committed, totals.resolved_not_committed,
        totals.not_written, sightings);
  }
};

void expect_live(const Sighting& sighting, KillCounts& counts) {
  EXPECT_FALSE(sighting.stale) << "its daemon lives";
  EXPECT_GE(sighting.seen, sighting.told) << "a successor's first acknowledged commit is seen";
  ++counts.sightings;
}

/// What is special about one of the stores.
enum class Kind : std::uint8_t {
  usual,
  behind_mark,  ///< the first kill comes when an idle mark stands in the log
  large,        ///< batches of megabytes, so that a kill tears one
};

/// One store, killed and started again by the test.
void kill_one_store(int kills, Kind kind, std::mt19937& random, KillCounts& counts) {
  const TemporaryDirectory directory;
  const std::string path = directory / "random.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  if (kind == Kind::behind_mark) {
    commit_one(path);
    wait_for_mark(path);
  }
  Company company(path, false, kind == Kind::large);
  expect_live(company.next_sighting(), counts);
  Deaths deaths;
  for (int kill = 0; kill < kills; ++kill) {
    company.wait_for_answers(1 + random() % (kind == Kind::large ? 30U : 600U));
    if (kind == Kind::large) {
      wait_for_growth(path);
    } else {
      dawdle(random, 1000);
    }
    daemon.kill();
    ++counts.kills;
    LogContents log = deaths.examine(path);
    company.expect_log_has_acknowledged(log);
    if (kind == Kind::behind_mark && kill == 0) {
      EXPECT_NE(log.good().find("[\"mark\","), std::string_view::npos);
    }
    if (kill % 5 == 4) {
      // One more that dies while it starts, or right after.
      daemon = DaemonProcess({.store = path});
      dawdle(random, 30'000);
      daemon.kill();
      log = deaths.examine(path);
      company.expect_log_has_acknowledged(log);
    }
    company.expect_successor(log.recovery().next);
    daemon = DaemonProcess::serving({.store = path});
    Sighting sighting = company.next_sighting();
    // The one that died while it started may have told somebody something.
    while (sighting.told < log.recovery().next) sighting = company.next_sighting();
    expect_live(sighting, counts);
  }
  company.finish();
  daemon.stop();
  const LogContents whole = LogContents::at(path);
  EXPECT_EQ(whole.recovery().kind, log::RecoveryKind::whole);
  deaths.expect_prefix(whole);
  company.expect_log_has_all(whole);
  counts.torn += deaths.torn();
  counts.add(company.totals());
}

TEST(kill_daemon, killed_at_random_and_started_again_nothing_acknowledged_is_lost) {
  const Watchdog watchdog("killing at random", 500);
  std::mt19937 random(4711);
  KillCounts counts;
  const int kills = scaled("kills", 60, 5);
  for (int store = 0; counts.kills < kills; ++store) {
    const Kind kind = store == 0 ? Kind::behind_mark : store == 1 ? Kind::large : Kind::usual;
    kill_one_store(std::min(full_scale() ? 10 : 2, kills - counts.kills), kind, random, counts);
    if (::testing::Test::HasFailure()) break;
  }
  counts.print("the test");
  EXPECT_GE(counts.sightings, counts.kills);
}

/// The daemon that a store's lock file names.
::pid_t serving_pid(const std::string& path) {
  const std::string text = file_bytes(path + ".lock");
  ::pid_t pid = -1;
  if (text.starts_with("pid ")) std::from_chars(text.data() + 4, text.data() + text.size(), pid);
  return pid;
}

/// Makes this process the parent of what its children's children leave behind: daemons that its
/// clients started. All of them end with it.
class Subreaper {
 public:
  Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
  ~Subreaper() {
    if (last_ > 0) end(last_, SIGKILL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  void remember(::pid_t pid) { last_ = pid; }
  /// Ends a daemon and waits for it: its exit code, or 128 and the signal.
  int end(::pid_t pid, int signal) {
    last_ = -1;
    ::kill(pid, signal);
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  ::pid_t last_ = -1;
};

/// One store whose clients start its daemons.
void kill_one_self_started(int kills, std::mt19937& random, KillCounts& counts) {
  const TemporaryDirectory directory;
  const std::string path = directory / "self.db";
  Subreaper daemons;
  Company company(path, true);
  expect_live(company.next_sighting(), counts);
  ::pid_t pid = serving_pid(path);
  daemons.remember(pid);
  for (int kill = 0; kill < kills; ++kill) {
    company.wait_for_answers(1 + random() % 800);
    dawdle(random, 1000);
    // Every unclean stop leaves a gap: where the next daemon's sequences begin.
    const std::uint64_t block = std::uint64_t{1} << 20U;
    const std::uint64_t next = (company.board().announced / block + 1) * block;
    company.expect_successor(next);
    EXPECT_EQ(daemons.end(pid, SIGKILL), 128 + SIGKILL);
    ++counts.kills;
    expect_live(company.next_sighting(), counts);
    pid = serving_pid(path);
    daemons.remember(pid);
  }
  company.finish();
  EXPECT_EQ(daemons.end(pid, SIGTERM), 0);
  const LogContents whole = LogContents::at(path);
  EXPECT_EQ(whole.recovery().kind, log::RecoveryKind::whole);
  company.expect_log_has_all(whole);
  counts.add(company.totals());
}

TEST(kill_daemon, killed_at_random_and_started_by_its_clients_nothing_acknowledged_is_lost) {
  const Watchdog watchdog("killing what clients start", 500);
  std::mt19937 random(1174);
  KillCounts counts;
  const int kills = scaled("kills", 40, 5);
  while (counts.kills < kills) {
    kill_one_self_started(std::min(10, kills - counts.kills), random, counts);
    if (::testing::Test::HasFailure()) break;
  }
  counts.print("the clients'");
  EXPECT_GE(counts.sightings, counts.kills);
}

}  // namespace
}  // namespace dfs::test
