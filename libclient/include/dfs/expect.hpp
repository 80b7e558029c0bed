// What a write or a check expects of a key before the commit.
#pragma once

#include <dfs/export.hpp>

#include <cstdint>

namespace DFS_API dfs {

/// An expectation about one key, compared with the store as it is right before the commit. One that
/// does not hold refuses the whole commit with `version_mismatch`, which names the real version.
/// Made by the constants and the function below. Plain value.
class Expect {
 public:
  enum class Kind : std::uint8_t { any, present, absent, version };

  static constexpr Expect make(Kind kind, std::uint64_t version) noexcept {
    return Expect(kind, version);
  }
  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  /// The version expected; 0 unless the kind is `version`.
  [[nodiscard]] constexpr std::uint64_t version() const noexcept { return version_; }
  friend constexpr bool operator==(const Expect&, const Expect&) noexcept = default;

 private:
  constexpr Expect(Kind kind, std::uint64_t version) noexcept : kind_(kind), version_(version) {}
  Kind kind_;
  std::uint64_t version_;
};

inline constexpr Expect expect_any = Expect::make(Expect::Kind::any, 0);
inline constexpr Expect expect_present = Expect::make(Expect::Kind::present, 0);
inline constexpr Expect expect_absent = Expect::make(Expect::Kind::absent, 0);

/// The key has exactly this version. `expect_version(0)` is `expect_absent`.
[[nodiscard]] constexpr Expect expect_version(std::uint64_t version) noexcept {
  return version == 0 ? expect_absent : Expect::make(Expect::Kind::version, version);
}

}  // namespace dfs
