// Random commits about few keys, so that everything meets everything.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/wire/request.hpp"
#include "tests/process/bare_store.hpp"
#include "tests/process/plain_store.hpp"

namespace dfs::test {

inline constexpr std::array<const char*, 7> kKeys{"a", "aa", "ab", "b", "ba", "c", "\xC3\xA9"};

/// Small choices from one number.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : state_(seed) {}
  /// 0 .. bound - 1.
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31U)) % bound;
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::string key() { return kKeys.at(below(kKeys.size())); }

 private:
  std::uint64_t state_;
};

/// Makes commits up. Threads: one.
class Inventor {
 public:
  /// Of sequences, some that were `given`, and those up to the `published` one.
  Inventor(Choices& choices, const PlainStore& plain, const std::set<std::uint64_t>& given,
           std::uint64_t published)
      : choices_(choices), plain_(plain), given_(given), published_(published) {}

  PlainCommit commit() {
    PlainCommit commit;
    commit.durable = choices_.one_in(4);
    if (choices_.one_in(2)) {
      commit.snapshot = some_snapshot();
      commit.snapshot_isolation = choices_.one_in(8);
      for (std::uint64_t i = choices_.below(3); i > 0; --i) commit.reads.push_back(choices_.key());
      for (std::uint64_t i = choices_.below(2); i > 0; --i) commit.ranges.push_back(range());
    }
    for (std::uint64_t i = choices_.below(8) / 6; i > 0; --i) {
      const std::string key = choices_.key();
      commit.checks.push_back({key, expectation(key)});
    }
    for (std::uint64_t i = 1 + choices_.below(5) / 2; i > 0; --i) {
      const std::string key = choices_.key();
      PlainWrite write{key, std::nullopt, {}};
      if (!choices_.one_in(4)) write.value = std::to_string(choices_.below(100000));
      if (choices_.one_in(3)) write.expect = expectation(key);
      commit.writes.push_back(std::move(write));
    }
    return commit;
  }

 private:
  /// Mostly a recent one; sometimes an old one, of a history that may have been lost.
  std::uint64_t some_snapshot() {
    if (!given_.empty() && choices_.one_in(6)) {
      auto at = given_.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(choices_.below(given_.size())));
      return *at > published_ && plain_.has(*at) ? published_ : *at;
    }
    auto at = plain_.history().find(published_);
    for (std::uint64_t back = choices_.below(4); back > 0; --back) {
      if (at->first <= plain_.oldest()) break;
      --at;
    }
    return at->first;
  }
  PlainRange range() {
    PlainRange made;
    made.end = static_cast<PlainRange::End>(choices_.below(3));
    if (!choices_.one_in(4)) made.from = choices_.key();
    if (made.end != PlainRange::End::everything) made.to = choices_.key();
    return made;
  }
  PlainExpectation expectation(const std::string& key) {
    PlainExpectation made{static_cast<PlainExpectation::Kind>(choices_.below(4)), 0};
    if (made.kind != PlainExpectation::Kind::version) return made;
    const auto found = plain_.now().find(key);
    const std::uint64_t real = found == plain_.now().end() ? 0 : found->second.version;
    made.version = choices_.one_in(3) ? choices_.below(real + 2) : real;
    return made;
  }

  Choices& choices_;
  const PlainStore& plain_;
  const std::set<std::uint64_t>& given_;
  const std::uint64_t published_;
};

inline wire::Expectation expectation_for(const PlainExpectation& expect) {
  return {static_cast<wire::Expect>(expect.kind), expect.version};
}
/// The request that asks for it, of a client that has read what `plain` holds. Its texts are kept
/// by
/// `store`.
inline wire::CommitRequest request_for(const PlainCommit& commit, const PlainStore& plain,
                                       BareStore& store) {
  wire::CommitRequest request;
  request.durable = commit.durable;
  request.snapshot_isolation = commit.snapshot_isolation;
  request.has_snapshot = commit.snapshot.has_value();
  request.snapshot_generation = 1;
  request.snapshot_sequence = commit.snapshot.value_or(0);
  const auto then = plain.history().find(commit.snapshot.value_or(0));
  const bool known = then != plain.history().end();
  for (const std::string& key : commit.reads) {
    const auto found = known ? then->second.find(key) : PlainContent::const_iterator();
    const bool live = known && found != then->second.end() && found->second.live;
    request.reads.push_back({store.keep(key), live ? found->second.sequence : 0});
  }
  for (const PlainRange& range : commit.ranges) {
    std::uint64_t live = 0;
    if (known) {
      for (const auto& [key, what] : then->second) live += what.live && range.holds(key) ? 1 : 0;
    }
    request.ranges.push_back({store.keep(range.from), store.keep(range.to),
                              static_cast<wire::RangeEnd>(range.end), live});
  }
  for (const PlainCheck& check : commit.checks) {
    request.checks.push_back({store.keep(check.key), expectation_for(check.expect)});
  }
  for (const PlainWrite& write : commit.writes) {
    request.writes.push_back({store.keep(write.key), store.keep(write.value.value_or("")),
                              expectation_for(write.expect), !write.value});
  }
  return request;
}

}  // namespace dfs::test
