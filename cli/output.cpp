#include "cli/output.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "cli/json_text.hpp"
#include "common/os/process.hpp"
#include "common/os/terminal.hpp"

namespace dfs::cli {

namespace {

constexpr std::size_t kLargeBytes = std::size_t{64} << 10;

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":" + std::to_string(value);
}

}  // namespace

Output::Output()
    : on_terminal_(os::is_terminal(1)),
      coloured_(on_terminal_ && os::environment("NO_COLOR").empty() &&
                os::environment("TERM") != "dumb") {}

std::string_view Output::style(Style style) const noexcept {
  if (!coloured_) return {};
  switch (style) {
    case Style::head:
      return "\x1b[1m";
    case Style::name:
      return "\x1b[36m";
    case Style::plain:
      break;
  }
  return "\x1b[0m";
}

bool Output::large() const noexcept { return text_.size() >= kLargeBytes; }

Result<void> Output::flush() {
  const std::size_t written = std::fwrite(text_.data(), 1, text_.size(), stdout);
  const bool whole = written == text_.size() && std::fflush(stdout) == 0;
  text_.clear();
  if (!whole) return Error::from_errno(errno, "write standard output");
  return {};
}

std::string printable(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte != 0x7F) {
      out += c;
      continue;
    }
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string error_line(const Error& error, bool json) {
  if (!json) {
    std::string text(error.text());
    if (!error.commit().empty() && text.find(error.commit()) == std::string::npos) {
      text += "; to learn what became of it: dfsctl resolve ";
      text += error.commit();
    }
    return printable(text);
  }
  std::string out = "{\"error\":";
  append_json(out, name(error.code()));
  out += ",\"message\":";
  append_json(out, error.text());
  if (!error.key().empty()) {
    out += ",\"key\":";
    append_json(out, error.key());
  }
  // The real version of an absent key is 0, and belongs to the answer.
  if (error == errc::version_mismatch) append_number(out, "version", error.version());
  if (error.limit() != 0) append_number(out, "limit", error.limit());
  if (!error.commit().empty()) {
    out += ",\"commit\":";
    append_json(out, error.commit());
  }
  if (error.line() != 0) append_number(out, "line", error.line());
  if (error == errc::damaged || error == errc::bad_value || error.offset() != 0) {
    append_number(out, "offset", error.offset());
  }
  if (error.system_error() != 0) {
    append_number(out, "errno", static_cast<std::uint64_t>(error.system_error()));
  }
  append_number(out, "exit", static_cast<std::uint64_t>(exit_code(error)));
  return out + "}";
}

void print_error(const Error& error, bool json) {
  const std::string line = error_line(error, json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int exit_code(const Error& error) noexcept { return dfs::exit_code(error.code()); }

Progress::Progress() : on_terminal_(os::is_terminal(2)) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);  // what was shown was only for the time being
}

void Progress::show(std::uint64_t done, std::string_view what) {
  if (!on_terminal_) return;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  if (shown_ && now_ms - last_ms_ < 100) return;
  shown_ = true;
  last_ms_ = now_ms;
  const std::string line = "\r" + std::to_string(done) + " " + std::string(what) + "\x1b[K";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace dfs::cli
