#include "daemon/hand_lines.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "daemon/side_file.hpp"

namespace dfs::daemon {

namespace {

constexpr std::string_view kEnding = ".byhand-";
// Of the store's id, so that a name with it has no more than 32 bytes beyond the log's: against a
// file that another store of this name has left.
constexpr std::size_t kStoreDigits = 6;

/// Takes a number off the front.
bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (why != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

/// Empty where there is anything else.
std::vector<log::HandWritten> lines_of(std::string_view bytes) {
  std::vector<log::HandWritten> found;
  log::Line line;
  for (log::Lines lines(bytes); !lines.at_end();) {
    lines.next();
    log::decode(lines.text(), line);
    if (!lines.terminated() || line.kind != log::LineKind::record || line.record.sequence != 0) {
      return {};
    }
    found.push_back({.key = std::string(line.record.key),
                     .erased = line.record.erased,
                     .value = std::string(line.record.value),
                     .line = lines.number()});
  }
  return found;
}

bool is_commit_of(const log::HandWritten& line, const log::Record& record) {
  return record.commit_records == 1 && line.key == record.key && line.erased == record.erased &&
         line.value == record.value;
}

}  // namespace

std::string HandLines::path_of(std::uint64_t after, std::uint64_t number) const {
  return log_.path() + std::string(kEnding) + std::to_string(after) + "-" + store_ +
         (number == 1 ? "" : "-" + std::to_string(number));
}

void HandLines::find(const std::string& store_id) {
  store_ = store_id.substr(0, kStoreDigits);
  const std::string begin = os::name_of(log_.path()) + std::string(kEnding);
  const auto names = os::list_directory(os::directory_of(log_.path()));
  if (!names) {
    notices_.push_back(log_.path() + ": whether lines by hand lie beside it is not known: " +
                       std::string(names.error().text()));
    return;
  }
  for (const std::string& name : *names) {
    if (!name.starts_with(begin)) continue;
    auto file = read(name);
    if (file) {
      files_.push_back(std::move(*file));
    } else {
      notices_.push_back(std::string(file.error().text()) +
                         "; what it holds is not committed: append to the log, while it is not "
                         "served, what is missing there, and take the file away");
    }
  }
  std::sort(files_.begin(), files_.end(), [](const HandFile& a, const HandFile& b) {
    return std::tie(a.after, a.number) < std::tie(b.after, b.number);
  });
  for (const HandFile& file : files_) {
    for (const log::HandWritten& line : file.lines) {
      if (line.erased) live_.emplace(line.key, false);
    }
  }
}

Result<HandLines::HandFile> HandLines::read(const std::string& name) const {
  HandFile file;
  file.path = os::directory_of(log_.path()) + "/" + name;
  const auto no = [&file](std::string_view why) {
    return Error(errc::damaged, file.path + ": " + std::string(why));
  };
  std::string_view rest = name;
  rest.remove_prefix(os::name_of(log_.path()).size() + kEnding.size());
  if (!take_number(rest, file.after) || !take(rest, "-") || !take(rest, store_) ||
      (take(rest, "-") && !take_number(rest, file.number)) || !rest.empty() ||
      file.path != path_of(file.after, file.number)) {
    return no("it is not named as one with lines by hand of this store is");
  }
  // Who may write into the directory need not be allowed to write into the store.
  auto log = log_.status();
  auto there = os::status_of(file.path);
  auto real = os::resolve_path(file.path);
  if (!log || !there || !real || !there->regular || there->uid != log->uid ||
      (there->mode & 077U) != 0 || os::name_of(*real) != name) {
    return no("it is not a file of the log's owner alone");
  }
  auto opened = os::File::open(file.path, {});
  if (!opened) return std::move(opened).error();
  auto bytes = opened->read_all();
  if (!bytes) return std::move(bytes).error();
  file.bytes = std::move(*bytes);
  file.lines = lines_of(file.bytes);
  if (file.lines.empty()) return no("there are not only lines by hand in it");
  return file;
}

Result<void> HandLines::record(const log::Record& record) {
  for (HandFile& file : files_) {
    if (!record.in_base && record.sequence > file.after) compare(file, record);
  }
  if (const auto key = live_.find(record.key); key != live_.end()) key->second = !record.erased;
  return next_.record(record);
}

void HandLines::pass_over_nothing(HandFile& file) const {
  while (file.committed < file.lines.size()) {
    const log::HandWritten& line = file.lines[file.committed];
    if (!line.erased || live_.at(line.key)) return;
    ++file.committed;
  }
}

void HandLines::compare(HandFile& file, const log::Record& record) const {
  if (!file.alone || file.committed == file.lines.size()) return;
  pass_over_nothing(file);
  if (file.committed == file.lines.size()) return;
  if (is_commit_of(file.lines[file.committed], record)) {
    ++file.committed;
  } else {
    file.alone = false;
  }
}

Result<std::string> HandLines::keep(std::string_view bytes, std::uint64_t after) {
  std::uint64_t number = 1;
  for (const HandFile& file : files_) {
    if (file.after != after) continue;
    number = bytes.starts_with(file.bytes) ? file.number : file.number + 1;
  }
  std::string path = path_of(after, number);
  if (auto put = put_beside(log_, path, bytes); !put) return std::move(put).error();
  return path;
}

bool HandLines::is_of(const HandFile& file, const log::Recovery& found) {
  // What a base took in cannot be counted any more.
  return found.first.base <= file.after && file.after <= found.last();
}

Result<HandWork> HandLines::finish(const log::Recovery& found) {
  HandWork work;
  bool removed = false;
  const auto newest = std::find_if(files_.rbegin(), files_.rend(),
                                   [&found](const HandFile& file) { return is_of(file, found); });
  for (HandFile& file : files_) {
    const bool known = is_of(file, found);
    if (known && file.alone) pass_over_nothing(file);
    if (known && file.committed == file.lines.size()) {
      if (auto gone = os::remove(file.path); !gone) return std::move(gone).error();
      removed = true;
    } else if (known && file.alone && &file == &*newest) {
      work.file = file.path;
      work.lines.assign(file.lines.begin() + static_cast<std::ptrdiff_t>(file.committed),
                        file.lines.end());
      notices_.push_back(file.path + ": " + std::to_string(file.committed) + " of its " +
                         std::to_string(file.lines.size()) +
                         " lines written by hand are committed, the rest is now");
    } else {
      tell_of(file, known);
    }
  }
  if (removed) {
    if (auto synced = os::sync_directory_of(log_.path()); !synced) return std::move(synced).error();
  }
  return work;
}

void HandLines::tell_of(const HandFile& file, bool known) {
  const std::string which =
      known ? "the lines from line " + std::to_string(file.committed + 1) + " on" : "these lines";
  notices_.push_back(file.path + ": whether " + which +
                     ", which were written by hand, are committed is not known, and they are left "
                     "as they are: append to the log, while it is not served, what is missing "
                     "there, and take the file away");
}

}  // namespace dfs::daemon
