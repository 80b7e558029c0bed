// The walk over the lines of a log, from which recovery's verdict comes.
#include "common/log/recovery.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/limits.hpp"
#include "common/log/first_line.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/log/pending_commit.hpp"

namespace dfs::log {

namespace {

std::string commits_text(std::uint64_t from, std::uint64_t to) {
  return from == to ? "commit " + std::to_string(from)
                    : "commits " + std::to_string(from) + " to " + std::to_string(to);
}

// Where a line stands: from 1, and from 0.
struct Place {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
};

// Walks once over the lines of a log: the first line, the base, the rest. From the first line that
// is bad or missing on, nothing counts, and it only looks for what the good lines say.
class Replay {
 public:
  Replay(std::string_view bytes, Lines lines, RecordVisitor& visitor)
      : lines_(lines), visitor_(visitor), pending_(bytes) {}

  Recovery run() {
    if (lines_.at_end()) return std::move(result_);
    lines_.next();
    read_first();
    while (!ended_ && !lines_.at_end()) {
      lines_.next();
      read_line();
    }
    if (!ended_) read_end();
    finish();
    return std::move(result_);
  }

 private:
  void read_first() {
    decode(lines_.text(), line_);
    if (line_.kind == LineKind::first && lines_.terminated()) result_.first = line_.first;
    if (auto refusal = refuse_first(line_, lines_)) {
      refuse(refusal->kind, std::move(refusal->reason));
      return;
    }
    note_good_line();
    after_ = result_.first.base;
    expected_ = after_ + 1;
    in_base_ = result_.first.base > 0;
    accept();
  }

  // --- the lines behind it

  void read_line() {
    if (!lines_.terminated()) {
      stop_here("it does not end with a newline: it was torn");
      return;
    }
    decode(lines_.text(), line_);
    if (line_.kind == LineKind::bad) {
      stop_here(bad_text(line_));
      return;
    }
    note_good_line();
    if (is_hand_written()) {
      hand_written();
      return;
    }
    if (!line_.sealed) result_.edited_lines.push_back(lines_.number());
    if (in_base_) {
      base_line();
    } else {
      tail_line();
    }
  }

  void base_line() {
    if (line_.kind == LineKind::base) {
      end_base();
      return;
    }
    Record& record = line_.record;
    if (line_.kind != LineKind::record) {
      stop_here("it stands among the records of the base, before their [\"base\",...] line");
    } else if (record.commit_records != 1 || record.watermark || !record.origin.empty()) {
      stop_here("it stands among the records of the base, which have no n, w or by");
    } else if (record.sequence > result_.first.base) {
      stop_here("its sequence is above the base's, " + std::to_string(result_.first.base));
    } else if (result_.base_records > 0 && record.key <= base_key_) {
      stop_here("its key does not come behind the one before it: lines were doubled or moved");
    } else {
      base_key_ = record.key;
      record.in_base = true;
      if (!deliver(record)) return;
      ++result_.base_records;
      accept();
    }
  }

  void end_base() {
    const Base& base = line_.base;
    if (base.sequence != result_.first.base) {
      stop_here("it ends a base of sequence " + std::to_string(base.sequence) +
                ", and the first line announces " + std::to_string(result_.first.base));
      return;
    }
    if (base.records != result_.base_records) {
      stop_here("it counts " + std::to_string(base.records) + " records, and " +
                std::to_string(result_.base_records) + " stand before it: lines are missing");
      return;
    }
    in_base_ = false;
    result_.floor = base.floor;
    result_.restored = base.restored;
    result_.gaps = base.gaps;
    if (!base.gaps.empty() && base.gaps.list().back().after == base.sequence) {
      announce(base.gaps.list().back().next);
    }
    accept();
  }

  void tail_line() {
    if (!pending_.empty() && !continues_commit()) {
      stop_here("here should stand " + pending_.next_text());
      return;
    }
    const bool leads = line_.kind == LineKind::first || line_.kind == LineKind::base;
    if (!leads && line_.synced() > after_) {
      stop_here("it says that commits to " + std::to_string(line_.synced()) +
                " were on disk, and the last one before it is " + std::to_string(after_) +
                ": lines are missing or moved");
      return;
    }
    switch (line_.kind) {
      case LineKind::record:
        commit_line();
        break;
      case LineKind::start:
        start_line();
        break;
      case LineKind::mark:
      case LineKind::stop:
        accept();
        result_.clean_stop = line_.kind == LineKind::stop;
        break;
      case LineKind::other_control:
        ++result_.other_controls;
        accept();
        break;
      case LineKind::first:
      case LineKind::base:
      case LineKind::bad:
        stop_here("it can stand only at the beginning: was one log put behind another?");
        break;
    }
  }

  // The first line of a batch has a time, so the others of a commit have none.
  [[nodiscard]] bool continues_commit() const {
    return line_.kind == LineKind::record && !line_.record.time_ms &&
           pending_.continued_by(line_.record);
  }

  void commit_line() {
    Record& record = line_.record;
    if (record.sequence != expected_) {
      stop_here(record.sequence > expected_
                    ? "here should stand " + commits_text(expected_, record.sequence - 1) +
                          ", and it is " + std::to_string(record.sequence) +
                          ": lines are missing or moved"
                    : "here should stand commit " + std::to_string(expected_) + ", and it is " +
                          std::to_string(record.sequence) + ": lines were doubled or moved");
      return;
    }
    if (record.time_ms) batch_time_ms_ = record.time_ms;
    record.time_ms = batch_time_ms_;
    if (record.commit_records == 1) {
      if (deliver(record)) end_commit();
      return;
    }
    if (!pending_.add(record)) {
      stop_here("its key stands in commit " + std::to_string(expected_) +
                " already: lines were doubled or moved");
      return;
    }
    if (!pending_.complete()) return;
    for (const Record& whole : pending_.records()) {
      if (!deliver(whole)) return;
    }
    pending_.clear();
    end_commit();
  }

  void end_commit() {
    after_ = expected_;
    ++expected_;
    ++result_.commits;
    accept();
  }

  void start_line() {
    const Start& start = line_.start;
    if (start.after != after_) {
      stop_here("it follows commit " + std::to_string(start.after) +
                ", and the last one before it is " + std::to_string(after_) +
                ": lines are missing or moved");
    } else if (start.next < expected_) {
      stop_here("it goes on with " + std::to_string(start.next) + ", where " +
                std::to_string(expected_) + " is the next that was never announced");
    } else {
      result_.gaps.add(start.after, start.next);
      announce(start.next);
      batch_time_ms_.reset();
      accept();
    }
  }

  void announce(std::uint64_t next) {
    expected_ = next;
    highest_ = std::max(highest_, next);
  }

  bool deliver(const Record& record) {
    if (auto taken = visitor_.record(record); !taken) {
      result_.visitor_error = taken.error();
      refuse(RecoveryKind::refused, std::string(taken.error().text()));
      return false;
    }
    ++result_.records;
    return true;
  }

  // The line just read counts, with all before it.
  void accept() {
    result_.good_end = lines_.end_offset();
    result_.good_lines = lines_.number();
    result_.clean_stop = false;
  }

  // --- lines by hand

  [[nodiscard]] bool is_hand_written() const {
    return line_.kind == LineKind::record && line_.record.sequence == 0;
  }

  // Lines without a sequence count where no line of the log follows any more.
  void hand_written() {
    if (in_base_ || !pending_.empty()) {
      stop_here("a line without \"s\" stands inside a commit or the base");
      return;
    }
    const Place first = place();
    bool readable = true;
    while (readable && is_hand_written()) {
      const Record& record = line_.record;
      result_.hand_written.push_back({.key = std::string(record.key),
                                      .erased = record.erased,
                                      .value = std::string(record.value),
                                      .line = lines_.number()});
      if (lines_.at_end()) return;
      lines_.next();
      decode(lines_.text(), line_);
      readable = lines_.terminated() && line_.kind != LineKind::bad;
    }
    const Place here = place();
    std::string reason = line_.kind == LineKind::bad
                             ? bad_text(line_)
                             : std::string("it does not end with a newline: it was torn");
    read_rest();
    if (good_behind_) {
      result_.hand_written.clear();
      verdict(first,
              "it has no \"s\", and such a line counts only behind the last line of the log");
    } else {
      verdict(here, std::move(reason));
    }
  }

  // --- the end, and the verdict

  void read_end() {
    const Place end{lines_.number() + 1, lines_.all().size()};
    if (in_base_) {
      verdict(end, "the file ends before the [\"base\",...] line that ends its base");
    } else if (!pending_.empty()) {
      verdict(end, "the file ends where " + pending_.next_text() + " should stand");
    } else if (expected_ <= result_.watermark) {
      verdict(end, "the file ends where " + commits_text(expected_, result_.watermark) +
                       " should stand");
    } else {
      result_.kind = RecoveryKind::whole;
    }
  }

  void stop_here(std::string reason) {
    const Place here = place();
    read_rest();
    verdict(here, std::move(reason));
  }

  // From the first bad line on. What was zeroed before a good line leaves it as true as it was.
  void read_rest() {
    for (;;) {
      const std::string_view text = lines_.text();
      decode(text.substr(std::min(text.find_first_not_of('\0'), text.size())), line_);
      if (lines_.terminated() && line_.kind != LineKind::bad) {
        note_good_line();
        good_behind_ = good_behind_ || !is_hand_written();
      }
      if (lines_.at_end()) return;
      lines_.next();
    }
  }

  // What a good line says is true wherever it stands: so much was on disk, so much was given.
  void note_good_line() {
    result_.watermark = std::max(result_.watermark, line_.synced());
    highest_ = std::max(highest_, line_.highest_sequence());
  }

  // I4: x > W was never known to be on disk, nor was anything behind it. x <= W was, and is gone.
  void verdict(Place bad, std::string reason) {
    ended_ = true;
    result_.bad_line = bad.line;
    result_.bad_offset = bad.offset;
    result_.reason = std::move(reason);
    result_.missing_sequence = in_base_ ? result_.first.base : expected_;
    const bool known_synced = in_base_ || expected_ <= result_.watermark;
    result_.kind = known_synced ? RecoveryKind::damaged : RecoveryKind::cut;
  }

  // A verdict on the line just read that does not depend on the watermark.
  void refuse(RecoveryKind kind, std::string reason) {
    ended_ = true;
    result_.kind = kind;
    result_.bad_line = lines_.number();
    result_.bad_offset = lines_.offset();
    result_.reason = std::move(reason);
  }

  void finish() {
    if (result_.kind != RecoveryKind::whole) result_.clean_stop = false;
    result_.after = after_;
    result_.next = next_sequence(after_, highest_, result_.clean_stop);
    while (!result_.edited_lines.empty() && result_.edited_lines.back() > result_.good_lines) {
      result_.edited_lines.pop_back();
    }
    if (result_.usable() && result_.next > kMaxSequence) {
      refuse(RecoveryKind::damaged, "its sequences are used up");
    }
  }

  [[nodiscard]] Place place() const { return {lines_.number(), lines_.offset()}; }

  Lines lines_;
  RecordVisitor& visitor_;
  Line line_;
  Recovery result_;

  bool ended_ = false;
  bool in_base_ = false;
  bool good_behind_ = false;
  std::string base_key_;        // of the last base record
  std::uint64_t after_ = 0;     // the last sequence that counts
  std::uint64_t expected_ = 1;  // x: the commit that stands next
  std::uint64_t highest_ = 0;   // in any good line, announced or used
  std::optional<std::uint64_t> batch_time_ms_;
  PendingCommit pending_;
};

}  // namespace

Recovery recover(std::string_view bytes, RecordVisitor& visitor) {
  return Replay(bytes, Lines(bytes), visitor).run();
}

Recovery recover(std::string_view bytes, Arrival& arrival, RecordVisitor& visitor) {
  return Replay(bytes, Lines(bytes, arrival), visitor).run();
}

}  // namespace dfs::log
