#include "common/log/check.hpp"

#include <chrono>

#include "common/log/go_file.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/log/value.hpp"

namespace dfs::log {

namespace {

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string padded(std::uint64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

// As in 2026-09-21 14:13:20.123Z.
std::string time_text(std::uint64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time(std::chrono::milliseconds{time_ms});
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto digits = [](auto count, std::size_t width) {
    return padded(static_cast<std::uint64_t>(count), width);
  };
  return digits(static_cast<int>(date.year()), 4) + "-" +
         digits(static_cast<unsigned>(date.month()), 2) + "-" +
         digits(static_cast<unsigned>(date.day()), 2) + " " + digits(clock.hours().count(), 2) +
         ":" + digits(clock.minutes().count(), 2) + ":" + digits(clock.seconds().count(), 2) + "." +
         digits(clock.subseconds().count(), 3) + "Z";
}

// Reads what recovery takes on trust where the seal fits.
class ValueReader final : public RecordVisitor {
 public:
  Result<void> record(const Record& record) override {
    if (record.erased) return {};
    const auto compacted = checker_.compact(record.value, scratch_);
    if (compacted && compacted->size() == record.value.size()) return {};
    const std::string what =
        compacted ? "it has white space between its tokens" : std::string(compacted.error().text());
    return Error(errc::damaged, "the checksum fits, and the value of \"" + std::string(record.key) +
                                    "\" is not one of ours: " + what);
  }

 private:
  ValueChecker checker_;
  std::string scratch_;
};

void append_findings(std::string& text, const Recovery& recovery) {
  text += "store " + recovery.first.store + ", written by dfs " + recovery.first.dfs + "\n";
  if (recovery.first.base > 0) {
    text += "base: " + counted(recovery.base_records, "record") + ", the store as of commit " +
            std::to_string(recovery.first.base) + "\n";
  }
  text += counted(recovery.commits, "commit") + " with " +
          counted(recovery.records - recovery.base_records, "record") + "; the last is " +
          std::to_string(recovery.after) + ", known to be on disk to " +
          std::to_string(recovery.watermark) + "\n";
  if (recovery.floor > 0) {
    text += "versions of new keys begin above " + std::to_string(recovery.floor) + "\n";
  }
  if (recovery.restored > 0) {
    text += "restored once: versions go on above " + std::to_string(recovery.restored) + "\n";
  }
  for (const Gap& gap : recovery.gaps.list()) {
    text += "no commits between " + std::to_string(gap.after) + " and " + std::to_string(gap.next) +
            ": skipped\n";
  }
  for (const std::uint64_t line : recovery.edited_lines) {
    text += "line " + std::to_string(line) + " was edited by hand: it has no checksum\n";
  }
  for (const HandWritten& written : recovery.hand_written) {
    text += "line " + std::to_string(written.line) + " was written by hand: the next start " +
            (written.erased ? "erases \"" : "sets \"") + written.key + "\"\n";
  }
  if (recovery.other_controls > 0) {
    text += counted(recovery.other_controls, "control line") +
            " of a later version, which need not be understood\n";
  }
}

void check_go_file(std::string_view bytes, std::string_view name, Report& report) {
  Recovery& found = report.recovery;
  found.bad_line = found.bad_offset = 0;  // its first line is bad for a log of ours only
  const auto file = read_go_file(bytes);
  if (!file) {
    report.error = file.error();
    found.bad_line = report.error->line();
    found.bad_offset = report.error->offset();
    found.reason = report.error->text();
    report.text += found.reason + "\n";
    return;
  }
  report.text += "a file of the Go library: " + counted(file->records.size(), "live key") + ", " +
                 std::to_string(file->erased) + " erased, " + counted(file->lines, "line") + "\n";
  if (!file->torn) {
    report.whole = true;
    report.text += std::string(name) + " is whole\n";
    return;
  }
  found.bad_line = file->lines + 1;
  found.bad_offset = file->good_end;
  found.reason = "it is torn and does not count";
  // As a log whose end the next start cuts off: it is served, and without what stands there.
  std::string text = std::string(name) + ", line " + std::to_string(found.bad_line) + " (offset " +
                     std::to_string(found.bad_offset) + "): " + found.reason +
                     ". dfsd serves what stands before it; the first commit writes the log anew "
                     "and keeps this file, with the " +
                     counted(bytes.size() - file->good_end, "byte") + " of that line, as " +
                     std::string(name) + ".original. A file without it: dfsctl repair " +
                     std::string(name) + " -o NEW";
  report.text += text + "\n";
  report.error = Error(errc::damaged, std::move(text)).with_place(found.bad_line, found.bad_offset);
}

void append_verdict(std::string_view name, std::uint64_t size, Report& report) {
  const Recovery& recovery = report.recovery;
  if (recovery.kind == RecoveryKind::whole) {
    report.whole = true;
    report.text += std::string(name) + " is whole" +
                   (recovery.clean_stop ? ", stopped cleanly\n" : ", not stopped cleanly\n");
    return;
  }
  if (recovery.kind != RecoveryKind::cut) {
    report.error = recovery.error(name);
    report.text += std::string(report.error->text()) + "\n";
    return;
  }
  std::string text = std::string(name) + ", line " + std::to_string(recovery.bad_line) +
                     " (offset " + std::to_string(recovery.bad_offset) + "): " + recovery.reason +
                     ". Nothing from there on was ever known to be on disk: the next start keeps " +
                     counted(size - recovery.good_end, "byte") + " from offset " +
                     std::to_string(recovery.good_end) +
                     " in a side file and goes on before them. To save what is good of them first: "
                     "dfsctl repair " +
                     std::string(name) +
                     " -o NEW, with --accept-edits where lines were edited on purpose";
  report.text += text + "\n";
  report.error =
      Error(errc::damaged, std::move(text)).with_place(recovery.bad_line, recovery.bad_offset);
}

std::string commit_text(const Record& record) {
  std::string text = record.sequence == 0 ? "by hand" : std::to_string(record.sequence);
  if (record.commit_records > 1) text += " (one of " + std::to_string(record.commit_records) + ")";
  return text;
}

std::string record_text(const Record& record, bool of_go_file) {
  std::string text = of_go_file ? std::string() : commit_text(record) + "  ";
  text += record.erased ? "erase " : "set ";
  text += std::string(record.key);
  if (record.version > 0) text += " version " + std::to_string(record.version);
  if (!record.erased) text += " = " + std::string(record.value);
  if (record.time_ms) text += "  at " + time_text(*record.time_ms);
  if (!record.origin.empty()) text += "  by " + std::string(record.origin);
  if (record.watermark) text += "  on disk to " + std::to_string(*record.watermark);
  return text;
}

std::string line_text(const Line& line, bool of_go_file) {
  switch (line.kind) {
    case LineKind::record:
      return record_text(line.record, of_go_file);
    case LineKind::first:
      return "log of store " + line.first.store + ", format " + std::to_string(line.first.format) +
             ", dfs " + line.first.dfs +
             (line.first.base > 0 ? ", base " + std::to_string(line.first.base) : "");
    case LineKind::base:
      return "end of the base: " + counted(line.base.records, "record") + " as of commit " +
             std::to_string(line.base.sequence) + "  at " + time_text(line.base.time_ms);
    case LineKind::start:
      return "start after " + std::to_string(line.start.after) + ", next " +
             std::to_string(line.start.next) + "  at " + time_text(line.start.time_ms);
    case LineKind::mark:
      return "idle, on disk to " + std::to_string(line.watermark);
    case LineKind::stop:
      return "stopped, on disk to " + std::to_string(line.watermark);
    case LineKind::other_control:
      return "control line \"" + line.name + "\" of a later version";
    case LineKind::bad:
      break;
  }
  return "BAD: " + line.reason +
         (line.column > 0 ? " (column " + std::to_string(line.column) + ")" : "");
}

}  // namespace

Report check(std::string_view bytes, std::string_view name) {
  Report report;
  ValueReader values;
  report.recovery = recover(bytes, values);
  if (report.recovery.kind == RecoveryKind::empty) {
    report.whole = true;
    report.text = std::string(name) + " is empty: a new store\n";
    return report;
  }
  if (report.recovery.kind == RecoveryKind::go_file) {
    check_go_file(bytes, name, report);
    return report;
  }
  if (!report.recovery.first.store.empty()) append_findings(report.text, report.recovery);
  append_verdict(name, bytes.size(), report);
  return report;
}

void describe_lines(std::string_view bytes, const std::function<void(std::string_view)>& print) {
  Lines lines(bytes);
  Line line;
  bool of_go_file = false;  // whose lines have no sequence, and were written by nobody's hand
  while (!lines.at_end()) {
    lines.next();
    decode(lines.text(), line);
    if (lines.number() == 1) {
      of_go_file = line.kind == LineKind::record && line.record.sequence == 0;
    }
    std::string text = std::to_string(lines.number()) + ": " + line_text(line, of_go_file);
    const bool edited = line.kind != LineKind::bad && !line.sealed &&
                        (line.kind != LineKind::record || line.record.sequence > 0);
    if (edited) text += "  (edited: no checksum)";
    if (!lines.terminated()) text += "  (torn: no newline)";
    print(text);
  }
}

}  // namespace dfs::log
