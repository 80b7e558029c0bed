#include "common/log/line.hpp"

#include <algorithm>
#include <optional>

#include "common/base/limits.hpp"
#include "common/log/crc32c.hpp"
#include "common/log/format.hpp"
#include "common/log/key.hpp"
#include "common/log/number_rules.hpp"
#include "common/log/quick_record.hpp"
#include "common/log/scanner.hpp"
#include "common/log/seal.hpp"

namespace dfs::log {

namespace {

constexpr NumberRule kFloorRule{"the floor", 0, kMaxVersion};
constexpr NumberRule kCountRule{"the number of records", 0, kMaxSequence};
constexpr NumberRule kFormatRule{"the format", 0, kMaxSequence};

}  // namespace

/// Reads what the quick way does not: control lines, escapes, and lines without a seal.
class LineReader {
 public:
  LineReader(std::string_view text, Scanner::Form form, Line& line)
      : scanner_(text, form), line_(line) {}

  void read() {
    const bool good = scanner_.rest().starts_with('[') ? control() : record();
    if (good) return;
    line_.kind = LineKind::bad;
    line_.reason = scanner_.reason();
    line_.column = scanner_.column();
  }

 private:
  bool record() {
    line_.kind = LineKind::record;
    Record& record = line_.record;
    if (!scanner_.take("{") || !scanner_.name("k") || !key()) return false;
    const bool has_version = scanner_.member_if("v");
    if (has_version && !scanner_.number(kVersionRule, record.version)) return false;
    bool has_value = false;
    if (!erased_and_value(has_value) || !members_behind_value()) return false;
    if (!line_.sealed && !closing("}")) return false;
    if (!scanner_.end()) return false;
    if (record.sequence == 0) {
      return (!line_.sealed || scanner_.fail("here should stand \"s\", the sequence")) && value();
    }
    if (!has_version) return scanner_.fail("\"v\", the version, should stand behind the key");
    if (record.erased && has_value) return scanner_.fail("an erased key should have no \"val\"");
    return value();
  }

  // The bracket behind the last member of an unsealed line.
  bool closing(std::string_view bracket) {
    if (scanner_.take_if(bracket)) return true;
    const std::size_t began = scanner_.position();
    if (scanner_.member_if("c")) {
      return scanner_.fail_at(began,
                              "\"c\" should be the last member, of 8 hex digits; or be "
                              "taken out, where the line was edited on purpose");
    }
    return scanner_.take(bracket);
  }

  bool key() {
    Record& record = line_.record;
    const std::size_t began = scanner_.position();
    if (scanner_.take_if("\"")) {
      scanner_.move_to(began);
      if (!scanner_.text(record.key, line_.key_scratch_)) return false;
    } else if (line_.sealed || !scanner_.integer(record.key)) {
      return scanner_.fail("here should stand a text, the key");
    }
    const auto checked = check_key(record.key);
    return checked.has_value() || scanner_.fail_at(began, checked.error().text());
  }

  bool erased_and_value(bool& has_value) {
    Record& record = line_.record;
    if (scanner_.member_if("d")) {
      record.erased = scanner_.take_if("true");
      if (!record.erased && !scanner_.take("false")) return false;
    }
    has_value = scanner_.member_if("val");
    value_at_ = scanner_.position();
    if (has_value) return scanner_.value(record.value);
    return record.erased || scanner_.fail("here should stand \"val\", the value");
  }

  // s, n, w, t, by, in this order; the others only where there is an s.
  bool members_behind_value() {
    Record& record = line_.record;
    std::uint64_t number = 0;
    if (!scanner_.member_if("s")) return true;
    if (!scanner_.number(kSequenceRule, record.sequence)) return false;
    if (scanner_.member_if("n")) {
      if (!scanner_.number(kRecordsRule, number)) return false;
      record.commit_records = static_cast<std::uint32_t>(number);
    }
    if (scanner_.member_if("w")) {
      if (!scanner_.number(kSequenceOrZeroRule, number)) return false;
      record.watermark = number;
    }
    if (scanner_.member_if("t")) {
      if (!scanner_.number(kTimeRule, number)) return false;
      record.time_ms = number;
    }
    if (!scanner_.member_if("by")) return true;
    const std::size_t began = scanner_.position();
    if (!scanner_.text(record.origin, line_.origin_scratch_)) return false;
    const bool fits = !record.origin.empty() && record.origin.size() <= kMaxByBytes;
    return fits || scanner_.fail_at(
                       began, "\"by\" should have 1 to " + std::to_string(kMaxByBytes) + " bytes");
  }

  // Checks the value, whose extent alone is known, and takes out its white space.
  bool value() {
    Record& record = line_.record;
    if (record.erased) {
      record.value = {};
      return true;
    }
    if (!line_.checker_) line_.checker_ = std::make_unique<ValueChecker>();
    const auto compacted = line_.checker_->compact(record.value, line_.value_scratch_);
    if (!compacted) {
      const Error& error = compacted.error();
      return scanner_.fail_at(value_at_ + error.offset(),
                              "the value is " + std::string(error.text()));
    }
    record.value = *compacted;
    return true;
  }

  bool control() {
    line_.first = {};
    line_.base = {};
    line_.start = {};
    line_.watermark = 0;
    std::string_view name;
    if (!scanner_.take("[") || !scanner_.text(name, line_.key_scratch_)) return false;
    if (!scanner_.take(",") || !scanner_.take("{")) return false;
    const bool known =
        name == "dfs" || name == "base" || name == "start" || name == "mark" || name == "stop";
    if (!known) {
      line_.kind = LineKind::other_control;
      line_.name = name;
      return line_.sealed || scanner_.fail("there is no such control line");
    }
    const bool good = name == "dfs"    ? first()
                      : name == "base" ? base()
                      : name == "start"
                          ? start()
                          : watermark(name == "mark" ? LineKind::mark : LineKind::stop);
    if (!good) return false;
    if (!line_.sealed && (!closing("}") || !scanner_.take("]"))) return false;
    return scanner_.end();
  }

  bool first() {
    line_.kind = LineKind::first;
    First& first = line_.first;
    if (!scanner_.name("format") || !scanner_.number(kFormatRule, first.format)) return false;
    if (first.format != kFormat) return foreign_first();
    if (!scanner_.take(",") || !scanner_.name("store") || !copied_text(first.store)) return false;
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (first.store.size() != kStoreIdDigits || !std::ranges::all_of(first.store, is_hex)) {
      return scanner_.fail("the store's id should be 32 hex digits, in lower case");
    }
    if (!scanner_.take(",") || !scanner_.name("base") ||
        !scanner_.number(kSequenceOrZeroRule, first.base)) {
      return false;
    }
    if (!scanner_.take(",") || !scanner_.name("needs") || !needs()) return false;
    return scanner_.take(",") && scanner_.name("dfs") && copied_text(first.dfs);
  }

  // Of another format only its number is known, and the version that wrote it if it stands where
  // ours does.
  bool foreign_first() {
    const std::string_view rest = scanner_.rest();
    if (const std::size_t at = rest.rfind(",\"dfs\":"); at != std::string_view::npos) {
      Scanner version(rest.substr(at + 7), Scanner::Form::lenient);
      std::string_view text;
      if (version.text(text, line_.value_scratch_)) line_.first.dfs = text;
    }
    scanner_.move_to(scanner_.position() + rest.size());
    if (!line_.sealed) {
      return scanner_.fail("the format should be " + std::to_string(kFormat));
    }
    return true;
  }

  bool needs() {
    if (!scanner_.take("[")) return false;
    if (scanner_.take_if("]")) return true;
    do {
      if (line_.first.needs.size() == kMaxNeeds) return scanner_.fail("the list is too long");
      if (!copied_text(line_.first.needs.emplace_back())) return false;
    } while (scanner_.take_if(","));
    return scanner_.take("]");
  }

  bool copied_text(std::string& text) {
    std::string_view view;
    if (!scanner_.text(view, line_.value_scratch_)) return false;
    text = view;
    return true;
  }

  bool base() {
    line_.kind = LineKind::base;
    Base& base = line_.base;
    return scanner_.name("records") && scanner_.number(kCountRule, base.records) &&
           scanner_.take(",") && scanner_.name("s") &&
           scanner_.number(kSequenceRule, base.sequence) && scanner_.take(",") &&
           scanner_.name("floor") && scanner_.number(kFloorRule, base.floor) &&
           scanner_.take(",") && scanner_.name("restored") &&
           scanner_.number(kFloorRule, base.restored) && scanner_.take(",") &&
           scanner_.name("gaps") && gaps() && scanner_.take(",") && scanner_.name("t") &&
           scanner_.number(kTimeRule, base.time_ms);
  }

  // Rising, none of them over the base's own sequence.
  bool gaps() {
    if (!scanner_.take("[")) return false;
    if (scanner_.take_if("]")) return true;
    Gap last;
    do {
      const std::size_t began = scanner_.position();
      Gap gap;
      if (!scanner_.take("[") || !scanner_.number(kSequenceOrZeroRule, gap.after) ||
          !scanner_.take(",") || !scanner_.number(kSequenceRule, gap.next) || !scanner_.take("]")) {
        return false;
      }
      const bool first = line_.base.gaps.empty();
      const std::uint64_t base = line_.base.sequence;
      const bool rises = first || gap.after >= last.next;
      const bool skips = gap.next > gap.after && gap.next - gap.after > 1;
      const bool below = gap.next <= base || gap.after == base;
      if (!rises || !skips || !below || line_.base.gaps.list().size() == kMaxGaps) {
        return scanner_.fail_at(began, "the gaps should rise up to the base's sequence, " +
                                           std::to_string(kMaxGaps) + " at most");
      }
      line_.base.gaps.add(gap.after, gap.next);
      last = gap;
    } while (scanner_.take_if(","));
    return scanner_.take("]");
  }

  bool start() {
    line_.kind = LineKind::start;
    Start& start = line_.start;
    const bool read = scanner_.name("after") && scanner_.number(kSequenceOrZeroRule, start.after) &&
                      scanner_.take(",") && scanner_.name("next") &&
                      scanner_.number(kSequenceRule, start.next) && scanner_.take(",") &&
                      scanner_.name("w") && scanner_.number(kSequenceOrZeroRule, start.watermark) &&
                      scanner_.take(",") && scanner_.name("t") &&
                      scanner_.number(kTimeRule, start.time_ms);
    return read &&
           (start.next > start.after || scanner_.fail("\"next\" should be above \"after\""));
  }

  bool watermark(LineKind kind) {
    line_.kind = kind;
    return scanner_.name("w") && scanner_.number(kSequenceOrZeroRule, line_.watermark);
  }

  Scanner scanner_;
  Line& line_;
  std::size_t value_at_ = 0;
};

std::string_view foreign_bytes(std::string_view text) {
  if (text.empty()) return "an empty line";
  if (text.starts_with("\xEF\xBB\xBF")) {
    return "a byte order mark, which an editor put there; take the three bytes out";
  }
  if (text.find_first_not_of('\0') == std::string_view::npos) return "nothing but NUL bytes";
  if (text.front() == '\0') return "NUL bytes, and then something else";
  if (text.ends_with('\r')) {
    return "a line that ends in CR LF, as some editors write them; a line ends in LF alone";
  }
  if (text.front() != '{' && text.front() != '[') return "something that is no line of a log";
  return {};
}

std::uint64_t Line::synced() const {
  switch (kind) {
    case LineKind::record:
      return record.watermark.value_or(0);
    case LineKind::first:
      return first.base;
    case LineKind::base:
      return base.sequence;
    case LineKind::start:
      return start.watermark;
    case LineKind::mark:
    case LineKind::stop:
      return watermark;
    case LineKind::other_control:
    case LineKind::bad:
      break;
  }
  return 0;
}

std::uint64_t Line::highest_sequence() const {
  const std::uint64_t own = kind == LineKind::record  ? record.sequence
                            : kind == LineKind::start ? start.next
                                                      : 0;
  return std::max(own, synced());
}

void decode(std::string_view text, Line& line) {
  line.record = {};
  line.reason.clear();
  line.column = 0;
  line.kind = LineKind::bad;
  line.sealed = false;
  if (text.size() > kMaxLineBytes) {
    line.reason = "a line of more than " + std::to_string(kMaxLineBytes) + " bytes";
    return;
  }
  if (const std::string_view foreign = foreign_bytes(text); !foreign.empty()) {
    line.reason = foreign;
    return;
  }
  const std::optional<Seal> seal = find_seal(text);
  if (!seal) {
    LineReader(text, Scanner::Form::lenient, line).read();
    return;
  }
  if (const std::uint32_t crc = crc32c(0, seal->sealed); crc != seal->crc) {
    line.reason = "its checksum is " + seal_digits(seal->crc) + ", the line's bytes have " +
                  seal_digits(crc) + ": it was damaged, or edited";
    return;
  }
  line.sealed = true;
  if (quick_record(seal->sealed, line.record)) {
    line.kind = LineKind::record;
    return;
  }
  line.record = {};
  LineReader(seal->sealed, Scanner::Form::strict, line).read();
}

}  // namespace dfs::log
