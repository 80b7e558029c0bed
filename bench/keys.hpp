// What is stored and what is asked for: the same keys, values and queries for every peer, made from
// numbers, so that two processes that never met agree on them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace dfs::bench {

using Random = std::mt19937_64;

/// How keys look.
enum class Shape : std::uint8_t {
  user,    ///< user000000000042
  hex,     ///< 32 hex digits that look random
  tenant,  ///< tenant012/user/00421337/profile
};

/// Which keys are asked for.
enum class Distribution : std::uint8_t {
  uniform,
  zipf,  ///< Exponent 0.99; the popular keys lie anywhere among the others.
};

/// The key of a number below 10^8. Different numbers have different keys.
[[nodiscard]] std::string key_of(Shape shape, std::uint64_t number);

/// A JSON object of about `bytes` bytes, never the same for two numbers.
[[nodiscard]] std::string value_of(std::uint64_t number, std::size_t bytes);

/// The numbers `first` to `first + count - 1` in random order.
[[nodiscard]] std::vector<std::uint32_t> shuffled(std::uint64_t first, std::uint64_t count,
                                                  Random& random);

/// Draws numbers below `count`. Threads: one at a time.
class Draw {
 public:
  Draw(Distribution distribution, std::uint64_t count);
  [[nodiscard]] std::uint64_t next(Random& random) const;

 private:
  // Constant after construction.
  Distribution distribution_;
  std::uint64_t count_;
  double zeta_ = 0;
  double eta_ = 0;
};

/// Keys to ask for, one behind the other in memory in the order of asking, so that the key of a
/// query is no cache miss of its own.
class Queries {
 public:
  Queries(Shape shape, const Draw& draw, std::size_t count, Random& random);
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// Begins anew behind the last.
  [[nodiscard]] std::string_view operator[](std::size_t i) const { return keys_[i % keys_.size()]; }
  [[nodiscard]] const std::vector<std::string_view>& all() const { return keys_; }

 private:
  std::string bytes_;
  std::vector<std::string_view> keys_;
};

/// A few values to write, in turn.
class Values {
 public:
  explicit Values(std::size_t bytes);
  [[nodiscard]] std::string_view operator[](std::size_t i) const {
    return values_[i % values_.size()];
  }

 private:
  std::vector<std::string> values_;
};

}  // namespace dfs::bench
