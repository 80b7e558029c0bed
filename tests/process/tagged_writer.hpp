// A client that writes tagged commits without end, and keeps a sheet of what it was told of each;
// tagged_log.hpp compares the sheets with the log.
//
// Commit n of writer w sets its two own keys and one that all writers share to the tag (w, n). So
// a half commit shows, one that is missing, and one that happened twice.
#pragma once

#include <dfs/store.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "tests/process/client_process.hpp"
#include "tests/process/message_pipe.hpp"

namespace dfs::test {

inline constexpr std::size_t kMostTagged = 200'000;
inline constexpr std::size_t kTaggedWriters = 8;

/// Which two keys a commit sets beside the shared one.
enum class TaggedKeys : std::uint8_t {
  same,      ///< its writer's, always the same: a log that is never compacted tells all of them
  own_each,  ///< its own, so that each is still told by a log that was compacted
};

[[nodiscard]] inline std::string tagged_key(TaggedKeys keys, int writer, std::uint64_t number,
                                            char part) {
  std::string key = "w" + std::to_string(writer) + "/";
  if (keys == TaggedKeys::own_each) key += std::to_string(number) + "/";
  return key + part;
}

/// What one writer was told. Written by the writer, read by the test while it writes.
struct TaggedSheet {
  struct Told {
    std::atomic<std::uint64_t> sequence;  ///< 0: nothing yet
    std::atomic<std::uint64_t> version;   ///< of its own key; 0: only its fate was told
  };
  std::atomic<std::uint64_t> begun;     ///< commits handed over
  std::atomic<std::uint64_t> answered;  ///< of these, those that were told to have happened
  /// How often the caller itself had to find out.
  std::atomic<std::uint64_t> resolved_committed;
  std::atomic<std::uint64_t> resolved_not_committed;
  std::atomic<std::uint64_t> not_written;  ///< refused, nothing written: the daemon was gone
  std::array<Told, kMostTagged> told;      ///< by number of the commit
};

/// What all writers of a test share.
struct TaggedBoard {
  std::atomic<bool> stopping;
  std::atomic<std::uint64_t> answers;    ///< of all writers together
  std::atomic<std::uint64_t> ring_at;    ///< at so many answers `reached` gets a message
  std::atomic<std::uint64_t> announced;  ///< the highest sequence that anybody was told
  /// The sequences from here on are the latest daemon's; its first answer is told to `first`.
  std::atomic<std::uint64_t> successor_from;
  std::atomic<std::uint64_t> first_told_from;  ///< and one
  std::array<TaggedSheet, kTaggedWriters> sheets;
};

struct TaggedPipes {
  MessagePipe<std::uint64_t> reached;
  MessagePipe<std::uint64_t> first;  ///< the sequence of a daemon's first acknowledged commit
};

struct TaggedSettings {
  std::string path;
  int number = 0;
  TaggedKeys keys = TaggedKeys::same;
  std::size_t depth = 1;  ///< commits in flight
  /// Whether its handle waits for the next daemon and finds out by itself; else every answer that
  /// was lost is the caller's.
  bool patient = true;
  bool starts_daemon = false;
  std::size_t large_every = 64;  ///< every so many commits are large
  std::size_t large_bytes = 100'000;
  int rest_ms = 0;  ///< between two answers: what is kept then grows slower than it is compacted
};

class TaggedWriter {
 public:
  TaggedWriter(TaggedSettings settings, TaggedBoard& board, const TaggedPipes& pipes)
      : settings_(std::move(settings)),
        board_(board),
        sheet_(board.sheets.at(static_cast<std::size_t>(settings_.number))),
        pipes_(pipes),
        patient_(open(true)),
        store_(open(settings_.patient)) {}

  void run() {
    std::deque<std::pair<std::uint64_t, Pending>> flying;
    while (!board_.stopping) {
      while (flying.size() < settings_.depth) {
        const std::uint64_t number = sheet_.begun + 1;
        require(number < kMostTagged, "the sheet is large enough");
        sheet_.begun = number;
        flying.emplace_back(number, store_.submit(batch(number)));
      }
      settle(flying.front().first, flying.front().second.wait());
      flying.pop_front();
      if (settings_.rest_ms > 0) ::poll(nullptr, 0, settings_.rest_ms);
    }
    for (auto& [number, pending] : flying) settle(number, pending.wait());
  }

 private:
  [[nodiscard]] Store open(bool patient) const {
    Options options;
    options.autostart = settings_.starts_daemon && patient ? Autostart::allowed : Autostart::never;
    options.timeout = std::chrono::seconds(120);
    options.wait_for_daemon = patient ? options.timeout : std::chrono::milliseconds(0);
    options.daemon.program = DFSD;
    options.daemon.idle_exit = std::chrono::seconds(10);
    for (;;) {
      auto store = Store::open(settings_.path, options);
      if (store || patient) return need(std::move(store), "open");
      // Impatient handles come when somebody else has found the daemon.
      static_cast<void>(need(patient_ready(), "ping"));
    }
  }
  [[nodiscard]] Result<Value> patient_ready() const {
    auto value = patient_->get("nothing");
    if (value || value.error() == errc::absent) return Value{};
    return value;
  }

  [[nodiscard]] std::string key(std::uint64_t number, char part) const {
    return tagged_key(settings_.keys, settings_.number, number, part);
  }

  [[nodiscard]] Batch batch(std::uint64_t number) const {
    const std::string writer = std::to_string(settings_.number);
    const std::string tag = "{\"w\":" + writer + ",\"n\":" + std::to_string(number) + "}";
    std::string padded = tag;
    if (settings_.large_every != 0 && number % settings_.large_every == 0) {
      const std::string pad(settings_.large_bytes, 'x');
      padded.replace(padded.size() - 1, 1, ",\"pad\":\"" + pad + "\"}");
    }
    // What is large is soon garbage, or compaction would have more to do each time.
    const bool kept = settings_.keys == TaggedKeys::own_each;
    Batch made;
    made.set(key(number, 'a'), tag);
    made.set(key(number, 'b'), kept ? tag : padded);
    made.set("shared/" + std::to_string(number % 16), kept ? padded : tag);
    return made;
  }

  void settle(std::uint64_t number, Result<Committed> result) {
    while (!result) {
      const Error& error = result.error();
      if (error == errc::unknown) {
        const Resolution fate = need(patient_->resolve(error.commit()), "resolve");
        if (fate == Resolution::committed) {
          ++sheet_.resolved_committed;
          const Position id = need(Position::parse(error.commit()), "commit id");
          return tell(number, id.sequence(), 0);
        }
        ++sheet_.resolved_not_committed;
      } else {
        require(error == errc::daemon_gone && error.nothing_was_written() && !settings_.patient,
                "commit " + std::to_string(number) + ": " + std::string(error.text()));
        ++sheet_.not_written;
      }
      result = patient_->submit(batch(number)).wait();
    }
    require(result->versions.size() == 3, "three keys were written");
    tell(number, result->sequence, result->version);
  }

  void tell(std::uint64_t number, std::uint64_t sequence, std::uint64_t version) {
    require(sheet_.told[number].sequence == 0, "a commit is answered once");
    sheet_.told[number].version = version;
    sheet_.told[number].sequence = sequence;
    ++sheet_.answered;
    std::uint64_t highest = board_.announced;
    while (highest < sequence && !board_.announced.compare_exchange_weak(highest, sequence)) {
    }
    const std::uint64_t from = board_.successor_from;
    if (sequence >= from && board_.first_told_from.exchange(from + 1) != from + 1) {
      pipes_.first.send(sequence);
    }
    const std::uint64_t answers = ++board_.answers;
    if (answers == board_.ring_at) pipes_.reached.send(answers);
  }

  const TaggedSettings settings_;
  TaggedBoard& board_;
  TaggedSheet& sheet_;
  const TaggedPipes& pipes_;
  std::optional<Store> patient_;
  Store store_;
};

}  // namespace dfs::test
