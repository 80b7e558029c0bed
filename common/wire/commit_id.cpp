#include "common/wire/commit_id.hpp"

#include <charconv>

namespace dfs::wire {

namespace {

constexpr std::size_t kIdDigits = 2 * std::tuple_size_v<StoreId>;

int digit_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_text(const StoreId& store) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(kIdDigits);
  for (const std::byte byte : store) {
    text += kHex[std::to_integer<unsigned>(byte) >> 4];
    text += kHex[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string to_text(const CommitId& id) {
  return to_text(id.store) + '-' + std::to_string(id.sequence);
}

std::optional<StoreId> parse_store_id(std::string_view text) noexcept {
  if (text.size() != kIdDigits) return std::nullopt;
  StoreId store{};
  for (std::size_t i = 0; i < store.size(); ++i) {
    const int high = digit_value(text[2 * i]);
    const int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    store[i] = static_cast<std::byte>(high * 16 + low);
  }
  return store;
}

std::optional<CommitId> parse_commit_id(std::string_view text) noexcept {
  if (text.size() < kIdDigits + 2 || text[kIdDigits] != '-') return std::nullopt;
  const auto store = parse_store_id(text.substr(0, kIdDigits));
  if (!store) return std::nullopt;
  const std::string_view digits = text.substr(kIdDigits + 1);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::uint64_t sequence = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, sequence);
  if (error != std::errc() || stop != end) return std::nullopt;
  return CommitId{*store, sequence};
}

}  // namespace dfs::wire
