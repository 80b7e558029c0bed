#include "daemon/lock_file.hpp"

#include "common/os/process.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

Result<LockFile> LockFile::take(const std::string& log, int inherited_fd) {
  const std::string path = log + ".lock";
  if (inherited_fd >= 0) {
    LockFile inherited(os::File::adopt(os::Descriptor(inherited_fd), path));
    auto locked = inherited.file_.try_lock();  // it is ours already: the open file is the starter's
    if (!locked) return std::move(locked).error();
    if (*locked) return inherited;
    return Error(errc::no_daemon, "--lock-fd: " + path + " is locked by another process");
  }
  // 0600: any reader of the store could otherwise hold it and keep every daemon out.
  auto file = os::File::open(path, {.write = true, .create = true, .mode = 0600});
  if (!file) return std::move(file).error();
  auto locked = file->try_lock();
  if (!locked) return std::move(locked).error();
  if (*locked) return LockFile(std::move(*file));
  auto holder = file->read_at(0, 512);
  std::string text = "another daemon serves " + log;
  if (holder && !holder->empty()) text += " (" + holder->substr(0, holder->find('\n')) + ")";
  return Error(errc::no_daemon, text + "; a store has one daemon");
}

Result<void> LockFile::describe(const std::string& socket) const {
  const std::string text = "pid " + std::to_string(os::process_id()) + " uid " +
                           std::to_string(os::effective_user()) + " version " +
                           std::string(kVersion) + " socket " + socket + "\n";
  if (auto cut = file_.truncate(0); !cut) return cut;
  return file_.write_at(text, 0);
}

}  // namespace dfs::daemon
