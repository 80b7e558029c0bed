// The writes and checks of one commit, as a batch or a transaction collects them.
#pragma once

#include <dfs/expect.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/wire/request.hpp"

namespace dfs::client {

/// A write of one key, the last one that was asked for.
struct KeptWrite {
  std::size_t order = 0;  ///< among the keys, by their first write
  bool erase = false;
  std::string value;
  Expect expect = expect_any;  ///< of the first write; those of later ones are checks
};

/// Copies of what was asked for, one write for each key. The first wrong argument is kept, and
/// nothing after it. Threads: one at a time.
class Writes {
 public:
  /// In the order of keys, as a transaction's reads go through them.
  using ByKey = std::map<std::string, KeptWrite, std::less<>>;

  void set(std::string_view key, std::string_view value, Expect expect);
  void erase(std::string_view key, Expect expect);
  void check(std::string_view key, Expect expect);

  [[nodiscard]] const std::optional<Error>& wrong() const noexcept { return wrong_; }
  [[nodiscard]] bool empty() const noexcept { return by_key_.empty() && checks_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size() + checks_.size(); }
  [[nodiscard]] const ByKey& by_key() const noexcept { return by_key_; }
  /// Adds checks and writes, in order, as views into this.
  void fill(wire::CommitRequest& request) const;

 private:
  struct KeptCheck {
    std::string key;
    Expect expect;
  };
  [[nodiscard]] bool accept(const wire::Refusal& about, std::size_t value_bytes);
  void write(std::string_view key, std::string_view value, bool erase, Expect expect);

  ByKey by_key_;
  std::vector<KeptCheck> checks_;
  std::size_t bytes_ = 0;
  std::optional<Error> wrong_;
};

/// An expectation as it crosses the queue.
[[nodiscard]] wire::Expectation to_wire(Expect expect) noexcept;

}  // namespace dfs::client
