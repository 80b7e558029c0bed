#include "cli/serving.hpp"

#include <dfs/admin.hpp>

#include <map>

#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "common/os/file.hpp"
#include "common/os/neighbours.hpp"
#include "common/os/process.hpp"

namespace dfs::cli {

namespace {

bool is_socket(const std::string& path) {
  const auto status = os::status_of(path);
  return status && status->socket;
}

// Socket to address: where a daemon may listen, and what a user says to come there.
using Candidates = std::map<std::string, std::string>;

void add_names(const std::string& folder, std::string_view prefix, Candidates& found) {
  const auto names = os::list_directory(folder);
  if (!names) return;
  const std::string inside = folder + "/";
  for (const std::string& name : *names) {
    const std::string path = inside + name + "/socket";
    if (!is_socket(path)) continue;
    // By the socket that it leads to, so that nothing is listed twice.
    const auto place = os::resolve_path(path);
    const auto [at, is_new] = found.emplace(place ? *place : path, name);
    if (!is_new && at->second == name) found.emplace(path, std::string(prefix) + name);
  }
}

void add_log(const std::string& log, Candidates& found) {
  const std::string path = log + ".socket";
  if (!log.starts_with('/') || !is_socket(path)) return;
  const auto place = os::resolve_path(path);
  found.emplace(place ? *place : path, log);
}

Candidates candidates() {
  static constexpr std::string_view kLock = ".lock";
  Candidates found;
  add_names("/run/dfs", "system:", found);
  if (const std::string folder = os::environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    add_names(folder + "/dfs", "user:", found);
  }
  for (const os::Neighbour& neighbour : os::processes_named("dfsd")) {
    // A daemon has its lock open for life; of another user's only the arguments are seen.
    for (const std::string& file : neighbour.files) {
      if (file.ends_with(kLock)) add_log(file.substr(0, file.size() - kLock.size()), found);
    }
    if (neighbour.files.empty()) add_log(neighbour.arguments.back(), found);
  }
  for (const std::string& path : os::listening_paths()) {
    if (is_socket(path)) found.emplace(path, path);
  }
  return found;
}

std::string member(std::string_view object, std::string_view name) {
  const auto found = members(object);
  if (!found) return {};
  for (const Member& one : *found) {
    if (one.name == name) return std::string(one.value);
  }
  return {};
}

// True where something of dfs answers there, or refuses as dfs does.
bool describe(const std::string& socket, std::chrono::milliseconds patience, Serving& serving) {
  Options options;
  options.create = false;
  options.autostart = Autostart::never;
  options.read_only = true;
  options.timeout = patience;
  options.origin = "dfsctl";
  auto store = Store::open(socket, std::move(options));
  auto info = store ? Admin(*store).info() : Result<std::string>(store.error());
  if (info) {
    serving.info = std::move(*info);
    serving.state = "live";
    return true;
  }
  serving.state = name(info.error().code());
  return info.error() == errc::not_permitted || info.error() == errc::timeout ||
         info.error() == errc::busy;
}

}  // namespace

std::vector<Serving> served_stores(std::chrono::milliseconds patience) {
  std::vector<Serving> found;
  for (const auto& [socket, address] : candidates()) {
    Serving serving{address, {}, {}};
    if (describe(socket, patience, serving)) found.push_back(std::move(serving));
  }
  return found;
}

Result<int> stores(const Common& common, Output& output) {
  static constexpr std::chrono::milliseconds kPatience{1000};
  static constexpr std::string_view kShown[] = {"path", "pid", "uid", "keys", "clients"};
  Table table({"address", "state", "path", "pid", "uid", "keys", "clients"});
  for (const Serving& serving : served_stores(kPatience)) {
    if (!common.json) {
      std::vector<std::string> row{serving.address, serving.state};
      for (const std::string_view name : kShown) row.push_back(shown(member(serving.info, name)));
      if (output.on_terminal() && row[2] == row[0]) row[2].clear();  // said already
      table.add(std::move(row));
      continue;
    }
    std::string& out = output.text();
    out += "{\"address\":";
    append_json(out, serving.address);
    out += ",\"state\":";
    append_json(out, serving.state);
    for (const std::string_view name : kShown) {
      const std::string value = member(serving.info, name);
      if (value.empty()) continue;
      out += ",\"" + std::string(name) + "\":" + value;
    }
    output.line("}");
  }
  if (!common.json) table.print(output);
  return 0;
}

}  // namespace dfs::cli
