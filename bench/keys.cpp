#include "bench/keys.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dfs::bench {

namespace {

constexpr double kZipfExponent = 0.99;
constexpr std::size_t kValuesInTurn = 1024;

/// A permutation of the 64-bit numbers without visible order (the finaliser of SplitMix64).
std::uint64_t scatter(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111eb;
  return x ^ (x >> 31U);
}

void append_digits(std::string& out, std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out += text;
}

void append_hex(std::string& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[(number >> static_cast<unsigned>(shift)) & 15U];
  }
}

}  // namespace

std::string key_of(Shape shape, std::uint64_t number) {
  std::string key;
  switch (shape) {
    case Shape::user:
      key = "user";
      append_digits(key, number, 12);
      break;
    case Shape::hex:
      append_hex(key, scatter(number));
      append_hex(key, scatter(~number));
      break;
    case Shape::tenant:
      key = "tenant";
      append_digits(key, number % 100, 3);
      key += "/user/";
      append_digits(key, number, 8);
      key += "/profile";
      break;
  }
  return key;
}

std::string value_of(std::uint64_t number, std::size_t bytes) {
  std::string value = R"({"id":)" + std::to_string(number) + R"(,"name":")";
  append_hex(value, scatter(number));
  value += R"(","score":)" + std::to_string(scatter(number) % 1000) + R"(,"note":")";
  constexpr std::string_view kEnd = R"("})";
  while (value.size() + kEnd.size() < bytes) {
    value += static_cast<char>('a' + (value.size() * 7 + number) % 26);
  }
  return value.append(kEnd);
}

std::vector<std::uint32_t> shuffled(std::uint64_t first, std::uint64_t count, Random& random) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), static_cast<std::uint32_t>(first));
  std::shuffle(numbers.begin(), numbers.end(), random);
  return numbers;
}

Draw::Draw(Distribution distribution, std::uint64_t count)
    : distribution_(distribution), count_(count) {
  if (distribution == Distribution::uniform) return;
  // Gray et al., "Quickly generating billion-record synthetic databases", as most suites draw it.
  for (std::uint64_t i = 1; i <= count; ++i) {
    zeta_ += 1 / std::pow(static_cast<double>(i), kZipfExponent);
  }
  const double first_two = 1 + std::pow(0.5, kZipfExponent);
  eta_ =
      (1 - std::pow(2 / static_cast<double>(count), 1 - kZipfExponent)) / (1 - first_two / zeta_);
}

std::uint64_t Draw::next(Random& random) const {
  if (distribution_ == Distribution::uniform) return random() % count_;
  const double u = static_cast<double>(random() >> 11U) * 0x1p-53;
  std::uint64_t rank = 0;
  if (u * zeta_ >= 1 + std::pow(0.5, kZipfExponent)) {
    rank = static_cast<std::uint64_t>(static_cast<double>(count_) *
                                      std::pow(eta_ * u - eta_ + 1, 1 / (1 - kZipfExponent)));
  } else if (u * zeta_ >= 1) {
    rank = 1;
  }
  // Multiplied by a prime that no count here has as a factor: a permutation of the ranks.
  return std::min(rank, count_ - 1) * 2'654'435'761U % count_;
}

Queries::Queries(Shape shape, const Draw& draw, std::size_t count, Random& random) {
  std::vector<std::size_t> sizes(count);
  for (std::size_t& size : sizes) {
    const std::string key = key_of(shape, draw.next(random));
    bytes_ += key;
    size = key.size();
  }
  std::string_view left = bytes_;
  for (const std::size_t size : sizes) {
    keys_.push_back(left.substr(0, size));
    left.remove_prefix(size);
  }
}

Values::Values(std::size_t bytes) {
  for (std::uint64_t i = 0; i < kValuesInTurn; ++i) values_.push_back(value_of(i, bytes));
}

}  // namespace dfs::bench
