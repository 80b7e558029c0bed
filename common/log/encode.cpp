#include "common/log/encode.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/log/escape.hpp"
#include "common/log/seal.hpp"

namespace dfs::log {

namespace {

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
  std::array<char, 192> bytes_;  // NOLINT(*-member-init): only what was written is read
  char* at_ = bytes_.data();
};

void append_watermark_line(std::string& out, std::string_view start, std::uint64_t watermark) {
  const std::size_t line_start = out.size();
  Piece piece;
  piece.text(start).number(watermark);
  out.append(piece.view());
  append_seal(out, line_start, "}]");
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out.resize(begin + text.size() + escape_bytes(text) + 2);
  char* at = out.data() + begin;
  *at++ = '"';
  at = escape(text, at);
  *at++ = '"';
  out.resize(static_cast<std::size_t>(at - out.data()));
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

}  // namespace dfs::log
