#include "daemon/side_file.hpp"

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

/// What root makes beside another's log is that owner's.
Result<void> give_to_owner_of(const os::File& log, const os::File& made) {
  if (os::effective_user() != 0) return {};
  auto owner = log.status();
  if (!owner) return std::move(owner).error();
  return made.set_owner(owner->uid, owner->gid);
}

}  // namespace

Result<std::string> keep_torn(const os::File& log, std::string_view bytes, std::uint64_t sequence) {
  const std::string name = log.path() + ".torn-" + std::to_string(sequence);
  for (int number = 1;; ++number) {
    std::string path = number == 1 ? name : name + "-" + std::to_string(number);
    auto file = os::File::open(path, {.write = true, .create = true, .mode = 0600});
    if (!file) return std::move(file).error();
    if (auto given = give_to_owner_of(log, *file); !given) return std::move(given).error();
    auto there = file->read_all();
    if (!there) return std::move(there).error();
    // An earlier try may have been cut short; anything else is another start's side file.
    if (!bytes.starts_with(*there)) continue;
    if (auto r = file->write_at(bytes, 0); !r) return std::move(r).error();
    if (auto r = file->sync_all(); !r) return std::move(r).error();
    if (auto r = os::sync_directory_of(path); !r) return std::move(r).error();
    return path;
  }
}

Result<void> put_beside(const os::File& log, const std::string& path, std::string_view bytes) {
  // A name that each start clears away.
  const std::string fresh_path = log.path() + ".new";
  if (auto gone = os::remove(fresh_path); !gone) return gone;
  auto fresh =
      os::File::open(fresh_path, {.write = true, .create = true, .exclusive = true, .mode = 0600});
  if (!fresh) return std::move(fresh).error();
  if (auto r = give_to_owner_of(log, *fresh); !r) return r;
  if (auto r = fresh->write_at(bytes, 0); !r) return r;
  if (auto r = fresh->sync_all(); !r) return r;
  if (auto r = os::rename(fresh_path, path); !r) return r;
  return os::sync_directory_of(path);
}

}  // namespace dfs::daemon
