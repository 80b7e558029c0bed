#include "daemon/quantity.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace dfs::daemon {

namespace {

/// A decimal number and the unit behind it.
struct Quantity {
  std::uint64_t number = 0;
  std::string unit;
};

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Smallest first.
constexpr std::array<Unit, 4> kTimes{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 5> kSizes{{{"", 1},
                                      {"K", std::uint64_t{1} << 10U},
                                      {"M", std::uint64_t{1} << 20U},
                                      {"G", std::uint64_t{1} << 30U},
                                      {"T", std::uint64_t{1} << 40U}}};

Result<Quantity> parse_quantity(const std::string& text) {
  Quantity q;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, q.number);
  if (error != std::errc() || rest == text.data()) {
    return Error(errc::bad_argument, "'" + text + "' does not begin with a number");
  }
  q.unit.assign(rest, end);
  return q;
}

/// 0 for a unit that is not among them.
template <std::size_t N>
std::uint64_t factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return 0;
}

template <std::size_t N>
std::string text_in(const std::array<Unit, N>& units, std::uint64_t value) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (value != 0 && value % unit->factor == 0)
      return std::to_string(value / unit->factor) + std::string(unit->name);
  }
  return std::to_string(value) + std::string(units.front().name);
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  auto q = parse_quantity(text);
  if (!q) return std::move(q).error();
  const std::uint64_t factor = factor_of(kTimes, q->unit);
  constexpr std::uint64_t kMostMs = std::uint64_t{366} * 24 * 3'600'000;
  if (factor == 0) {
    return Error(errc::bad_argument, "'" + text + "' needs a unit: ms, s, m or h, as in 100ms");
  }
  if (q->number > kMostMs / factor)
    return Error(errc::bad_argument, "'" + text + "' is more than a year");
  return std::chrono::milliseconds(q->number * factor);
}

Result<std::uint64_t> parse_size(const std::string& text) {
  auto q = parse_quantity(text);
  if (!q) return std::move(q).error();
  const std::uint64_t factor = factor_of(kSizes, q->unit);
  if (factor == 0 || q->number > UINT64_MAX / factor) {
    return Error(errc::bad_argument,
                 "'" + text + "' is no size; say 512M or 4G (K, M, G, T), or bytes");
  }
  return q->number * factor;
}

Result<std::uint64_t> parse_count(const std::string& text) {
  auto q = parse_quantity(text);
  if (!q) return std::move(q).error();
  if (!q->unit.empty()) {
    return Error(errc::bad_argument, "'" + text + "' is no number alone, which it must be");
  }
  return q->number;
}

std::string duration_text(std::chrono::milliseconds time) {
  return text_in(kTimes, static_cast<std::uint64_t>(time.count()));
}

std::string size_text(std::uint64_t bytes) { return text_in(kSizes, bytes); }

}  // namespace dfs::daemon
