#include "libclient/address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "common/os/file.hpp"
#include "libclient/advice.hpp"

namespace dfs::client {

namespace {

constexpr std::string_view kSocket = "socket";
constexpr std::string_view kSocketEnding = ".socket";
// What a daemon puts behind the name of its log: `.torn-`, a sequence, and a number; `.byhand-`, a
// sequence, and six digits of the store's id.
constexpr std::size_t kLongestEnding = 32;
constexpr std::size_t kMaxNameBytes = 255;
// Where the units put the log of a store, around its name; of a user's behind the home directory.
constexpr std::string_view kSystemLogs = "/var/lib/dfs/";
constexpr std::string_view kUserLogs = "/.local/share/dfs/";
constexpr std::string_view kUnitLog = "/store.db";

/// `users.db` of `users.db.lock`, if that file is of the store and users.db is there; else empty.
std::string store_of_side_file(const std::string& path) {
  static constexpr std::array<std::string_view, 3> kEndings{".lock", ".new", ".toml"};
  std::size_t end = path.rfind(".torn-");
  if (end == std::string::npos) end = path.rfind(".byhand-");
  for (const std::string_view ending : kEndings) {
    if (path.ends_with(ending)) end = path.size() - ending.size();
  }
  if (end == std::string::npos) return {};
  std::string log = path.substr(0, end);
  const auto status = os::status_of(log);
  return status && status->regular ? log : std::string();
}

bool is_name_of_socket(const std::string& path) {
  const std::string name = os::name_of(path);
  return name.ends_with(kSocketEnding) || name == kSocket;
}

/// What starts the daemon of a log: the service it belongs to, where the units put it, or dfsd.
std::string starting_command(const std::string& log) {
  const bool system = log.starts_with(kSystemLogs);
  const std::size_t user = log.rfind(kUserLogs);
  if (log.ends_with(kUnitLog) && (system || user != std::string::npos)) {
    const std::size_t begin = system ? kSystemLogs.size() : user + kUserLogs.size();
    const std::size_t end = log.size() - kUnitLog.size();
    const std::string name = begin < end ? log.substr(begin, end - begin) : std::string();
    if (!name.empty() && name.find('/') == std::string::npos) {
      return (system ? "systemctl start dfsd@" : "systemctl --user start dfsd@") + quoted(name);
    }
  }
  return "dfsd " + quoted(log);
}

Address address_of_socket(std::string_view given, std::string path) {
  Address address;
  address.given = given;
  address.command = "dfsd --socket " + quoted(path) + " LOG";
  address.socket = std::move(path);
  return address;
}

/// The one socket in a directory: `socket`, which may be about to come back, or the only one there
/// is.
Result<Address> resolve_directory(std::string_view given, const std::string& path) {
  const auto names = os::list_directory(path);
  if (!names) return not_reached(given, names.error());
  const std::string in_it = path == "/" ? path : path + "/";
  std::vector<std::string> sockets;
  for (const std::string& name : *names) {
    const auto status = os::status_of(in_it + name);
    // A link that leads nowhere stands where a daemon was, and the next one will be.
    const bool listens = status ? status->socket : status.error() == errc::absent;
    if (name == kSocket && listens) return address_of_socket(given, in_it + name);
    if (name.ends_with(kSocketEnding) && listens) sockets.push_back(name);
  }
  if (sockets.size() == 1) return address_of_socket(given, in_it + sockets.front());
  if (sockets.empty()) return no_socket_in(given, *names);
  std::string text = std::string(given) + " is a directory with several sockets; name one:";
  for (const std::string& name : sockets) text += " " + name;
  return Error(errc::bad_argument, text);
}

/// The files beside a log begin with its name.
Result<void> check_length(std::string_view given, const std::string& name) {
  if (name.size() + kLongestEnding <= kMaxNameBytes) return {};
  return Error(errc::bad_argument, "the name of the log, " + std::string(given) + ", has " +
                                       std::to_string(name.size()) + " bytes; at most " +
                                       std::to_string(kMaxNameBytes - kLongestEnding) +
                                       ", since the files beside it begin with it");
}

Result<Address> resolve_log(std::string_view given, std::string path, bool there) {
  // A link to a socket that is not there bears the name, and what it leads to need not.
  if (!there && (is_name_of_socket(path) || is_name_of_socket(std::string(given)))) {
    return address_of_socket(given, std::move(path));
  }
  if (const std::string log = store_of_side_file(path); !log.empty()) {
    return Error(errc::no_store, std::string(given) + " belongs to the store " + os::name_of(log) +
                                     "; say " + quoted(log));
  }
  if (auto fits = check_length(given, os::name_of(path)); !fits) return std::move(fits).error();
  Address address;
  address.given = given;
  address.socket = path + ".socket";
  address.command = starting_command(path);
  address.log = std::move(path);
  return address;
}

/// Of `system:NAME` or `user:NAME`, behind which stands what a log was to be called.
Error name_of_no_log(const std::string& given) {
  const std::size_t colon = given.find(':');
  const std::string name = given.substr(colon + 1);
  std::string text = given + " names a store that a service manager runs, and no log";
  if (is_name(name) && !name.empty()) {
    text += "; its log is ";
    text += given.starts_with("system") ? std::string(kSystemLogs) : "~" + std::string(kUserLogs);
    text += name + std::string(kUnitLog);
  }
  return Error(errc::bad_argument, text + "; for a file of that name say " + quoted("./" + given));
}

Error socket_of_no_log(const std::string& given) {
  std::string text = given + " is where a daemon listens, and no log: ";
  const std::string name = os::name_of(given);
  if (name.size() > kSocketEnding.size() && name.ends_with(kSocketEnding)) {
    text += "say " + quoted(given.substr(0, given.size() - kSocketEnding.size()));
  } else {
    text += "name the log, as users.db";
  }
  return Error(errc::bad_argument, std::move(text));
}

}  // namespace

Result<void> check_new_log(const std::string& given) {
  if (is_name_of_unit(given)) return name_of_no_log(given);
  const auto path = os::resolve_path(given);
  if (!path) return {};  // whoever makes it says why it cannot be made
  if (is_name_of_socket(*path) || is_name_of_socket(given)) return socket_of_no_log(given);
  if (const std::string log = store_of_side_file(*path); !log.empty()) {
    return Error(errc::bad_argument, given + " belongs to the store " + os::name_of(log) +
                                         ", and is no log: name another file");
  }
  return check_length(given, os::name_of(*path));
}

Result<Address> resolve_address(std::string_view given) {
  if (given.empty()) {
    return Error(errc::bad_argument,
                 "no store is named: say the path of its log, such as ./users.db, or its name");
  }
  if (given.find('\0') != std::string_view::npos) {
    return Error(errc::bad_argument, "an address holds no NUL byte");
  }
  if (is_name(given)) return resolve_name(given);

  auto path = os::resolve_path(std::string(given));
  if (!path) return not_reached(given, path.error());
  const auto status = os::status_of(*path);
  if (!status && status.error() != errc::absent) return not_reached(given, status.error());
  if (status && status->socket) return address_of_socket(given, std::move(*path));
  if (status && status->directory) return resolve_directory(given, *path);
  return resolve_log(given, std::move(*path), status.has_value());
}

}  // namespace dfs::client
