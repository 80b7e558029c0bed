// What the model of snapshots is made of: who takes part, what is left out, and one state of the
// world, that is of shared memory, a daemon, and two readers.
//
// Two slots and generations numbered modulo two, so that slots are used again; a daemon that
// commits, switches, gives back and may die or close, with its stores in a buffer that drains in
// order and lags (total store order); a successor; two reader threads of one client that share its
// holds and hand copies on.
#pragma once

#include <cstdint>
#include <type_traits>

namespace dfs::index::model {

enum class Look : std::uint8_t { one_word, state_only, number_then_state, none };

/// Who takes part, and what is left out or moved.
struct Variant {
  const char* name = "as designed";
  bool revokes = false;  ///< Gives superseded generations back though they are held.
  bool dies = false;     ///< The first daemon may be killed anywhere.
  bool closes = false;   ///< The first daemon may close cleanly.
  bool copies = false;   ///< One snapshot, copied to the other thread; else two, one thread.

  Look look = Look::one_word;
  bool no_second_look_at_current = false;
  bool second_look_before_hold = false;
  bool published_after_second_look = false;
  bool one_published_word = false;
  bool pages_before_state = false;
  bool state_may_lag_behind_pages = false;
  bool current_may_lag_behind_holds = false;
  bool holds_before_switch = false;
  bool acknowledge_before_publish = false;
  bool death_not_looked_at = false;
  bool death_marked_after_lock = false;
  bool closed_after_lock = false;
};

using Byte = std::uint8_t;
constexpr Byte kCommits = 2;
/// With three generations a slot is used again; a daemon that ends, and its successor, need fewer.
constexpr Byte kGenerations = 3;
constexpr Byte kGenerationsWithDeath[2] = {2, 1};
constexpr Byte kNobody = 9;
enum State : Byte { kFree, kCurrent, kSuperseded, kGivenBack };

/// What the stores of a daemon can name.
enum Place : Byte { kCurrentPlace, kNumber, kState, kIdentity, kPublished, kAcknowledged, kClosed };

/// The memory that one daemon shares with the client.
struct Shared {
  Byte current, closed, dead;
  Byte number[2], state[2], published[2], holds[2];
  Byte pages;   ///< Bit g: generation g has its pages.
  Byte top[4];  ///< The last commit that generation g holds or ever will.
};

enum DaemonStep : Byte {
  kIdle,
  kPublish,
  kAcknowledge,
  kSecond,
  kFill,
  kOpen,
  kOpenSecond,
  kPublishNew,
  kSwitch,
  kSwitched,
  kStateGoes,
  kFence,
  kPagesGo,
  kStateLate,
  kClosing,
  kUnlock,
  kDying,
  kMark,
  kGone
};
enum ReaderStep : Byte {
  kBegin,
  kServed,
  kLoadCurrent,
  kHold,
  kFirst,
  kThen,
  kTaken,
  kRead,
  kLookOne,
  kLookTwo,
  kRelease,
  kReconnect,
  kDone
};

struct Reader {
  Byte step, daemon, generation, sequence, known, pages, stands, rounds;
};

struct World {
  Shared shared[2];
  Byte acknowledged, logged, lock_free, serving;
  Byte buffered;
  Byte buffer[3][4];  ///< Daemon, place, index, value.
  Byte step, daemon, generation, superseded, saw_no_holds;
  Reader readers[2];
  Byte mailed, mail[3];
};
static_assert(std::has_unique_object_representations_v<World>);

}  // namespace dfs::index::model
