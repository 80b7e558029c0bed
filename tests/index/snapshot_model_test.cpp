// An exhaustive model of snapshot, hold, switch, giving back and death: every interleaving of small
// steps, within small bounds.
//
// Two slots and generations numbered modulo two, so that slots are used again; a daemon that
// commits, switches, gives back and may die or close, with its stores in a buffer that drains in
// order and lags (total store order); a successor; two reader threads of one client that share its
// holds and hand copies on. As the index does it, it holds. With each step left out or moved it
// must break.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

namespace dfs::index {
namespace {

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

/// The search: from one world all that can follow, until something breaks or nothing is new.
class Search {
 public:
  explicit Search(const Variant& variant) : variant_(variant) {}

  /// What broke first, or nothing.
  std::string run() {
    World first{};
    first.serving = kNobody;
    start(first, 0);
    visit(first);
    while (!open_.empty() && broken_.empty()) {
      const World world = open_.back();
      open_.pop_back();
      drain(world);
      daemon(world);
      for (int i = 0; i < 2; ++i) reader(world, i);
      mail(world);
    }
    return broken_;
  }

  [[nodiscard]] std::size_t worlds() const { return seen_.size(); }
  [[nodiscard]] std::size_t counted() const { return counted_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t reconnected() const { return reconnected_; }

 private:
  struct Hash {
    std::size_t operator()(const World& world) const noexcept {
      return std::hash<std::string_view>()({reinterpret_cast<const char*>(&world), sizeof world});
    }
  };
  struct Same {
    bool operator()(const World& a, const World& b) const noexcept {
      return std::memcmp(&a, &b, sizeof a) == 0;
    }
  };

  void visit(const World& world) {
    if (seen_.insert(world).second) open_.push_back(world);
  }
  void breaks(const char* what) {
    if (broken_.empty()) broken_ = what;
  }

  // The daemon's memory.

  static void start(World& world, Byte d) {
    Shared& shared = world.shared[d];
    shared.current = 1;
    shared.number[1] = 1;
    shared.state[1] = kCurrent;
    shared.published[1] = shared.published[0] = world.logged;
    shared.top[1] = world.logged;
    shared.pages = 1 << 1;
    world.serving = d;
    world.daemon = d;
    world.generation = 1;
    world.superseded = 0;
    world.step = kIdle;
  }

  static void apply(World& world, const Byte (&store)[4]) {
    Shared& shared = world.shared[store[0]];
    const Byte at = store[2];
    const Byte value = store[3];
    switch (static_cast<Place>(store[1])) {
      case kCurrentPlace:
        shared.current = value;
        break;
      case kNumber:
        shared.number[at] = value;
        break;
      case kState:
        shared.state[at] = value;
        break;
      case kIdentity:
        shared.number[at] = value >> 2;
        shared.state[at] = value & 3;
        break;
      case kPublished:
        shared.published[at] = value;
        break;
      case kAcknowledged:
        world.acknowledged = value;
        break;
      case kClosed:
        shared.closed = 1;
        break;
    }
  }

  void drain(World world) {
    if (world.buffered == 0) return;
    apply(world, world.buffer[0]);
    --world.buffered;
    std::memmove(world.buffer[0], world.buffer[1], sizeof world.buffer[0] * 2);
    std::memset(world.buffer[2], 0, sizeof world.buffer[2]);
    visit(world);
  }

  /// A store by the daemon, into its buffer; false where that is full and the daemon waits.
  static bool put(World& world, Place place, Byte at, Byte value) {
    if (world.buffered == 3) return false;
    const Byte store[4] = {world.daemon, place, at, value};
    std::memcpy(world.buffer[world.buffered++], store, sizeof store);
    return true;
  }

  void go(World world, DaemonStep step) {
    world.step = step;
    visit(world);
  }

  [[nodiscard]] Byte published_at(Byte generation) const {
    return variant_.one_published_word ? Byte{0} : static_cast<Byte>(generation % 2);
  }

  // What the daemon does.

  void daemon(const World& world) {
    if (world.step == kGone) {
      if (world.lock_free != 0) {
        World next = world;
        next.lock_free = 0;
        start(next, 1);
        visit(next);
      }
      return;
    }
    if (variant_.dies && world.daemon == 0 && world.step < kUnlock) go(world, kDying);
    if (world.step == kIdle) {
      choose(world);
    } else if (world.step < kFill) {
      commit(world);
    } else if (world.step < kStateGoes) {
      switch_over(world);
    } else if (world.step < kClosing) {
      give_back(world);
    } else {
      end(world);
    }
  }

  [[nodiscard]] Byte old_slot(const World& world) const {
    return static_cast<Byte>((world.generation - 1) % 2);
  }

  void choose(const World& world) {
    if (world.logged < kCommits) {
      World next = world;
      ++next.logged;  // appended and synced
      go(next, variant_.acknowledge_before_publish ? kAcknowledge : kPublish);
    }
    const Byte generations =
        variant_.dies || variant_.closes ? kGenerationsWithDeath[world.daemon] : kGenerations;
    if (world.generation < generations && world.superseded == 0) go(world, kFill);
    if (world.superseded != 0) {
      const bool held = variant_.holds_before_switch
                            ? world.saw_no_holds == 0
                            : world.shared[world.daemon].holds[old_slot(world)] != 0;
      if (!held || variant_.revokes) {
        go(world, variant_.pages_before_state ? kPagesGo : kStateGoes);
      }
    }
    if (variant_.closes && world.daemon == 0) {
      go(world, variant_.closed_after_lock ? kUnlock : kClosing);
    }
  }

  void commit(World world) {
    const bool late = variant_.acknowledge_before_publish;
    if (world.step == kPublish) {
      world.shared[world.daemon].top[world.generation] = world.logged;
      const Byte at = published_at(world.generation);
      if (put(world, kPublished, at, world.logged)) go(world, late ? kIdle : kAcknowledge);
    } else if (put(world, kAcknowledged, 0, world.logged)) {
      go(world, late ? kPublish : kIdle);
    }
  }

  void switch_over(World world) {
    const Byte next = world.generation + 1;
    const Byte at = next % 2;
    const bool one_word = variant_.look == Look::one_word;
    switch (static_cast<DaemonStep>(world.step)) {
      case kFill:
        world.shared[world.daemon].pages |= static_cast<Byte>(1 << next);
        world.shared[world.daemon].top[next] = world.logged;
        world.saw_no_holds = world.shared[world.daemon].holds[world.generation % 2] == 0;
        return go(world, kOpen);
      case kOpen:
        if (one_word) {
          if (put(world, kIdentity, at, static_cast<Byte>(next << 2 | kCurrent))) {
            go(world, kPublishNew);
          }
        } else if (put(world, kNumber, at, next)) {
          go(world, kOpenSecond);
        }
        return;
      case kOpenSecond:
        if (put(world, kState, at, kCurrent)) go(world, kPublishNew);
        return;
      case kPublishNew:
        if (variant_.one_published_word || put(world, kPublished, at, world.logged)) {
          go(world, kSwitch);
        }
        return;
      case kSwitch:
        if (put(world, kCurrentPlace, 0, next)) go(world, kSwitched);
        return;
      default:
        if (world.buffered != 0 && !variant_.current_may_lag_behind_holds) return;
        ++world.generation;
        world.superseded = 1;
        return go(world, kIdle);
    }
  }

  void give_back(World world) {
    const Byte old = world.generation - 1;
    const auto state_goes = [&] {
      return variant_.look == Look::one_word
                 ? put(world, kIdentity, old % 2, static_cast<Byte>(old << 2 | kGivenBack))
                 : put(world, kState, old % 2, kGivenBack);
    };
    switch (static_cast<DaemonStep>(world.step)) {
      case kStateGoes:
        if (state_goes()) go(world, kFence);
        return;
      case kFence:
        if (world.buffered == 0 || variant_.state_may_lag_behind_pages) go(world, kPagesGo);
        return;
      case kPagesGo:
        world.shared[world.daemon].pages &= static_cast<Byte>(~(1 << old));
        if (variant_.pages_before_state) return go(world, kStateLate);
        world.superseded = 0;
        return go(world, kIdle);
      default:
        if (!state_goes()) return;
        world.superseded = 0;
        return go(world, kIdle);
    }
  }

  void end(World world) {
    switch (static_cast<DaemonStep>(world.step)) {
      case kClosing:
        if (put(world, kClosed, 0, 1)) go(world, kUnlock);
        return;
      case kUnlock:
        if (world.buffered != 0) return;
        world.serving = kNobody;
        world.lock_free = 1;
        // Where it is moved, closed is stored later than all that happens here.
        return go(world, kGone);
      case kDying:
        if (world.buffered != 0) return;
        world.serving = kNobody;
        if (variant_.death_marked_after_lock) {  // later than all that happens here
          world.lock_free = 1;
          return go(world, kGone);
        }
        world.shared[0].dead = 1;
        return go(world, kMark);
      default:
        world.lock_free = 1;
        return go(world, kGone);
    }
  }

  // What a reader does.

  void next(World world, int i, ReaderStep step) {
    world.readers[i].step = step;
    visit(world);
  }

  void reader(World world, int i) {
    Reader& r = world.readers[i];
    Shared& shared = world.shared[r.daemon];
    switch (static_cast<ReaderStep>(r.step)) {
      case kBegin:
        if (r.rounds == (i == 1 ? 0 : variant_.copies ? 1 : 2)) return next(world, i, kDone);
        ++r.rounds;
        r.known = world.acknowledged;  // what it has heard of must be in its snapshot (I2)
        return next(world, i, kServed);
      case kServed:
        if (!variant_.death_not_looked_at && (shared.dead != 0 || shared.closed != 0)) {
          return next(world, i, kReconnect);
        }
        return next(world, i, kLoadCurrent);
      case kLoadCurrent:
        r.generation = shared.current;
        if (variant_.second_look_before_hold) {
          return next(world, i, kFirst);
        }
        return next(world, i, kHold);
      case kHold:
        ++shared.holds[r.generation % 2];
        return next(world, i, variant_.second_look_before_hold ? kThen : kFirst);
      case kFirst:
        if (variant_.second_look_before_hold) {
          return next(world, i, shared.current == r.generation ? kHold : kServed);
        }
        if (variant_.published_after_second_look) return second_look(world, i, kThen);
        r.sequence = published(shared, r.generation);
        return next(world, i, kThen);
      case kThen:
        if (variant_.published_after_second_look || variant_.second_look_before_hold) {
          r.sequence = published(shared, r.generation);
          return next(world, i, kTaken);
        }
        if (variant_.no_second_look_at_current) return next(world, i, kTaken);
        return second_look(world, i, kTaken);
      case kTaken:
        if (r.sequence < r.known) return breaks("I2: a snapshot without an acknowledged commit");
        if (r.sequence > shared.top[r.generation]) {
          return breaks("a sequence that its generation does not hold");
        }
        return next(world, i, kRead);
      default:
        return read(world, i);
    }
  }

  [[nodiscard]] Byte published(const Shared& shared, Byte generation) const {
    return shared.published[published_at(generation)];
  }

  void second_look(World world, int i, ReaderStep then) {
    Reader& r = world.readers[i];
    Shared& shared = world.shared[r.daemon];
    if (shared.current == r.generation) return next(world, i, then);
    --shared.holds[r.generation % 2];
    r.generation = r.sequence = 0;
    next(world, i, kServed);
  }

  void read(World world, int i) {
    Reader& r = world.readers[i];
    Shared& shared = world.shared[r.daemon];
    const Byte at = r.generation % 2;
    switch (static_cast<ReaderStep>(r.step)) {
      case kRead:
        r.pages = shared.pages >> r.generation & 1;
        return next(world, i, kLookOne);
      case kLookOne:
        switch (variant_.look) {
          case Look::one_word:
            r.stands = shared.number[at] == r.generation && shared.state[at] != kGivenBack;
            break;
          case Look::state_only:
            r.stands = shared.state[at] != kGivenBack;
            break;
          case Look::number_then_state:
            r.stands = shared.number[at] == r.generation;
            return next(world, i, kLookTwo);
          case Look::none:
            r.stands = 1;
            break;
        }
        return next(world, i, kRelease);
      case kLookTwo:
        r.stands &= static_cast<Byte>(shared.state[at] != kGivenBack);
        return next(world, i, kRelease);
      case kRelease:
        ++(r.stands != 0 ? counted_ : refused_);
        if (r.stands != 0 && r.pages == 0) return breaks("I6: pages that are gone were read");
        if (r.stands == 0 && !variant_.revokes) return breaks("I6: a held generation went");
        --shared.holds[at];
        r.generation = r.sequence = r.known = r.pages = r.stands = 0;
        return next(world, i, kBegin);
      case kReconnect:
        // Nobody serves: the answer is stale and says so, and the round is over.
        if (world.serving == kNobody || world.serving == r.daemon) return next(world, i, kBegin);
        r.daemon = world.serving;
        ++reconnected_;
        return next(world, i, kServed);
      default:
        return;
    }
  }

  /// The first reader copies the snapshot it reads under; the second reads under the copy.
  void mail(World world) {
    if (!variant_.copies) return;
    Reader& from = world.readers[0];
    Reader& to = world.readers[1];
    if (from.step == kRead && world.mailed == 0) {
      World sent = world;
      ++sent.shared[from.daemon].holds[from.generation % 2];
      sent.mailed = 1;
      const Byte mail[3] = {from.daemon, from.generation, from.sequence};
      std::memcpy(sent.mail, mail, sizeof mail);
      visit(sent);
    }
    if (to.step == kDone && world.mailed == 1) {
      to.daemon = world.mail[0];
      to.generation = world.mail[1];
      to.sequence = world.mail[2];
      to.known = 0;
      world.mailed = 2;
      next(world, 1, kRead);
    }
  }

  const Variant variant_;
  std::unordered_set<World, Hash, Same> seen_;
  std::vector<World> open_;
  std::string broken_;
  std::size_t counted_ = 0;
  std::size_t refused_ = 0;
  std::size_t reconnected_ = 0;
};

TEST(SnapshotModel, holds_when_generations_are_given_back_only_if_nobody_holds_them) {
  Search search({});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.counted(), 0U);
  EXPECT_EQ(search.refused(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_snapshots_are_copied) {
  for (const bool revokes : {false, true}) {
    Search search({.revokes = revokes, .copies = true});
    EXPECT_EQ(search.run(), "");
    EXPECT_GT(search.counted(), 0U);
    RecordProperty(revokes ? "worlds_revoked" : "worlds", std::to_string(search.worlds()));
  }
}

TEST(SnapshotModel, holds_when_held_generations_are_revoked) {
  Search search({.revokes = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.counted(), 0U);
  EXPECT_GT(search.refused(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_the_daemon_dies_anywhere) {
  Search search({.dies = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.reconnected(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_the_daemon_closes) {
  Search search({.closes = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.reconnected(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, breaks_with_each_step_left_out_or_moved) {
  const std::string gone = "I6: pages that are gone were read";
  const std::string went = "I6: a held generation went";
  const std::string missing = "I2: a snapshot without an acknowledged commit";
  const std::string label = "a sequence that its generation does not hold";
  const std::vector<std::pair<Variant, std::string>> variants = {
      {{.name = "no second look at current", .no_second_look_at_current = true}, went},
      {{.name = "second look before the hold", .second_look_before_hold = true}, went},
      {{.name = "published after the second look",
        .revokes = true,
        .published_after_second_look = true},
       label},
      // One word is right only while it is loaded before the second look; slots make it right
      // anyway.
      {{.name = "one published word, loaded after the second look",
        .published_after_second_look = true,
        .one_published_word = true},
       label},
      {{.name = "no look", .revokes = true, .look = Look::none}, gone},
      {{.name = "look at the state alone", .revokes = true, .look = Look::state_only}, gone},
      {{.name = "number and state in two words", .revokes = true, .look = Look::number_then_state},
       gone},
      {{.name = "pages before state", .revokes = true, .pages_before_state = true}, gone},
      {{.name = "state lags behind pages", .revokes = true, .state_may_lag_behind_pages = true},
       gone},
      {{.name = "current lags behind holds", .current_may_lag_behind_holds = true}, went},
      {{.name = "holds looked at before the switch", .holds_before_switch = true}, went},
      {{.name = "acknowledged before published", .acknowledge_before_publish = true}, missing},
      {{.name = "death not looked at", .dies = true, .death_not_looked_at = true}, missing},
      {{.name = "death marked after the lock", .dies = true, .death_marked_after_lock = true},
       missing},
      {{.name = "closed not looked at", .closes = true, .death_not_looked_at = true}, missing},
      {{.name = "closed stored after the lock", .closes = true, .closed_after_lock = true},
       missing},
  };
  for (const auto& [variant, what] : variants) {
    Search search(variant);
    EXPECT_EQ(search.run(), what) << variant.name;
  }
}

}  // namespace
}  // namespace dfs::index
