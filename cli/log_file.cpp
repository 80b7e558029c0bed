#include "cli/log_file.hpp"

#include <cerrno>
#include <vector>

#include "cli/argument.hpp"
#include "cli/json_text.hpp"
#include "common/log/check.hpp"
#include "common/log/format.hpp"
#include "common/log/repair.hpp"
#include "common/os/clock.hpp"
#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/random.hpp"

namespace dfs::cli {

namespace {

Error no_log(const std::string& path) {
  return Error(errc::bad_argument, path + " is not a file, so not a log");
}

Result<std::string> bytes_of(const std::string& path) {
  // Asked before it is opened, since a pipe there would keep us.
  if (const auto there = os::status_of(path); there && !there->regular) return no_log(path);
  auto file = os::File::open(path, {});
  if (!file) {
    if (file.error().system_error() == ENOENT) {
      return Error(errc::no_store, "there is no file " + path);
    }
    if (file.error().system_error() == EACCES) {
      return Error(errc::not_permitted, std::string(file.error().text())).with_errno(EACCES);
    }
    return std::move(file).error();
  }
  auto status = file->status();
  if (!status) return std::move(status).error();
  if (!status->regular) return no_log(path);
  return file->read_all();
}

std::string_view word(log::RecoveryKind kind) {
  switch (kind) {
    case log::RecoveryKind::empty:
      return "empty";
    case log::RecoveryKind::whole:
      return "whole";
    case log::RecoveryKind::cut:
      return "cut";
    case log::RecoveryKind::damaged:
      return "damaged";
    case log::RecoveryKind::go_file:
      return "go_file";
    case log::RecoveryKind::incompatible:
      return "incompatible";
    case log::RecoveryKind::unsupported:
      return "unsupported";
    case log::RecoveryKind::refused:
      return "refused";
  }
  return "refused";
}

void append_report(std::string& out, const std::string& file, const log::Report& report) {
  const log::Recovery& found = report.recovery;
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    out += ",\"";
    out += name;
    out += "\":" + std::to_string(value);
  };
  out += "{\"file\":";
  append_json(out, file);
  out += ",\"verdict\":";
  append_json(out, word(found.kind));
  out += report.whole ? ",\"whole\":true" : ",\"whole\":false";
  if (found.kind != log::RecoveryKind::go_file) {  // which has none of these
    out += ",\"store\":";
    append_json(out, found.first.store);
    number("lines", found.good_lines);
    number("commits", found.commits);
    number("records", found.records);
    number("last", found.last());
    number("watermark", found.watermark);
    out += found.clean_stop ? ",\"clean_stop\":true" : ",\"clean_stop\":false";
  }
  if (found.bad_line != 0) {
    number("bad_line", found.bad_line);
    number("bad_offset", found.bad_offset);
    out += ",\"reason\":";
    append_json(out, found.reason);
  }
  out += "}\n";
}

// A file of its own, with the old one's mode, on the disk when this returns.
Result<void> write_new(const std::string& path, std::string_view bytes, const std::string& like) {
  auto status = os::status_of(like);
  if (!status) return std::move(status).error();
  auto file = os::File::open(path, {.write = true, .create = true, .exclusive = true});
  if (!file) {
    if (file.error().system_error() == EEXIST) {
      return Error(errc::bad_argument, path + " exists; repair writes a new file only");
    }
    if (file.error().system_error() == ENOENT) {
      return Error(errc::bad_argument, "no file can be made at \"" + path +
                                           "\": there is no such directory, or no name in it");
    }
    return std::move(file).error();
  }
  auto written = file->write_at(bytes, 0);
  if (written) written = file->set_mode(status->mode);
  // Only root may give a file away; anybody else's is his own, as the old one was or not.
  if (written && os::effective_user() == 0) written = file->set_owner(status->uid, status->gid);
  if (written) written = file->sync_all();
  if (written) written = os::sync_directory_of(path);
  if (!written) static_cast<void>(os::remove(path).has_value());  // ours, and not whole
  return written;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void print_repair(const RepairOptions& options, const log::Repaired& repaired, Output& output) {
  const std::vector<log::RepairFinding>& findings = repaired.findings;
  for (std::size_t i = 0; i < findings.size();) {
    // Neighbours of which the same is to be said are said at once: a commit may have many lines.
    std::size_t last = i;
    while (last + 1 < findings.size() && findings[last + 1].line == findings[last].line + 1 &&
           findings[last + 1].text == findings[i].text) {
      ++last;
    }
    const log::RepairFinding& first = findings[i];
    if (first.line > 0) {
      output.text() += last > i ? "lines " + std::to_string(first.line) + " to " +
                                      std::to_string(findings[last].line) + " (from offset "
                                : "line " + std::to_string(first.line) + " (offset ";
      output.text() += std::to_string(first.offset) + "): ";
    }
    output.line(printable(first.text));
    i = last + 1;
  }
  if (repaired.new_store) {
    output.line("the id of the store is lost: " + options.into + " is a store of its own");
  }
  if (repaired.lost_lines > 0 || repaired.lost_commits > 0) {
    output.line("lost: " + counted(repaired.lost_lines, "line") + " of " +
                std::to_string(repaired.lines) + ", and " +
                counted(repaired.lost_commits, "commit") + " that their numbers tell of");
  } else {
    output.line("nothing is lost");
  }
  output.line(options.into + " is whole and has " + counted(repaired.records, "live key") + "; " +
              options.file + " is as it was. To use it, with no daemon running: mv " +
              quoted(options.file) + " " + quoted(options.file + ".damaged") + " && mv " +
              quoted(options.into) + " " + quoted(options.file));
}

void print_repair_json(const RepairOptions& options, const log::Repaired& repaired,
                       Output& output) {
  std::string& out = output.text();
  out += "{\"file\":";
  append_json(out, options.file);
  out += ",\"into\":";
  append_json(out, options.into);
  out += ",\"records\":" + std::to_string(repaired.records);
  out += ",\"lines\":" + std::to_string(repaired.lines);
  out += ",\"lost_lines\":" + std::to_string(repaired.lost_lines);
  out += ",\"lost_commits\":" + std::to_string(repaired.lost_commits);
  out += repaired.new_store ? ",\"new_store\":true" : ",\"new_store\":false";
  out += ",\"findings\":[";
  for (const log::RepairFinding& finding : repaired.findings) {
    if (out.back() != '[') out += ',';
    out += "{\"line\":" + std::to_string(finding.line) +
           ",\"offset\":" + std::to_string(finding.offset);
    out += finding.lost ? ",\"lost\":true,\"text\":" : ",\"lost\":false,\"text\":";
    append_json(out, finding.text);
    out += '}';
  }
  output.line("]}");
}

}  // namespace

Result<int> check(const LogFileOptions& options, const Common& common, Output& output) {
  auto bytes = bytes_of(options.file);
  if (!bytes) return std::move(bytes).error();
  const log::Report report = log::check(*bytes, options.file);
  if (common.json) {
    append_report(output.text(), options.file, report);
  } else {
    output.text() += report.text;
  }
  if (!report.error) return 0;
  // The report says it; a program that reads JSON gets the error in its form as well.
  if (common.json) return *report.error;
  return exit_code(*report.error);
}

Result<int> show_log(const LogFileOptions& options, const Common& common, Output& output) {
  auto bytes = bytes_of(options.file);
  if (!bytes) return std::move(bytes).error();
  std::uint64_t line = 0;
  Result<void> written;
  log::describe_lines(*bytes, [&](std::string_view text) {
    if (!written) return;
    if (common.json) {
      output.text() += "{\"line\":" + std::to_string(++line) + ",\"text\":";
      append_json(output.text(), text);
      output.line("}");
    } else {
      output.line(text);
    }
    if (output.large()) written = output.flush();
  });
  if (!written) return std::move(written).error();
  return 0;
}

Result<int> repair(const RepairOptions& options, const Common& common, Output& output) {
  if (os::status_of(options.into)) {
    return Error(errc::bad_argument, options.into + " exists; repair writes a new file only");
  }
  auto bytes = bytes_of(options.file);
  if (!bytes) return std::move(bytes).error();
  if (bytes->empty()) {
    return Error(errc::bad_argument, options.file + " is empty, a new store: nothing to repair");
  }
  auto repaired = log::repair(*bytes, {.accept_edits = options.accept_edits,
                                       .store_id = os::random_hex(log::kStoreIdDigits / 2),
                                       .dfs_version = DFS_VERSION,
                                       .time_ms = os::wall_clock_ms()});
  if (!repaired) {
    const Error& error = repaired.error();
    return Error(error.code(), options.file + ": " + std::string(error.text()));
  }
  if (auto written = write_new(options.into, repaired->bytes, options.file); !written) {
    return std::move(written).error();
  }
  if (common.json) {
    print_repair_json(options, *repaired, output);
  } else {
    print_repair(options, *repaired, output);
  }
  return 0;
}

}  // namespace dfs::cli
