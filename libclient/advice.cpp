#include "libclient/advice.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <numeric>

#include "common/os/file.hpp"

namespace dfs::client {

namespace {

/// Changes of one letter that make one text of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

bool is_side_file(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kEndings{".lock", ".socket", ".new", ".toml",
                                                            ".original"};
  return name.find(".torn-") != std::string_view::npos ||
         name.find(".byhand-") != std::string_view::npos ||
         std::any_of(kEndings.begin(), kEndings.end(),
                     [name](std::string_view ending) { return name.ends_with(ending); });
}

/// The path as it was given, with another last part.
std::string beside(std::string_view given, const std::string& name) {
  const auto slash = given.rfind('/');
  return slash == std::string_view::npos ? name : std::string(given.substr(0, slash + 1)) + name;
}

Error no_directory(std::string_view given) {
  const std::string text = "no store at " + std::string(given) + ": ";
  if (given.starts_with("~/")) {
    return Error(errc::no_store, text + "only a shell turns ~ into a directory; write it out");
  }
  if (given.ends_with('/')) {
    return Error(errc::no_store, text +
                                     "it ends in a slash, and there is no such directory; a log "
                                     "is a file");
  }
  // The first part that is missing is where the mistake is.
  for (std::size_t slash = given.find('/', 1); slash != std::string_view::npos;
       slash = given.find('/', slash + 1)) {
    const std::string part(given.substr(0, slash));
    const auto status = os::status_of(part);
    if (status && status->directory) continue;
    if (status) return Error(errc::no_store, text + part + " is no directory");
    const std::string near = near_name(os::directory_of(part), os::name_of(part), false);
    return Error(errc::no_store, (text + "there is no directory ").append(part) +
                                     (near.empty() ? "" : " (is it " + beside(part, near) + "?)"));
  }
  return Error(errc::no_store, text + "its directory does not exist");
}

}  // namespace

std::string quoted(std::string_view path) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,:@%=").find(c) != std::string_view::npos;
  };
  if (!path.empty() && std::all_of(path.begin(), path.end(), plain)) return std::string(path);
  std::string text = "'";
  for (const char c : path) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

std::string near_name(const std::string& directory, std::string_view meant, bool regular) {
  const auto names = os::list_directory(directory);
  if (!names) return {};
  const std::string inside = directory + "/";
  std::string best;
  std::size_t least = 3;
  for (const std::string& name : *names) {
    if (is_side_file(name) || name == meant) continue;
    // An ending that was forgotten, or one too many.
    const bool other_ending =
        name.starts_with(std::string(meant) + ".") || meant.starts_with(name + ".");
    const std::size_t away = other_ending ? 1 : distance(meant, name);
    if (away >= least || (!other_ending && away * 2 > meant.size())) continue;
    const auto status = os::status_of(inside + name);
    if (!status || (regular ? !status->regular : !status->directory)) continue;
    least = away;
    best = name;
  }
  return best;
}

Error not_reached(std::string_view given, const Error& error) {
  const int why = error.system_error();
  if (why == ENOENT || why == ENOTDIR) return no_directory(given);
  const std::string text(error.text());
  if (why == EACCES) {
    return Error(errc::not_permitted,
                 text + "; every directory on the way to a store must let you through")
        .with_errno(why);
  }
  if (why == ENAMETOOLONG || why == ELOOP) return Error(errc::no_store, text).with_errno(why);
  return error;
}

Error no_socket_in(std::string_view given, const std::vector<std::string>& names) {
  std::string text = std::string(given) + " is a directory without a daemon's socket in it";
  const auto log = std::find_if(names.begin(), names.end(),
                                [](const std::string& name) { return name.ends_with(".db"); });
  if (log == names.end()) {
    text += "; a store is a file in a directory, such as ";
  } else {
    text += "; is it ";
  }
  std::string path(given);
  if (!path.ends_with('/')) path += '/';
  path += log == names.end() ? std::string("users.db") : *log;
  return Error(errc::no_store, text + quoted(path) + (log == names.end() ? "" : "?"));
}

Error no_store_at(const Address& address, bool reading) {
  std::string text = "no store at " + address.given +
                     (reading ? " (reading never creates one" : " (this call creates none");
  const std::string directory = os::directory_of(address.log);
  const std::string name = os::name_of(address.log);
  if (const std::string near = near_name(directory, name, true); !near.empty()) {
    text += "; is it " + (is_name(near) ? beside(address.given, near) : near) + "?";
  } else if (name.find('.') == std::string::npos && is_name(name)) {
    if (const auto named = resolve_name(name)) text += "; a store of that name is " + name;
  }
  return Error(errc::no_store, text + ")");
}

}  // namespace dfs::client
