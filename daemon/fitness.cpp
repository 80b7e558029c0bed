#include "daemon/fitness.hpp"

#include <cerrno>
#include <chrono>
#include <thread>

#include "common/os/clock.hpp"
#include "common/os/proc.hpp"
#include "common/os/process.hpp"

namespace dfs::daemon {

Result<void> check_file_system(const std::string& path) {
  auto system = os::file_system_of(path);
  if (!system) return std::move(system).error();
  if (system->fit) return {};
  return Error(
      errc::unsupported,
      path + " is on " + system->name +
          ", where a lock, a sync or a rename does not mean what a store needs; put it on a "
          "local file system (ext4, xfs, btrfs, tmpfs), and share the daemon's socket");
}

Result<void> check_log(const os::File& file, std::vector<std::string>& notices) {
  auto status = file.status();
  if (!status) return std::move(status).error();
  const std::string& path = file.path();
  const std::uint32_t user = os::effective_user();
  if (status->uid != user && user != 0) {
    return Error(errc::not_permitted,
                 path + " belongs to another (" + status->owner() + "; this is uid " +
                     std::to_string(user) +
                     "), whose daemon alone can keep its owner and mode: sudo -u '#" +
                     std::to_string(status->uid) + "' dfsd " + path);
  }
  if (status->links > 1) {
    const std::string original = path + ".original";
    auto there = os::status_of(original);
    if (!there || !there->same_file(*status)) {
      return Error(errc::unsupported, path + " has " + std::to_string(status->links) +
                                          " names (hard links); the store would part from the "
                                          "others when it is compacted. Copy it (cp) and serve the "
                                          "copy, or remove the other names (find / -xdev "
                                          "-samefile " +
                                          path + ")");
    }
    // A rewrite of a Go file that ended between its link and its rename.
    if (auto gone = os::remove(original); !gone) return gone;
    if (auto synced = os::sync_directory_of(path); !synced) return synced;
    notices.push_back(path + ": an interrupted rewrite was undone");
  }
  return check_file_system(path);
}

Result<os::File> open_log(const std::string& path, const os::FileStatus& there) {
  auto file = os::File::open(path, {.write = true});
  if (!file && file.error().system_error() == EACCES) {
    return Error(errc::not_permitted, path + " may not be written (" + there.owner() +
                                          "): its owner's daemon needs that right")
        .with_errno(EACCES);
  }
  return file;
}

Result<void> lock_log(const os::File& file) {
  // A daemon that was killed gives back its lock file first, then memory, which takes a while, and
  // the log perhaps last.
  const os::Deadline patience = os::Deadline::after(std::chrono::seconds(2));
  for (;;) {
    auto locked = file.try_lock();
    if (!locked) return std::move(locked).error();
    if (*locked) return {};
    auto status = file.status();
    const std::int32_t holder = status ? os::lock_holder(*status).value_or(0) : 0;
    if (patience.passed() && (holder == 0 || !os::is_exiting(holder))) {
      return Error(
          errc::no_daemon,
          file.path() + " is locked by another process" +
              (holder != 0 ? " (pid " + std::to_string(holder) + ")" : "") +
              ", perhaps a daemon that reached it by another path; a store has one daemon");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace dfs::daemon
