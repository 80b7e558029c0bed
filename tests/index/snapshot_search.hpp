// The search through the worlds of snapshot_world.hpp: from one all that can follow, until
// something breaks or nothing is new. As the index does it, nothing breaks.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tests/index/snapshot_world.hpp"

namespace dfs::index::model {

class SnapshotSearch {
 public:
  explicit SnapshotSearch(const Variant& variant) : variant_(variant) {}

  /// What broke first, or nothing.
  std::string run();

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
  static void start(World& world, Byte d);
  static void apply(World& world, const Byte (&store)[4]);
  void drain(World world);
  /// A store by the daemon, into its buffer; false where that is full and the daemon waits.
  static bool put(World& world, Place place, Byte at, Byte value);
  [[nodiscard]] Byte published_at(Byte generation) const {
    return variant_.one_published_word ? Byte{0} : static_cast<Byte>(generation % 2);
  }

  // What the daemon does.
  void go(World world, DaemonStep step) {
    world.step = step;
    visit(world);
  }
  void daemon(const World& world);
  [[nodiscard]] Byte old_slot(const World& world) const {
    return static_cast<Byte>((world.generation - 1) % 2);
  }
  void choose(const World& world);
  void commit(World world);
  void switch_over(World world);
  void give_back(World world);
  void end(World world);

  // What a reader does.
  void next(World world, int i, ReaderStep step) {
    world.readers[i].step = step;
    visit(world);
  }
  void reader(World world, int i);
  [[nodiscard]] Byte published(const Shared& shared, Byte generation) const {
    return shared.published[published_at(generation)];
  }
  void second_look(World world, int i, ReaderStep then);
  void read(World world, int i);
  /// The first reader copies the snapshot it reads under; the second reads under the copy.
  void mail(World world);

  const Variant variant_;
  std::unordered_set<World, Hash, Same> seen_;
  std::vector<World> open_;
  std::string broken_;
  std::size_t counted_ = 0;
  std::size_t refused_ = 0;
  std::size_t reconnected_ = 0;
};

}  // namespace dfs::index::model
