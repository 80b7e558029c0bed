// Stores that somebody else runs under a name: the system's service manager, or the user's. A
// client only finds their sockets.
#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "libclient/address.hpp"
#include "libclient/advice.hpp"

namespace dfs::client {

namespace {

constexpr std::string_view kSystem = "system:";
constexpr std::string_view kUser = "user:";

/// One of the two places where a name may be found.
struct Place {
  std::string prefix;   ///< `system:`
  std::string folder;   ///< that holds a directory for each name; empty where there is none
  std::string command;  ///< that starts a store of a name

  [[nodiscard]] std::string directory(const std::string& name) const { return folder + name; }
  [[nodiscard]] std::string socket(const std::string& name) const {
    return directory(name) + "/socket";
  }
};

Place system_place() { return {std::string(kSystem), "/run/dfs/", "systemctl start dfsd@"}; }

Place user_place() {
  Place place{std::string(kUser), {}, "systemctl --user start dfsd@"};
  if (os::environment_is_untrusted()) return place;
  const std::string folder = os::environment("XDG_RUNTIME_DIR");
  if (folder.starts_with('/')) place.folder = folder + "/dfs/";
  return place;
}

enum class Finding {
  nothing,  ///< no directory of that name
  empty,    ///< its directory, without a socket: it was served, and is not at the moment
  hidden,   ///< in a directory that this user may not look into
  socket,
};

Finding look(const Place& place, const std::string& name) {
  if (place.folder.empty()) return Finding::nothing;
  const auto socket = os::status_of(place.socket(name));
  if (socket) return socket->socket ? Finding::socket : Finding::empty;
  if (socket.error().system_error() == EACCES) return Finding::hidden;
  const auto directory = os::status_of(place.directory(name));
  return directory && directory->directory ? Finding::empty : Finding::nothing;
}

Address address_at(const Place& place, std::string_view given, const std::string& name) {
  Address address;
  address.given = given;
  address.socket = place.socket(name);
  address.command = place.command + quoted(name);
  return address;
}

Error served_twice(const std::string& name, const std::vector<Place>& places) {
  return Error(errc::bad_argument, name + " is a store of the system (" + places[0].socket(name) +
                                       ") and one of the user (" + places[1].socket(name) +
                                       "): say system:" + name + " or user:" + name);
}

/// What a text without slash and dot may have been meant to be: a file here, or another name.
std::string meant_instead(const std::string& name, const std::vector<Place>& places) {
  if (const auto file = os::status_of(name); file && (file->regular || file->directory)) {
    return "; a " + std::string(file->regular ? "file" : "directory") +
           " of that name is here: a path has a slash or a dot, say " + quoted("./" + name);
  }
  for (const Place& place : places) {
    if (place.folder.empty()) continue;
    const std::string near = near_name(place.folder, name, false);
    if (!near.empty()) return "; is it " + near + "?";
  }
  if (const std::string near = near_name(".", name, true); !near.empty()) {
    return "; a file is here that may be meant: " + quoted(near);
  }
  if (name.find(':') != std::string::npos)
    return "; what may stand before a name is system: or user:";
  return "; " + places.front().command + quoted(name) + " starts one, and for a file say " +
         quoted("./" + name);
}

Error no_such_name(const std::string& name, const std::vector<Place>& places) {
  std::string looked;
  for (const Place& place : places) {
    if (place.folder.empty()) continue;
    looked += (looked.empty() ? "no socket at " : " or ") + place.socket(name);
  }
  for (const Place& place : places) {
    if (!place.folder.empty()) continue;
    looked += looked.empty() ? "" : ", and ";
    looked +=
        "XDG_RUNTIME_DIR is not set, so the user's own stores were not looked at (it is "
        "/run/user/" +
        std::to_string(os::real_user()) + " in a login session)";
  }
  return Error(errc::no_store,
               "no store named " + name + ": " + looked + meant_instead(name, places));
}

}  // namespace

bool is_name(std::string_view given) {
  return is_name_of_unit(given) || given.find_first_of("/.") == std::string_view::npos;
}

bool is_name_of_unit(std::string_view given) {
  return given.starts_with(kSystem) || given.starts_with(kUser);
}

Result<Address> resolve_name(std::string_view given) {
  std::vector<Place> places{system_place(), user_place()};
  std::string_view rest = given;
  for (const Place& place : {places[0], places[1]}) {
    if (!given.starts_with(place.prefix)) continue;
    rest.remove_prefix(place.prefix.size());
    places = {place};
    break;
  }
  const std::string name(rest);
  if (name.empty() || name.find_first_of("/.") != std::string::npos) {
    return Error(errc::bad_argument,
                 std::string(given) +
                     " is no name of a store: one letter at least, no slash, no dot" +
                     (name.empty() ? "" : "; for a file of that name say ./" + std::string(given)));
  }

  std::optional<Place> found;
  std::optional<Place> empty;
  for (const Place& place : places) {
    switch (look(place, name)) {
      case Finding::nothing:
        break;
      case Finding::hidden: {
        const auto folder = os::status_of(place.directory(name));
        return Error(errc::not_permitted, "you may not look into " + place.directory(name) +
                                              (folder ? " (" + folder->owner() + ")" : "") +
                                              "; ask to be let in, by its group perhaps")
            .with_errno(EACCES);
      }
      case Finding::empty:
        if (!empty) empty = place;
        break;
      case Finding::socket:
        if (found) return served_twice(name, places);
        found = place;
        break;
    }
  }
  if (found) return address_at(*found, given, name);
  // Where it will be, once it is started.
  if (empty) return address_at(*empty, given, name);
  return no_such_name(name, places);
}

}  // namespace dfs::client
