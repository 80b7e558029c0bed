#include "libclient/writes.hpp"

#include <algorithm>
#include <cstdint>

#include "common/base/limits.hpp"

namespace dfs::client {

Writes::Writes(const Writes& other) : bytes_(other.bytes_), wrong_(other.wrong_) {
  for (const auto& [key, kept] : other.by_key_) {
    by_key_.emplace(keep(key),
                    KeptWrite{kept.order, kept.erase, {kept.value, &memory_}, kept.expect});
  }
  for (const KeptCheck& kept : other.checks_) {
    checks_.push_back({keep(kept.key), kept.expect});
  }
}

std::string_view Writes::keep(std::string_view key) {
  auto* kept = static_cast<char*>(memory_.allocate(key.size(), 1));
  std::copy(key.begin(), key.end(), kept);
  return {kept, key.size()};
}

bool Writes::accept(const Asked& asked) {
  const std::size_t key_bytes = asked.key.size();
  const std::size_t count = asked.subject == wire::Subject::write ? by_key_.size() : checks_.size();
  if (wrong_) return false;
  if (key_bytes == 0) {
    refuse(asked, errc::bad_key, wire::Rule::key_empty, 0);
  } else if (key_bytes > kMaxKeyBytes) {
    refuse(asked, errc::too_large, wire::Rule::key_too_long, kMaxKeyBytes);
  } else if (asked.value_bytes > kMaxValueBytes) {
    refuse(asked, errc::too_large, wire::Rule::value_too_long, kMaxValueBytes);
  } else if (count >= kMaxCommitRecords) {
    // Said now and not at the commit, so that what is kept has a bound.
    refuse(asked, errc::too_large, wire::Rule::commit_records, kMaxCommitRecords);
  } else if (bytes_ + key_bytes + asked.value_bytes > kMaxCommitBytes) {
    refuse(asked, errc::too_large, wire::Rule::commit_bytes, kMaxCommitBytes);
  }
  return !wrong_;
}

void Writes::refuse(const Asked& asked, errc code, wire::Rule rule, std::uint64_t limit) {
  wire::Refusal refusal;
  refusal.code = code;
  refusal.rule = rule;
  refusal.subject = asked.subject;
  refusal.index = static_cast<std::uint32_t>(
      asked.subject == wire::Subject::write ? by_key_.size() : checks_.size());
  refusal.limit = limit;
  refusal.key = asked.key;
  wrong_ = wire::to_error(refusal);
}

void Writes::set(std::string_view key, std::string_view value, Expect expect) {
  write(key, value, false, expect);
}

void Writes::erase(std::string_view key, Expect expect) { write(key, {}, true, expect); }

void Writes::write(std::string_view key, std::string_view value, bool erase, Expect expect) {
  if (!accept({wire::Subject::write, key, value.size()})) return;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    by_key_.emplace(keep(key),
                    KeptWrite{by_key_.size(), erase, std::pmr::string(value, &memory_), expect});
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
  if (!accept({wire::Subject::check, key, 0})) return;
  checks_.push_back({keep(key), expect});
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
