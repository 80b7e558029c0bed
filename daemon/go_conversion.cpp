#include "daemon/go_conversion.hpp"

namespace dfs::daemon {

Result<GoConversion::Written> GoConversion::replace(const os::File& old) const {
  const std::string& path = old.path();
  const std::string fresh_path = path + ".new";
  const std::string original_path = path + ".original";
  if (auto gone = os::remove(fresh_path); !gone) return std::move(gone).error();
  auto status = old.status();
  if (!status) return std::move(status).error();
  auto fresh =
      os::File::open(fresh_path, {.write = true, .create = true, .exclusive = true, .mode = 0600});
  if (!fresh) return fresh.error();
  const auto prepared = [&]() -> Result<void> {
    if (auto r = fresh->write_at(image_, 0); !r) return r;
    if (auto r = fresh->set_owner(status->uid, status->gid); !r) return r;
    if (auto r = fresh->set_mode(status->mode); !r) return r;
    if (auto r = fresh->sync_all(); !r) return r;
    if (auto locked = fresh->try_lock(); !locked || !*locked) {
      return locked ? Error(errc::system, "lock " + fresh_path + ": held by another process")
                    : locked.error();
    }
    // EEXIST from an earlier try that got as far: it is the same file's second name.
    if (auto kept = os::link(path, original_path); !kept) {
      auto there = os::status_of(original_path);
      if (!there || !there->same_file(*status)) return kept;
    }
    return os::sync_directory_of(path);
  }();
  if (!prepared) {
    static_cast<void>(os::remove(fresh_path));
    return prepared.error();
  }
  if (auto renamed = os::rename(fresh_path, path); !renamed) return renamed.error();
  // The old file is the log no more, so this is no failure to try again behind (I9).
  if (auto synced = os::sync_directory_of(path); !synced) {
    return Error(errc::writing_stopped, std::string(synced.error().text()));
  }
  fresh->rename_to(path);
  return Written{std::move(*fresh), image_.size()};
}

}  // namespace dfs::daemon
