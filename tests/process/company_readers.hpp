// Two processes that read a store whose daemons die: one takes snapshots without end, one sleeps
// until it is told of a daemon's first commit. What a tagged writer writes is seen whole.
#pragma once

#include <dfs/store.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "tests/process/client_process.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/tagged_log.hpp"
#include "tests/process/tagged_writer.hpp"

namespace dfs::test {

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

inline Store open_for_reading(const std::string& path) {
  Options options;
  options.read_only = true;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(120);
  options.wait_for_daemon = options.timeout;
  return need(Store::open(path, options), "open");
}

/// A commit of a writer is in a snapshot with both keys, or with none.
inline void require_whole(const Snapshot& snapshot, TaggedKeys keys, int writer,
                          std::uint64_t number) {
  const auto a = snapshot.get(tagged_key(keys, writer, number, 'a'));
  const auto b = snapshot.get(tagged_key(keys, writer, number, 'b'));
  require(a.has_value() == b.has_value(), "both keys of a commit are there, or none");
  if (!a) {
    require(a.error() == errc::absent, "a miss is absent: " + std::string(a.error().text()));
    require(b.error() == errc::absent, "a miss is absent: " + std::string(b.error().text()));
    return;
  }
  int of_a = 0;
  int of_b = 0;
  std::uint64_t number_a = 0;
  std::uint64_t number_b = 0;
  require(parse_tag(std::string(a->value), of_a, number_a) &&
              parse_tag(std::string(b->value.substr(0, 64)), of_b, number_b),
          "values are as they were written");
  require(of_a == writer && of_b == writer && number_a == number_b && a->sequence == b->sequence &&
              a->version == b->version,
          "a commit is seen whole");
  require(keys == TaggedKeys::same || number_a == number, "a value stands at its own key");
}

/// The same for one commit of each writer: the last, or where each has keys of its own, any of
/// those that it has begun.
inline void require_whole(const Snapshot& snapshot, const TaggedBoard& board, TaggedKeys keys,
                          std::mt19937_64& random) {
  for (int writer = 0; writer < static_cast<int>(kTaggedWriters); ++writer) {
    const std::uint64_t begun = board.sheets.at(static_cast<std::size_t>(writer)).begun;
    require_whole(snapshot, keys, writer, 1 + random() % (begun + 1));
  }
}

/// False where no daemon lives that could hand out the generation that a dead one made last.
inline bool is_mapped(const Snapshot& snapshot) {
  const auto good = snapshot.check();
  require(good || good.error() == errc::daemon_gone, "a snapshot is good, or its daemon is gone");
  return good.has_value();
}

/// What the two share with the writers.
struct ReaderSettings {
  std::string path;
  TaggedKeys keys = TaggedKeys::same;
};

/// Takes snapshots without end: each holds what was acknowledged before, or says that it is stale.
inline void run_reader(const ReaderSettings& settings, const TaggedBoard& board,
                       ReaderBoard& counts) {
  const Store store = open_for_reading(settings.path);
  std::mt19937_64 random(1);
  std::uint64_t last = 0;
  while (!board.stopping) {
    const std::uint64_t acknowledged = board.announced;
    const Snapshot snapshot = store.snapshot();
    if (!is_mapped(snapshot)) continue;
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
    require_whole(snapshot, board, settings.keys, random);
  }
}

/// Sleeps until it is told of a daemon's first commit, and then takes one snapshot.
inline void run_sleeper(const ReaderSettings& settings, const TaggedBoard& board,
                        const TaggedPipes& pipes, const MessagePipe<Sighting>& sightings) {
  const Store store = open_for_reading(settings.path);
  std::mt19937_64 random(2);
  for (;;) {
    Sighting sighting;
    sighting.told = pipes.first.receive();
    const Snapshot snapshot = store.snapshot();
    sighting.seen = snapshot.sequence();
    const bool mapped = is_mapped(snapshot);
    sighting.stale = !mapped || snapshot.stale();
    if (mapped) require_whole(snapshot, board, settings.keys, random);
    sightings.send(sighting);
  }
}

}  // namespace dfs::test
