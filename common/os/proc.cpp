#include "common/os/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "common/os/descriptor.hpp"
#include "common/os/process.hpp"

namespace dfs::os {

namespace {

/// The letter of a thread's state (proc(5), stat), or 0. Behind the last bracket: a program's name
/// may hold anything.
char state_letter(const std::string& stat) {
  const auto bracket = stat.rfind(')');
  return bracket != std::string::npos && bracket + 2 < stat.size() ? stat[bracket + 2] : '\0';
}

/// Whether any thread of the process waits where no signal reaches it: for a disk, mostly.
bool waits_for_a_disk(const std::string& process) {
  DIR* tasks = ::opendir((process + "/task").c_str());
  if (tasks == nullptr) return false;
  bool waits = false;
  while (const dirent* entry = ::readdir(tasks)) {
    const std::string task = process + "/task/" + static_cast<const char*>(entry->d_name);
    if (state_letter(read_proc(task + "/stat")) == 'D') waits = true;
  }
  ::closedir(tasks);
  return waits;
}

std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const std::string_view first = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return first;
}

}  // namespace

std::string read_proc(const std::string& path) {
  std::string out;
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return out;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = ::read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return out;
}

std::string state_of_process(std::int32_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  switch (state_letter(read_proc(process + "/stat"))) {
    case '\0':
      return {};
    case 'T':
      return "stopped by a signal (kill -CONT " + std::to_string(pid) + " lets it go on)";
    case 't':
      return "stopped by a debugger";
    case 'Z':
    case 'X':
      return "dead, and its parent has not noticed";
    default:
      return waits_for_a_disk(process) ? "waiting for a disk" : "running";
  }
}

bool is_exiting(std::int32_t pid) {
  // "0 0 0 0 0 0 0" once it has no memory any more.
  const std::string sizes = read_proc("/proc/" + std::to_string(pid) + "/statm");
  return sizes.empty() || sizes.starts_with("0 ");
}

std::optional<std::int32_t> lock_holder(const FileStatus& file) {
  const std::string locks = read_proc("/proc/locks");
  std::string_view rest = locks;
  // "7: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". The device there is not always the one that
  // stat tells (btrfs, overlayfs), so the inode decides alone.
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    if (line.find(" FLOCK ") == std::string_view::npos) continue;
    const auto kind = line.find(" WRITE ");
    if (kind == std::string_view::npos) continue;
    line.remove_prefix(kind + std::string_view(" WRITE ").size());
    const std::string_view pid_text = take_until(line, ' ');
    const std::string_view place = take_until(line, ' ');
    const std::string_view inode_text = place.substr(place.rfind(':') + 1);
    std::uint64_t inode = 0;
    std::from_chars(inode_text.data(), inode_text.data() + inode_text.size(), inode);
    if (inode != file.inode) continue;
    std::int32_t pid = 0;
    std::from_chars(pid_text.data(), pid_text.data() + pid_text.size(), pid);
    return state_of_process(pid).empty() ? 0 : pid;
  }
  return std::nullopt;
}

std::string system_service() { return system_service_in(read_proc("/proc/self/cgroup")); }

std::string system_service_in(std::string_view control_groups) {
  while (!control_groups.empty()) {
    std::string_view line = take_until(control_groups, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    if (hierarchy != "0" && controllers != "name=systemd") continue;
    // The first part of the path that is no slice is the unit. A user's service manager is a unit
    // of the system's, but one that is there to run what its user wants.
    while (!line.empty()) {
      const std::string_view part = take_until(line, '/');
      if (part.empty() || part.ends_with(".slice")) continue;
      if (part.ends_with(".service") && !part.starts_with("user@")) return std::string(part);
      break;
    }
  }
  return {};
}

}  // namespace dfs::os
