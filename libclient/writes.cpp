#include "libclient/writes.hpp"

#include <cstdint>

#include "common/base/limits.hpp"

namespace dfs::client {

wire::Expectation to_wire(Expect expect) noexcept {
  switch (expect.kind()) {
    case Expect::Kind::any:
      return {wire::Expect::any, 0};
    case Expect::Kind::present:
      return {wire::Expect::present, 0};
    case Expect::Kind::absent:
      return {wire::Expect::absent, 0};
    case Expect::Kind::version:
      return {wire::Expect::version, expect.version()};
  }
  return {};
}

bool Writes::accept(const wire::Refusal& about, std::size_t value_bytes) {
  if (wrong_) return false;
  wire::Refusal refusal = about;
  const auto refuse = [&](errc code, wire::Rule rule, std::uint64_t limit) {
    refusal.code = code;
    refusal.rule = rule;
    refusal.limit = limit;
    wrong_ = wire::to_error(refusal);
    return false;
  };
  if (about.key.empty()) return refuse(errc::bad_key, wire::Rule::key_empty, 0);
  if (about.key.size() > kMaxKeyBytes) {
    return refuse(errc::too_large, wire::Rule::key_too_long, kMaxKeyBytes);
  }
  if (value_bytes > kMaxValueBytes) {
    return refuse(errc::too_large, wire::Rule::value_too_long, kMaxValueBytes);
  }
  // Said now and not at the commit, so that what is kept has a bound.
  if (size() >= kMaxCommitRecords && about.index >= kMaxCommitRecords) {
    return refuse(errc::too_large, wire::Rule::commit_records, kMaxCommitRecords);
  }
  if (bytes_ + about.key.size() + value_bytes > kMaxCommitBytes) {
    return refuse(errc::too_large, wire::Rule::commit_bytes, kMaxCommitBytes);
  }
  return true;
}

void Writes::set(std::string_view key, std::string_view value, Expect expect) {
  write(key, value, false, expect);
}

void Writes::erase(std::string_view key, Expect expect) { write(key, {}, true, expect); }

void Writes::write(std::string_view key, std::string_view value, bool erase, Expect expect) {
  wire::Refusal about;
  about.subject = wire::Subject::write;
  about.index = static_cast<std::uint32_t>(by_key_.size());
  about.key = key;
  if (!accept(about, value.size())) return;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    by_key_.emplace(key, KeptWrite{by_key_.size(), erase, std::string(value), expect});
    bytes_ += key.size() + value.size();
    return;
  }
  KeptWrite& kept = found->second;
  bytes_ = bytes_ - kept.value.size() + value.size();
  kept.erase = erase;
  kept.value = value;
  // Each is compared with the store before the commit, so it is a check like any.
  if (expect != expect_any) check(key, expect);
}

void Writes::check(std::string_view key, Expect expect) {
  wire::Refusal about;
  about.subject = wire::Subject::check;
  about.index = static_cast<std::uint32_t>(checks_.size());
  about.key = key;
  if (!accept(about, 0)) return;
  checks_.push_back({std::string(key), expect});
  bytes_ += key.size();
}

void Writes::fill(wire::CommitRequest& request) const {
  const std::size_t first = request.writes.size();
  request.writes.resize(first + by_key_.size());
  for (const auto& [key, kept] : by_key_) {
    request.writes[first + kept.order] = {key, kept.value, to_wire(kept.expect), kept.erase};
  }
  request.checks.reserve(request.checks.size() + checks_.size());
  for (const KeptCheck& kept : checks_) {
    request.checks.push_back({kept.key, to_wire(kept.expect)});
  }
}

}  // namespace dfs::client
