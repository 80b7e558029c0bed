#include "common/log/salvage.hpp"

#include <algorithm>

#include "common/log/lines.hpp"
#include "common/log/seal.hpp"
#include "common/log/value.hpp"

namespace dfs::log {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Reader {
 public:
  Reader(std::string_view bytes, bool accept_edits) : lines_(bytes), accept_edits_(accept_edits) {}

  Result<Salvage> run() {
    while (!lines_.at_end() && !other_store_) {
      lines_.next();
      ++found_.lines;
      if (auto refused = take(); refused) return *refused;
    }
    if (unwrapped_ > 0) {
      found_.findings.push_back({0, 0, false,
                                 std::to_string(unwrapped_) + " lines, from line " +
                                     std::to_string(first_unwrapped_) +
                                     " on, without a CR, byte order mark or NUL bytes "
                                     "around them, which are no part of a log"});
    }
    return std::move(found_);
  }

 private:
  // The line into line_; true where it counts.
  bool read() {
    const std::string_view whole = lines_.text();
    const std::string_view text = without_wrapping(whole);
    decode(text, line_);
    // Without its newline a line may be a piece of a longer one, unless the seal says it is whole.
    const bool certain = line_.sealed || (lines_.terminated() && text.size() == whole.size());
    if (line_.kind != LineKind::bad && (certain || accept_edits_)) {
      unwrapped_ += text.size() < whole.size() ? 1U : 0U;
      if (unwrapped_ == 1 && first_unwrapped_ == 0) first_unwrapped_ = lines_.number();
      if (!line_.sealed && !is_hand_written()) say(false, "taken: edited by hand, no checksum");
      return true;
    }
    std::string reason =
        line_.kind == LineKind::bad ? line_.reason : "it does not end as it should";
    if (line_.kind == LineKind::bad && line_.column > 0) {
      reason += " (column " + std::to_string(line_.column) + ")";
    }
    const bool readable = line_.kind != LineKind::bad || read_without_seal(text);
    if (readable && accept_edits_) {
      say(false, "taken, although " + reason);
      return true;
    }
    lose(reason + (readable ? "; it can be read, and --accept-edits takes it" : ""));
    ++found_.unreadable;
    return false;
  }

  bool read_without_seal(std::string_view text) {
    const auto seal = find_seal(text);
    if (!seal) return false;
    std::string edited(seal->sealed);
    edited += text.substr(seal->sealed.size() + kSealBytes);
    decode(found_.texts.emplace_back(std::move(edited)), line_);
    return line_.kind != LineKind::bad;
  }

  // An error where the file is not to be read at all.
  std::optional<Error> take() {
    if (lines_.text().empty() || lines_.text() == "\r") {
      say(false, "left out: an empty line");
      return std::nullopt;
    }
    if (!read()) {
      batch_time_ms_.reset();
      return std::nullopt;
    }
    found_.watermark = std::max(found_.watermark, line_.synced());
    found_.highest_sequence = std::max(found_.highest_sequence, line_.highest_sequence());
    switch (line_.kind) {
      case LineKind::record:
        take_record();
        break;
      case LineKind::first:
        return take_first();
      case LineKind::base:
        take_base();
        break;
      case LineKind::start:
        found_.starts.push_back(line_.start);
        batch_time_ms_.reset();
        break;
      default:
        break;
    }
    return std::nullopt;
  }

  void take_record() {
    if (is_hand_written() && !accept_edits_) {
      lose("it was written by hand, without \"s\"; --accept-edits takes it");
      return;
    }
    Record record = line_.record;
    const bool in_base = in_base_ && !record.watermark && record.commit_records == 1 &&
                         record.sequence <= found_.first->base;
    if (!in_base && record.sequence > 0) {
      in_base_ = false;
      if (record.time_ms) batch_time_ms_ = record.time_ms;
    }
    // A seal that fits is no promise that the value is JSON: whoever reads it would find out.
    const auto compacted = record.erased ? Result<std::string_view>(std::string_view())
                                         : checker_.compact(record.value, scratch_);
    if (!compacted) {
      lose("the value is " + std::string(compacted.error().text()));
      ++found_.unreadable;
      return;
    }
    record.in_base = in_base;
    record.value = *compacted;
    record.key = kept(record.key);
    record.value = kept(record.value);
    record.origin = {};
    found_.records.push_back({record, lines_.number(), lines_.offset(), batch_time_ms_});
  }

  std::optional<Error> take_first() {
    const First& first = line_.first;
    if (first.format != kFormat) {
      return Error(errc::incompatible, "the log has format " + std::to_string(first.format) +
                                           "; this version reads and mends format " +
                                           std::to_string(kFormat));
    }
    if (const auto need = unknown_need(first)) {
      return Error(errc::unsupported, "the log needs \"" + std::string(*need) +
                                          "\", which this version does not know");
    }
    if (!found_.first) {
      found_.first = first;
      in_base_ = first.base > 0;
    } else if (found_.first->store == first.store) {
      say(false, "passed over: the log's first line once more");
    } else if (accept_edits_) {
      say(false, "passed over: the first line of another store's log, " + first.store);
    } else {
      lose("here begins the log of another store, " + first.store +
           ": it and what follows is left out");
      other_store_ = true;
    }
    return std::nullopt;
  }

  void take_base() {
    in_base_ = false;
    // Where the first line is lost, this one tells what the records before it are.
    for (SalvagedRecord& one : found_.records) {
      const bool fits = one.record.commit_records == 1 && !one.record.watermark;
      const bool older = one.record.sequence > 0 && one.record.sequence <= line_.base.sequence;
      one.record.in_base = one.record.in_base || (fits && older);
    }
    if (!found_.base || found_.base->sequence < line_.base.sequence) found_.base = line_.base;
  }

  [[nodiscard]] bool is_hand_written() const {
    return line_.kind == LineKind::record && line_.record.sequence == 0;
  }

  std::string_view kept(std::string_view view) {
    const std::string_view all = lines_.all();
    const bool inside = view.data() >= all.data() && view.data() <= all.data() + all.size();
    return inside ? view : std::string_view(found_.texts.emplace_back(view));
  }

  void say(bool lost, std::string text) {
    found_.findings.push_back({lines_.number(), lines_.offset(), lost, std::move(text)});
  }
  void lose(const std::string& reason) { say(true, "lost: " + reason); }

  Lines lines_;
  const bool accept_edits_;
  Line line_;
  ValueChecker checker_;
  std::string scratch_;
  Salvage found_;
  bool in_base_ = false;
  bool other_store_ = false;
  std::uint64_t unwrapped_ = 0;
  std::uint64_t first_unwrapped_ = 0;
  std::optional<std::uint64_t> batch_time_ms_;
};

}  // namespace

std::string_view without_wrapping(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text.remove_prefix(std::min(text.find_first_not_of('\0'), text.size()));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Result<Salvage> salvage(std::string_view bytes, bool accept_edits) {
  return Reader(bytes, accept_edits).run();
}

}  // namespace dfs::log
