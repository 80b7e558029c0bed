#include "common/log/encode.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/log/format.hpp"
#include "common/log/plain_text.hpp"
#include "common/log/seal.hpp"

namespace dfs::log {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Keys up to here are put together with what stands around them.
constexpr std::size_t kMostInPiece = 128;

// A few members, put together on the stack: cheaper than many small appends to the line.
class Piece {
 public:
  Piece& text(std::string_view text) {
    DFS_ASSERT(text.size() <= left(), "a piece holds what its callers put in");
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  // Of a literal the compiler knows the size.
  template <std::size_t Size>
  Piece& text(const char (&text)[Size]) {  // NOLINT(*-avoid-c-arrays): what a literal is
    DFS_ASSERT(Size - 1 <= left(), "a piece holds what its callers put in");
    std::memcpy(at_, text, Size - 1);
    at_ += Size - 1;
    return *this;
  }
  Piece& number(std::uint64_t value) {
    const auto result = std::to_chars(at_, bytes_.data() + bytes_.size(), value);
    DFS_ASSERT(result.ec == std::errc(), "a piece holds what its callers put in");
    at_ = result.ptr;
    return *this;
  }
  void clear() { at_ = bytes_.data(); }
  [[nodiscard]] std::string_view view() const {
    return {bytes_.data(), static_cast<std::size_t>(at_ - bytes_.data())};
  }

 private:
  [[nodiscard]] std::size_t left() const {
    return bytes_.size() - static_cast<std::size_t>(at_ - bytes_.data());
  }
  std::array<char, kMostInPiece + 192>
      bytes_;  // NOLINT(*-member-init): only what was written is read
  char* at_ = bytes_.data();
};

constexpr bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
  constexpr std::string_view kShortNames = "btnfr\"\\";
  if (const std::size_t i = kShort.find(c); i != std::string_view::npos) {
    out += '\\';
    out += kShortNames[i];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHexDigits[byte >> 4U];
  out += kHexDigits[byte & 0xFU];
}

// What escapes add to a text at the most.
std::size_t escape_bytes(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t at = plain_prefix(text); at < text.size(); ++at) {
    bytes += needs_escape(text[at]) ? 5U : 0U;
  }
  return bytes;
}

// The inside of a JSON text.
void append_inside(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = plain_prefix(text); i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out.append(text, done, i - done);
    append_escaped(out, text[i]);
    done = i + 1;
  }
  out.append(text, done);
}

void append_watermark_line(std::string& out, std::string_view start, std::uint64_t watermark) {
  const std::size_t line_start = out.size();
  Piece piece;
  piece.text(start).number(watermark);
  out.append(piece.view());
  append_seal(out, line_start, "}]");
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  out += '"';
  append_inside(out, text);
  out += '"';
}

void append_record(std::string& out, const Record& record) {
  DFS_ASSERT(record.sequence > 0, "every record that is written has a sequence");
  DFS_ASSERT(!record.in_base || (record.commit_records == 1 && !record.watermark),
             "base records have no n and no w");
  const std::size_t line_start = out.size();
  Piece head;
  head.text("{\"k\":\"");
  if (record.key.size() <= kMostInPiece && all_plain(record.key)) {
    head.text(record.key);
  } else {
    out.append(head.view());
    append_inside(out, record.key);
    head.clear();
  }
  head.text("\",\"v\":").number(record.version);
  if (record.erased) {
    out.append(head.text(",\"d\":true").view());
  } else {
    out.append(head.text(",\"d\":false,\"val\":").view());
    out.append(record.value);
  }
  Piece tail;
  tail.text(",\"s\":").number(record.sequence);
  if (record.commit_records != 1) tail.text(",\"n\":").number(record.commit_records);
  if (record.watermark) tail.text(",\"w\":").number(*record.watermark);
  if (record.time_ms) tail.text(",\"t\":").number(*record.time_ms);
  out.append(tail.view());
  if (!record.origin.empty() && !record.in_base) {
    out.append(",\"by\":");
    append_text(out, record.origin);
  }
  append_seal(out, line_start, "}");
}

void append_first(std::string& out, const First& first) {
  const std::size_t line_start = out.size();
  out += "[\"dfs\",{\"format\":" + std::to_string(first.format) + ",\"store\":";
  append_text(out, first.store);
  out += ",\"base\":" + std::to_string(first.base) + ",\"needs\":[";
  for (const std::string& need : first.needs) {
    if (&need != first.needs.data()) out += ',';
    append_text(out, need);
  }
  out += "],\"dfs\":";
  append_text(out, first.dfs);
  append_seal(out, line_start, "}]");
}

void append_base(std::string& out, const Base& base) {
  const std::size_t line_start = out.size();
  out += "[\"base\",{\"records\":" + std::to_string(base.records) +
         ",\"s\":" + std::to_string(base.sequence) + ",\"floor\":" + std::to_string(base.floor) +
         ",\"restored\":" + std::to_string(base.restored) + ",\"gaps\":[";
  for (const Gap& gap : base.gaps.list()) {
    if (&gap != base.gaps.list().data()) out += ',';
    out += '[' + std::to_string(gap.after) + ',' + std::to_string(gap.next) + ']';
  }
  out += "],\"t\":" + std::to_string(base.time_ms);
  append_seal(out, line_start, "}]");
}

void append_start(std::string& out, const Start& start) {
  DFS_ASSERT(start.after < start.next, "sequences rise (I5)");
  const std::size_t line_start = out.size();
  Piece piece;
  piece.text("[\"start\",{\"after\":").number(start.after).text(",\"next\":").number(start.next);
  piece.text(",\"w\":").number(start.watermark).text(",\"t\":").number(start.time_ms);
  out.append(piece.view());
  append_seal(out, line_start, "}]");
}

void append_mark(std::string& out, std::uint64_t watermark) {
  append_watermark_line(out, "[\"mark\",{\"w\":", watermark);
}

void append_stop(std::string& out, std::uint64_t watermark) {
  append_watermark_line(out, "[\"stop\",{\"w\":", watermark);
}

std::size_t record_line_bytes(const Record& record) {
  // Names and punctuation, five numbers of at most 20 digits, the seal with its brackets, newline.
  constexpr std::size_t kNames =
      std::string_view("{\"k\":\"\",\"v\":,\"d\":false,\"val\":,\"s\":,\"n\":,\"w\":,\"t\":")
          .size();
  std::size_t bytes =
      kNames + std::size_t{5} * 20 + kSealBytes + 2 + record.key.size() + record.value.size();
  bytes += escape_bytes(record.key);
  if (!record.origin.empty()) {
    bytes += std::string_view(",\"by\":\"\"").size() + record.origin.size();
    bytes += escape_bytes(record.origin);
  }
  return bytes;
}

}  // namespace dfs::log
