#include "daemon/lock_file.hpp"

#include <cerrno>

#include "common/os/proc.hpp"
#include "common/os/process.hpp"
#include "common/wire/lock_note.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

Error held_by_another(const std::string& log, const os::File& lock) {
  std::string text = "another daemon serves " + log;
  const auto words = lock.read_at(0, wire::kMaxLockNoteBytes);
  const auto note = words ? wire::decode_lock_note(*words) : std::nullopt;
  if (note) {
    const std::string state = os::state_of_process(note->pid);
    text += " (" + words->substr(0, words->size() - 1) + (state.empty() ? "" : "; it is " + state) +
            ")";
  }
  return Error(errc::no_daemon, text + "; a store has one daemon");
}

Result<void> give_to_owner_of(const std::string& log, const os::File& lock) {
  if (os::effective_user() != 0) return {};
  const auto owner = os::status_of(log);
  return owner ? lock.set_owner(owner->uid, owner->gid) : Result<void>();
}

}  // namespace

Result<LockFile> LockFile::take(const std::string& log, int inherited_fd) {
  if (const auto there = os::status_of(log); there && !there->regular) {
    return Error(errc::no_store, log + (there->directory ? " is a directory" : " is no file") +
                                     "; a store is named by its log");
  }
  const std::string path = log + ".lock";
  // 0600: any reader of the store could otherwise hold it and keep every daemon out.
  auto file = inherited_fd >= 0
                  ? Result<os::File>(os::File::adopt(os::Descriptor(inherited_fd), path))
                  : os::File::open(path, {.write = true, .create = true, .mode = 0600});
  if (!file && file.error().system_error() == EROFS) {
    return Error(errc::unsupported,
                 log +
                     " is on a read-only file system, where no daemon can serve it: copy it (cp) "
                     "to where it can be written; dfsctl check and dfsctl log read it as it is")
        .with_errno(EROFS);
  }
  if (!file) return std::move(file).error();
  auto locked = file->try_lock();  // inherited it is ours already: the open file is the starter's
  if (!locked) return std::move(locked).error();
  if (!*locked) return held_by_another(log, *file);
  if (auto given = give_to_owner_of(log, *file); !given) return std::move(given).error();
  LockFile lock(std::move(*file));
  if (auto said = lock.describe({}); !said) return std::move(said).error();
  return lock;
}

Result<void> LockFile::describe(const std::string& socket) const {
  wire::LockNote note;
  note.pid = os::process_id();
  note.uid = os::effective_user();
  note.version = kVersion;
  note.socket = socket;
  // At once: whoever reads between the two finds a note with something behind it, which is none.
  const std::string text = encode(note);
  if (auto written = file_.write_at(text, 0); !written) return written;
  return file_.truncate(text.size());
}

}  // namespace dfs::daemon
