#include "common/os/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace dfs::os {

namespace {

Error failed(std::string_view operation, std::string_view path) {
  const int error = errno;
  std::string text(operation);
  text += ' ';
  text += path;
  return Error::from_errno(error, text);
}

// All of FileStatus, and no times: a kernel that keeps fine ones has to write the inode anew at the
// next write to a file whose times somebody has asked for.
constexpr unsigned kStatus =
    STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO | STATX_SIZE;

FileStatus to_status(const struct statx& st) {
  FileStatus status;
  status.device = makedev(st.stx_dev_major, st.stx_dev_minor);
  status.inode = st.stx_ino;
  status.size = st.stx_size;
  status.links = st.stx_nlink;
  status.mode = st.stx_mode & 07777U;
  status.uid = st.stx_uid;
  status.gid = st.stx_gid;
  status.regular = S_ISREG(st.stx_mode);
  status.directory = S_ISDIR(st.stx_mode);
  status.socket = S_ISSOCK(st.stx_mode);
  return status;
}

/// Where the symbolic link at `path` leads; empty where none stands there.
std::string link_target(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  target.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return target;
}

}  // namespace

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

bool is_open(int fd) noexcept { return ::fcntl(fd, F_GETFD) >= 0; }

std::string FileStatus::owner() const {
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "%04o", mode);
  return "uid " + std::to_string(uid) + ", gid " + std::to_string(gid) + ", mode " + digits.data();
}

Result<File> File::open(std::string path, OpenMode mode) {
  const int flags = O_CLOEXEC | O_NOCTTY | (mode.write ? O_RDWR : O_RDONLY);
  // What is there is opened without O_CREAT: with it the kernel keeps even root from another's file
  // in a directory like /tmp (fs.protected_regular). A link that leads nowhere is neither there nor
  // can it be made: twice round says so.
  for (int rounds = 0;; ++rounds) {
    int fd = mode.exclusive ? -1 : ::open(path.c_str(), flags);
    if (fd < 0 && mode.create && (mode.exclusive || errno == ENOENT)) {
      fd = ::open(path.c_str(), flags | O_CREAT | O_EXCL, static_cast<mode_t>(mode.mode));
      if (fd < 0 && errno == EEXIST && !mode.exclusive && rounds < 100) continue;
    }
    if (fd < 0) return failed("open", path);
    return adopt(Descriptor(fd), std::move(path));
  }
}

File File::adopt(Descriptor descriptor, std::string path) {
  File file;
  file.descriptor_ = std::move(descriptor);
  file.path_ = std::move(path);
  return file;
}

Result<FileStatus> File::status() const {
  struct statx st {};
  if (::statx(fd(), "", AT_EMPTY_PATH, kStatus, &st) != 0) return failed("stat", path_);
  return to_status(st);
}

Result<void> File::write_at(std::string_view bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return failed("write", path_);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> File::write_stream(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd(), bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return failed("write", path_);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::string> File::read_at(std::uint64_t offset, std::uint64_t bytes) const {
  std::string out;
  out.resize(bytes);
  auto have = read_into(out, offset);
  if (!have) return std::move(have).error();
  out.resize(*have);
  return out;
}

Result<std::uint64_t> File::read_into(std::span<char> to, std::uint64_t offset) const {
  std::uint64_t have = 0;
  while (have < to.size()) {
    const ssize_t n =
        ::pread(fd(), to.data() + have, to.size() - have, static_cast<off_t>(offset + have));
    if (n < 0) {
      if (errno == EINTR) continue;
      return failed("read", path_);
    }
    if (n == 0) break;
    have += static_cast<std::uint64_t>(n);
  }
  return have;
}

Result<std::string> File::read_all() const {
  auto st = status();
  if (!st) return std::move(st).error();
  return read_at(0, st->size);
}

Result<void> File::sync_data() const {
  if (::fdatasync(fd()) != 0) return failed("sync", path_);
  return {};
}

Result<void> File::sync_all() const {
  if (::fsync(fd()) != 0) return failed("sync", path_);
  return {};
}

Result<void> File::truncate(std::uint64_t size) const {
  while (::ftruncate(fd(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return failed("truncate", path_);
  }
  return {};
}

Result<void> File::begin_write_back(std::uint64_t from, std::uint64_t bytes) const {
  if (::sync_file_range(fd(), static_cast<off_t>(from), static_cast<off_t>(bytes),
                        SYNC_FILE_RANGE_WRITE) == 0) {
    return {};
  }
  if (errno == EIO || errno == ENOSPC || errno == EDQUOT || errno == ENOMEM) {
    return failed("sync", path_);
  }
  return {};  // not here, then
}

Result<void> File::reserve(std::uint64_t from, std::uint64_t bytes) const {
  for (;;) {
    const int done =
        ::fallocate(fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(bytes));
    if (done == 0) return {};
    if (errno != EINTR) return failed("reserve space for", path_);
  }
}

Result<void> File::drop_cache() const {
  const int error = ::posix_fadvise(fd(), 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) return Error::from_errno(error, "drop cached pages of " + path_);
  return {};
}

Result<bool> File::try_lock() const {
  if (::flock(fd(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failed("lock", path_);
}

Result<void> File::set_owner(std::uint32_t uid, std::uint32_t gid) const {
  // A service may be denied the call as such (SystemCallFilter=~@chown), and seldom needs it.
  struct stat now {};
  if (::fstat(fd(), &now) == 0 && now.st_uid == uid && now.st_gid == gid) return {};
  if (::fchown(fd(), uid, gid) != 0) return failed("set owner of", path_);
  return {};
}

Result<void> File::set_mode(std::uint32_t mode) const {
  if (::fchmod(fd(), static_cast<mode_t>(mode)) != 0) return failed("set mode of", path_);
  return {};
}

std::string File::attribute(const char* name) const {
  std::string out(4096, '\0');
  const ssize_t n = ::fgetxattr(fd(), name, out.data(), out.size());
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

Result<FileStatus> status_of(const std::string& path) {
  struct statx st {};
  if (::statx(AT_FDCWD, path.c_str(), 0, kStatus, &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return errc::absent;
    return failed("stat", path);
  }
  return to_status(st);
}

Result<void> rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from + " to " + to);
  return {};
}

Result<void> rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return failed("rename", from + " to " + to);
  // A file system that cannot: two steps, with two names in between.
  if (auto linked = link(from, to); !linked) return linked;
  return remove(from);
}

Result<void> link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return failed("link", from + " to " + to);
  return {};
}

Result<void> symlink(const std::string& target, const std::string& to) {
  if (::symlink(target.c_str(), to.c_str()) != 0) return failed("make a symbolic link at", to);
  return {};
}

Result<void> set_owner_of(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  if (::lchown(path.c_str(), uid, gid) != 0) return failed("set owner of", path);
  return {};
}

Result<void> remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove", path);
  return {};
}

Result<void> sync_directory_of(const std::string& path) {
  const std::string directory = directory_of(path);
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return failed("open directory", directory);
  if (::fsync(fd.get()) != 0) return failed("sync directory", directory);
  return {};
}

Result<std::string> resolve_path(const std::string& path) {
  const auto resolve = [](const std::string& what) -> std::string {
    char* found = ::realpath(what.c_str(), nullptr);
    if (found == nullptr) return {};
    std::string out(found);
    std::free(found);  // NOLINT: realpath(3) allocates with malloc
    return out;
  };
  std::string at = path;
  // 40 links is what the kernel follows too.
  for (int links = 0; links < 40; ++links) {
    std::string whole = resolve(at);
    if (!whole.empty()) return whole;
    if (errno != ENOENT) return failed("find", path);
    const std::string target = link_target(at);
    if (target.empty()) break;
    at = target.front() == '/' ? target : directory_of(at).append("/").append(target);
  }
  const std::string directory = resolve(directory_of(at));
  if (directory.empty()) return failed("find directory", directory_of(at));
  return directory == "/" ? directory + name_of(at) : directory + "/" + name_of(at);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return failed("read directory", path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    std::string_view name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<std::uint64_t> free_space_of(const std::string& path) {
  struct statvfs st {};
  if (::statvfs(path.c_str(), &st) != 0) return failed("stat file system of", path);
  return static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize;
}

Result<FileSystem> file_system_of(const std::string& path) {
  struct statfs st {};
  if (::statfs(path.c_str(), &st) != 0) return failed("stat file system of", path);
  FileSystem found = file_system_named(static_cast<std::uint64_t>(st.f_type));
  found.read_only = (static_cast<unsigned long>(st.f_flags) & ST_RDONLY) != 0;  // NOLINT: its type
  return found;
}

FileSystem file_system_named(std::uint64_t magic) {
  struct Known {
    std::uint64_t magic;
    const char* name;
    bool fit;
  };
  // The magic numbers of linux/magic.h that decide something for dfs, and of file systems that are
  // no part of the kernel's headers. (f_type is signed: only 32 bits of it count.)
  static constexpr std::array<Known, 20> kKnown{
      {{0xEF53, "ext4", true},      {0x58465342, "xfs", true},       {0x9123683E, "btrfs", true},
       {0x01021994, "tmpfs", true}, {0x794c7630, "overlayfs", true}, {0x6969, "nfs", false},
       {0xFF534D42, "cifs", false}, {0xFE534D42, "smb2", false},     {0x517B, "smb", false},
       {0x01021997, "9p", false},   {0x65735546, "fuse", false},     {0x00c36400, "ceph", false},
       {0x5346414F, "afs", false},  {0x6B414653, "afs", false},      {0x786f4256, "vboxsf", false},
       {0x01161970, "gfs2", false}, {0x7461636f, "ocfs2", false},    {0x0BD00BD0, "lustre", false},
       {0x4d44, "vfat", false},     {0x2011BAB0, "exfat", false}}};
  const std::uint64_t low = magic & 0xFFFFFFFFU;
  for (const Known& known : kKnown) {
    if (known.magic == low) return {known.name, known.fit, false};
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(low));
  return {text.data(), true, false};
}

}  // namespace dfs::os
