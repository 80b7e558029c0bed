// The writes and checks of one commit, as a batch or a transaction collects them.
#pragma once

#include <dfs/expect.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/wire/request.hpp"

namespace dfs::client {

/// An expectation as it crosses the queue.
[[nodiscard]] inline wire::Expectation to_wire(Expect expect) noexcept {
  using Kind = Expect::Kind;
  static_assert(static_cast<int>(Kind::any) == static_cast<int>(wire::Expect::any) &&
                static_cast<int>(Kind::present) == static_cast<int>(wire::Expect::present) &&
                static_cast<int>(Kind::absent) == static_cast<int>(wire::Expect::absent) &&
                static_cast<int>(Kind::version) == static_cast<int>(wire::Expect::version));
  return {static_cast<wire::Expect>(expect.kind()), expect.version()};
}

/// A write of one key, the last one that was asked for.
struct KeptWrite {
  std::size_t order = 0;  ///< among the keys, by their first write
  bool erase = false;
  std::pmr::string value;
  Expect expect = expect_any;  ///< of the first write; those of later ones are checks
};

/// Copies of what was asked for, one write for each key. The first wrong argument is kept, and
/// nothing after it. A few small writes lie in the object itself, which has no more memory then.
/// Threads: one at a time.
class Writes {
 public:
  /// In the order of keys, as a transaction's reads go through them.
  using ByKey = std::pmr::map<std::string_view, KeptWrite>;

  Writes() {}  // NOLINT(*-use-equals-default): that would write zeros over its memory
  Writes(const Writes& other);
  Writes& operator=(const Writes&) = delete;

  void set(std::string_view key, std::string_view value, Expect expect);
  void erase(std::string_view key, Expect expect);
  void check(std::string_view key, Expect expect);

  [[nodiscard]] const std::optional<Error>& wrong() const noexcept { return wrong_; }
  [[nodiscard]] bool empty() const noexcept { return by_key_.empty() && checks_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size() + checks_.size(); }
  [[nodiscard]] const ByKey& by_key() const noexcept { return by_key_; }
  /// Adds checks and writes, in order, as views into this.
  void fill(wire::CommitRequest& request) const;
  /// Where one write is all there is: that, as views into this.
  [[nodiscard]] std::optional<wire::Write> only_write() const {
    if (by_key_.size() != 1 || !checks_.empty()) return std::nullopt;
    const auto& [key, kept] = *by_key_.begin();
    return wire::Write{key, kept.value, to_wire(kept.expect), kept.erase};
  }

 private:
  struct KeptCheck {
    std::string_view key;
    Expect expect;
  };
  /// What is asked for: a write, or a check.
  struct Asked {
    wire::Subject subject;
    std::string_view key;
    std::size_t value_bytes;
  };
  [[nodiscard]] std::string_view keep(std::string_view key);
  [[nodiscard]] bool accept(const Asked& asked);
  void refuse(const Asked& asked, errc code, wire::Rule rule, std::uint64_t limit);
  void write(std::string_view key, std::string_view value, bool erase, Expect expect);

  // One update of a common size: what it takes in the map, and its texts.
  static constexpr std::size_t kOwnBytes = 512;
  std::array<std::byte, kOwnBytes> own_;
  std::pmr::monotonic_buffer_resource memory_{own_.data(), own_.size(),
                                              std::pmr::new_delete_resource()};
  ByKey by_key_{&memory_};
  std::pmr::vector<KeptCheck> checks_{&memory_};
  std::size_t bytes_ = 0;
  std::optional<Error> wrong_;
};

}  // namespace dfs::client
