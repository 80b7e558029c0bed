#include "common/os/neighbours.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <fstream>
#include <iterator>
#include <sstream>

#include "common/os/file.hpp"

namespace dfs::os {

namespace {

// Files of /proc say that they have no size, so they are read to their end.
std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> names_in(const std::string& path) {
  auto names = list_directory(path);
  return names ? std::move(*names) : std::vector<std::string>();
}

std::vector<std::string> arguments_of(const std::string& process) {
  std::vector<std::string> arguments;
  std::istringstream text(contents_of(process + "/cmdline"));
  for (std::string one; std::getline(text, one, '\0');) arguments.push_back(one);
  return arguments;
}

std::vector<std::string> files_of(const std::string& process) {
  std::vector<std::string> files;
  const std::string folder = process + "/fd/";
  for (const std::string& fd : names_in(folder)) {
    char target[PATH_MAX];
    const ssize_t size = ::readlink((folder + fd).c_str(), target, sizeof target);
    if (size > 0 && target[0] == '/') files.emplace_back(target, static_cast<std::size_t>(size));
  }
  return files;
}

}  // namespace

std::vector<Neighbour> processes_named(std::string_view prefix) {
  std::vector<Neighbour> found;
  for (const std::string& name : names_in("/proc")) {
    std::int32_t pid = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || stop != name.data() + name.size()) continue;
    const std::string process = "/proc/" + name;
    std::vector<std::string> arguments = arguments_of(process);
    if (arguments.empty() || !name_of(arguments.front()).starts_with(prefix)) continue;
    found.push_back({pid, std::move(arguments), files_of(process)});
  }
  return found;
}

std::vector<std::string> listening_paths() {
  // Num RefCount Protocol Flags Type St Inode Path; 10000: listening, 0005: SOCK_SEQPACKET.
  std::vector<std::string> paths;
  std::istringstream lines(contents_of("/proc/net/unix"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, references, protocol, flags, type, state, inode, path;
    words >> number >> references >> protocol >> flags >> type >> state >> inode;
    std::getline(words >> std::ws, path);
    if (flags == "00010000" && type == "0005" && path.starts_with('/')) paths.push_back(path);
  }
  return paths;
}

}  // namespace dfs::os
