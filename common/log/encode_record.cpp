// Records, which a log is full of: each is put together in its place, without a look at the room
// that is left, since it was made sure of before. The other lines are in encode.cpp.
#include <charconv>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/log/encode.hpp"
#include "common/log/escape.hpp"
#include "common/log/format.hpp"
#include "common/log/plain_text.hpp"
#include "common/log/seal.hpp"

namespace dfs::log {

namespace {

// A line that grows where it lies.
class Growing {
 public:
  explicit Growing(char* at) : at_(at) {}

  // Of a literal the compiler knows the size.
  template <std::size_t Size>
  Growing& text(const char (&text)[Size]) {  // NOLINT(*-avoid-c-arrays): what a literal is
    std::memcpy(at_, text, Size - 1);
    at_ += Size - 1;
    return *this;
  }
  Growing& text(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Growing& number(std::uint64_t value) {
    constexpr std::size_t kMostDigits = 20;
    at_ = std::to_chars(at_, at_ + kMostDigits, value).ptr;
    return *this;
  }
  // The inside of a JSON text.
  Growing& inside(std::string_view text) {
    if (all_plain(text)) return this->text(text);
    at_ = escape(text, at_);
    return *this;
  }
  [[nodiscard]] char* at() const { return at_; }

 private:
  char* at_;
};

// At most `most_record_line_bytes`.
char* put_record(const Record& record, char* line) {
  DFS_ASSERT(record.sequence > 0, "every record that is written has a sequence");
  DFS_ASSERT(!record.in_base || (record.commit_records == 1 && !record.watermark),
             "base records have no n and no w");
  Growing out(line);
  out.text("{\"k\":\"").inside(record.key).text("\",\"v\":").number(record.version);
  if (record.erased) {
    out.text(",\"d\":true,\"s\":");
  } else {
    out.text(",\"d\":false,\"val\":").text(record.value).text(",\"s\":");
  }
  out.number(record.sequence);
  if (record.commit_records != 1) out.text(",\"n\":").number(record.commit_records);
  if (record.watermark) out.text(",\"w\":").number(*record.watermark);
  if (record.time_ms) out.text(",\"t\":").number(*record.time_ms);
  if (!record.origin.empty() && !record.in_base) {
    out.text(",\"by\":\"").inside(record.origin).text("\"");
  }
  return put_seal(line, out.at(), "}");
}

}  // namespace

void append_record(LineBuffer& out, const Record& record) {
  out.end_line(put_record(record, out.room(most_record_line_bytes(record))));
}

void append_record(std::string& out, const Record& record) {
  const std::size_t begin = out.size();
  out.resize(begin + record_line_bytes(record));
  const char* end = put_record(record, out.data() + begin);
  out.resize(static_cast<std::size_t>(end - out.data()));
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

std::size_t most_record_line_bytes(const Record& record) {
  return kMaxRecordOverhead + kMostEscapeBytes * record.key.size() + record.value.size();
}

}  // namespace dfs::log
