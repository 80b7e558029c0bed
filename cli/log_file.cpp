#include "cli/log_file.hpp"

#include <cerrno>

#include "cli/json_text.hpp"
#include "common/log/check.hpp"
#include "common/os/file.hpp"

namespace dfs::cli {

namespace {

Result<std::string> bytes_of(const std::string& path) {
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
  if (!status->regular) return Error(errc::bad_argument, path + " is not a file, so not a log");
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

}  // namespace dfs::cli
