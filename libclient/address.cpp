#include "libclient/address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <numeric>
#include <vector>

#include "common/os/file.hpp"
#include "common/os/process.hpp"

namespace dfs::client {

namespace {

constexpr std::string_view kSystem = "system:";
constexpr std::string_view kUser = "user:";
constexpr const char* kSystemFolder = "/run/dfs/";

bool is_socket(const std::string& path) {
  const auto status = os::status_of(path);
  return status && status->socket;
}

std::string user_folder() {
  if (os::environment_is_untrusted()) return {};
  const std::string folder = os::environment("XDG_RUNTIME_DIR");
  return folder.empty() ? folder : folder + "/dfs/";
}

Result<Address> resolve_name(std::string_view given) {
  std::string_view name = given;
  bool system = true;
  bool user = true;
  if (name.starts_with(kSystem)) {
    name.remove_prefix(kSystem.size());
    user = false;
  } else if (name.starts_with(kUser)) {
    name.remove_prefix(kUser.size());
    system = false;
  }
  const std::string here(name);
  const std::string folder = user_folder();
  const std::string of_system = kSystemFolder + here + "/socket";
  const std::string of_user = folder + here + "/socket";
  system = system && is_socket(of_system);
  user = user && !folder.empty() && is_socket(of_user);
  if (system && user) {
    return Error(errc::bad_argument, here + " is both a store of the system (" + of_system +
                                         ") and of the user (" + of_user + "); say system:" + here +
                                         " or user:" + here);
  }
  if (!system && !user) {
    return Error(errc::no_store, "no store named " + here + ": no socket at " + of_system +
                                     (folder.empty() ? "" : " or " + of_user) +
                                     "; a file of that name is ./" + here);
  }
  return Address{std::string(given), {}, system ? of_system : of_user};
}

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

/// A file beside the one meant whose name is nearly the same; empty if there is none.
std::string near_miss(const std::string& path) {
  const auto names = os::list_directory(os::directory_of(path));
  if (!names) return {};
  const std::string meant = os::name_of(path);
  std::string best;
  std::size_t least = 3;
  for (const std::string& name : *names) {
    const std::size_t away = distance(meant, name);
    if (away == 0 || away >= least) continue;
    const auto status = os::status_of(os::directory_of(path) + "/" + name);
    if (!status || !status->regular) continue;
    least = away;
    best = name;
  }
  return best;
}

}  // namespace

Result<Address> resolve_address(std::string_view given) {
  if (given.empty()) {
    return Error(errc::bad_argument, "no address: name a log, such as users.db, or a store");
  }
  const bool prefixed = given.starts_with(kSystem) || given.starts_with(kUser);
  if (prefixed || given.find_first_of("/.") == std::string_view::npos) return resolve_name(given);

  auto path = os::resolve_path(std::string(given));
  if (!path) {
    const int why = path.error().system_error();
    if (why == ENOENT || why == ENOTDIR) {
      return Error(errc::no_store,
                   "no store at " + std::string(given) + ": its directory does not exist");
    }
    return std::move(path).error();
  }
  const auto status = os::status_of(*path);
  if (!status && status.error().code() != errc::absent) return status.error();
  if (status && status->socket) return Address{std::string(given), {}, *path};
  if (status && status->directory) {
    if (!is_socket(*path + "/socket")) {
      return Error(errc::no_store, std::string(given) + " is a directory without a socket in it");
    }
    return Address{std::string(given), {}, *path + "/socket"};
  }
  return Address{std::string(given), *path, *path + ".socket"};
}

Error no_store_at(const Address& address) {
  std::string text = "no store at " + address.given + " (reading never creates one";
  if (const std::string name = near_miss(address.place()); !name.empty()) {
    text += "; is it " + name + "?";
  }
  return Error(errc::no_store, text + ")");
}

}  // namespace dfs::client
