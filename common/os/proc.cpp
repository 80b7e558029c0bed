#include "common/os/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
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

/// The name of a system call that may wait for a disk; of others the number.
std::string name_of_call(long number) {
  struct Known {
    long number;
    const char* name;
  };
  static constexpr std::array<Known, 9> kKnown{{{SYS_fdatasync, "fdatasync"},
                                                {SYS_fsync, "fsync"},
                                                {SYS_pwrite64, "pwrite"},
                                                {SYS_pread64, "pread"},
                                                {SYS_write, "write"},
                                                {SYS_fallocate, "fallocate"},
                                                {SYS_ftruncate, "ftruncate"},
                                                {SYS_renameat2, "rename"},
                                                {SYS_openat, "open"}}};
  for (const Known& known : kKnown) {
    if (known.number == number) return known.name;
  }
  return "system call " + std::to_string(number);
}

/// Of the thread of a process that waits where no signal reaches it, for a disk mostly: its name,
/// and in which call. Nothing where none does.
std::optional<std::string> wait_for_a_disk(const std::string& process) {
  DIR* tasks = ::opendir((process + "/task").c_str());
  if (tasks == nullptr) return std::nullopt;
  std::optional<std::string> found;
  while (const dirent* entry = ::readdir(tasks)) {
    const std::string task = process + "/task/" + static_cast<const char*>(entry->d_name);
    if (state_letter(read_proc(task + "/stat")) != 'D') continue;
    std::string who = read_proc(task + "/comm");
    if (who.ends_with('\n')) who.pop_back();
    // Shown to the same user and to root: "75 0x5 ..." for a thread that is in a call.
    const std::string call = read_proc(task + "/syscall");
    long number = -1;
    std::from_chars(call.data(), call.data() + call.size(), number);
    found = " (" + who + (number >= 0 ? " in " + name_of_call(number) : std::string()) + ")";
  }
  ::closedir(tasks);
  return found;
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
      break;
  }
  const auto wait = wait_for_a_disk(process);
  return wait ? "waiting for a disk" + *wait : "running";
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
