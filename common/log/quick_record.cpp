#include "common/log/quick_record.hpp"

#include <cstddef>
#include <cstdint>

#include "common/base/limits.hpp"
#include "common/log/key.hpp"
#include "common/log/number_rules.hpp"

namespace dfs::log {

namespace {

bool take_digits(std::string_view& rest, const NumberRule& rule, std::uint64_t& number) {
  std::uint64_t found = 0;
  std::size_t digits = 0;
  while (digits < rest.size() && digits < 17 && rest[digits] >= '0' && rest[digits] <= '9') {
    found = found * 10 + static_cast<std::uint64_t>(rest[digits] - '0');
    ++digits;
  }
  if (digits == 0 || (digits > 1 && rest.front() == '0')) return false;
  if (found < rule.least || found > rule.most) return false;
  rest.remove_prefix(digits);
  number = found;
  return true;
}

bool take_bytes(std::string_view& rest, std::string_view token) {
  if (!rest.starts_with(token)) return false;
  rest.remove_prefix(token.size());
  return true;
}

// The members of a record behind its value, in a sealed line without escapes in `by`. False sends
// the line to the thorough reader, which finds out what is the matter, if anything is.
bool quick_tail(std::string_view rest, Record& record) {
  std::uint64_t number = 0;
  if (!take_bytes(rest, ",\"s\":") || !take_digits(rest, kSequenceRule, record.sequence)) {
    return false;
  }
  if (take_bytes(rest, ",\"n\":")) {
    if (!take_digits(rest, kRecordsRule, number)) return false;
    record.commit_records = static_cast<std::uint32_t>(number);
  }
  if (take_bytes(rest, ",\"w\":")) {
    if (!take_digits(rest, kSequenceOrZeroRule, number)) return false;
    record.watermark = number;
  }
  if (take_bytes(rest, ",\"t\":")) {
    if (!take_digits(rest, kTimeRule, number)) return false;
    record.time_ms = number;
  }
  if (rest.empty()) return true;
  if (!take_bytes(rest, ",\"by\":\"") || !rest.ends_with('"')) return false;
  record.origin = rest.substr(0, rest.size() - 1);
  return !record.origin.empty() && record.origin.size() <= kMaxByBytes &&
         record.origin.find_first_of("\"\\") == std::string_view::npos;
}

// Where the last `,"s":` stands. It is near the end, and std::string_view::rfind is slow (60 ns).
std::size_t last_sequence_member(std::string_view text) {
  constexpr std::string_view kMember = ",\"s\":";
  for (std::size_t at = text.size(); at-- > 0;) {
    if (text[at] == ',' && text.substr(at, kMember.size()) == kMember) return at;
  }
  return std::string_view::npos;
}

}  // namespace

// The value is what lies between `"val":` and the last `,"s":`; nothing behind that one can hold
// those bytes, since a quote in `by` has a backslash before it.
bool quick_record(std::string_view rest, Record& record) {
  if (!take_bytes(rest, "{\"k\":\"")) return false;
  const std::size_t key_end = rest.find('"');
  if (key_end == std::string_view::npos || key_end > kMaxKeyBytes) return false;
  record.key = rest.substr(0, key_end);
  if (record.key.find('\\') != std::string_view::npos || !check_key(record.key)) return false;
  rest.remove_prefix(key_end);
  if (!take_bytes(rest, "\",\"v\":") || !take_digits(rest, kVersionRule, record.version)) {
    return false;
  }
  record.erased = take_bytes(rest, ",\"d\":true");
  if (!record.erased && !take_bytes(rest, ",\"d\":false,\"val\":")) return false;
  const std::size_t tail = last_sequence_member(rest);
  if (tail == std::string_view::npos || (tail == 0) != record.erased) return false;
  if (tail > kMaxValueBytes) return false;
  record.value = rest.substr(0, tail);
  return quick_tail(rest.substr(tail), record);
}

}  // namespace dfs::log
