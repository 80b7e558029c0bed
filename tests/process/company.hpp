// Eight writers and two readers of one store whose daemons are killed, and what must be true of its
// log between two daemons and at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/company_readers.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/tagged_log.hpp"
#include "tests/process/tagged_writer.hpp"

namespace dfs::test {

struct CompanySettings {
  std::string path;
  bool starts_daemons = false;  ///< the writers do, and not the test
  bool large = false;           ///< every other commit has a megabyte
  TaggedKeys keys = TaggedKeys::same;
};

/// Eight writers, two readers, and the store they share; the daemons are the test's, or started by
/// the writers.
class Company {
 public:
  explicit Company(CompanySettings chosen) : settings_(std::move(chosen)) {
    board_->ring_at = UINT64_MAX;
    constexpr std::array<std::size_t, kTaggedWriters> kDepths{1, 1, 4, 16, 1, 1, 1, 4};
    for (int i = 0; i < kWriters; ++i) {
      TaggedSettings settings;
      settings.path = settings_.path;
      settings.keys = settings_.keys;
      settings.rest_ms = settings_.keys == TaggedKeys::own_each ? 2 : 0;
      settings.number = i;
      settings.depth = kDepths[static_cast<std::size_t>(i)];
      settings.patient = is_patient(i);
      settings.starts_daemon = settings_.starts_daemons;
      if (settings_.large) {
        settings.large_every = 2;
        settings.large_bytes = 1'000'000;
      }
      writers_.emplace_back("writer " + std::to_string(i),
                            [this, settings] { TaggedWriter(settings, *board_, pipes_).run(); });
    }
    const ReaderSettings reading{settings_.path, settings_.keys};
    readers_.emplace_back("reader", [this, reading] { run_reader(reading, *board_, *reading_); });
    readers_.emplace_back("sleeper",
                          [this, reading] { run_sleeper(reading, *board_, pipes_, sightings_); });
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

  /// Lets everybody finish.
  void finish() {
    board_->stopping = true;
    for (ClientProcess& writer : writers_) writer.expect_done();
    readers_.front().expect_done();
    EXPECT_FALSE(readers_.back().ended());
    readers_.clear();
  }
  /// Checks the sheets against the log that the last daemon has left.
  void expect_log_has_all(const LogContents& log) {
    EXPECT_EQ(log.recovery().kind, log::RecoveryKind::whole);
    const TaggedLog tagged(log, settings_.keys);
    for (int i = 0; i < kWriters; ++i) {
      const TaggedSheet& sheet = board_->sheets[static_cast<std::size_t>(i)];
      EXPECT_EQ(sheet.answered, sheet.begun);
      EXPECT_EQ(tagged.count(i), sheet.begun) << "writer " << i;
      tagged.expect_told(i, sheet);
      if (is_ordered(i)) {
        EXPECT_TRUE(tagged.in_order(i)) << "writer " << i;
      }
    }
    if (settings_.keys == TaggedKeys::same) log.expect_versions_rise_by_one();
  }
  /// While nobody serves: what was acknowledged is in the log. How many commits were under way that
  /// are not.
  std::uint64_t expect_log_has_acknowledged(const LogContents& log) {
    std::array<std::uint64_t, kWriters> begun{};
    const TaggedLog tagged(log, settings_.keys);
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
  static constexpr int kWriters = static_cast<int>(kTaggedWriters);

  static bool is_patient(int writer) { return writer < 5; }
  /// One that keeps several in flight and submits what failed again by itself reorders them.
  static bool is_ordered(int writer) { return writer < 7; }

  const CompanySettings settings_;
  const SharedMemory<TaggedBoard> board_;
  const SharedMemory<ReaderBoard> reading_;
  const TaggedPipes pipes_;
  const MessagePipe<Sighting> sightings_;
  std::vector<ClientProcess> writers_;
  std::vector<ClientProcess> readers_;
};

}  // namespace dfs::test
