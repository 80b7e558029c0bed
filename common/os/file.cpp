#include "common/os/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

FileStatus to_status(const struct stat& st) {
  FileStatus status;
  status.device = st.st_dev;
  status.inode = st.st_ino;
  status.size = static_cast<std::uint64_t>(st.st_size);
  status.links = st.st_nlink;
  status.mode = st.st_mode & 07777U;
  status.uid = st.st_uid;
  status.gid = st.st_gid;
  status.regular = S_ISREG(st.st_mode);
  status.directory = S_ISDIR(st.st_mode);
  status.socket = S_ISSOCK(st.st_mode);
  return status;
}

}  // namespace

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<File> File::open(std::string path, OpenMode mode) {
  int flags = O_CLOEXEC | O_NOCTTY | (mode.write ? O_RDWR : O_RDONLY);
  if (mode.create) flags |= O_CREAT;
  if (mode.exclusive) flags |= O_EXCL;
  const int fd = ::open(path.c_str(), flags, static_cast<mode_t>(mode.mode));
  if (fd < 0) return failed("open", path);
  return adopt(Descriptor(fd), std::move(path));
}

File File::adopt(Descriptor descriptor, std::string path) {
  File file;
  file.descriptor_ = std::move(descriptor);
  file.path_ = std::move(path);
  return file;
}

Result<FileStatus> File::status() const {
  struct stat st {};
  if (::fstat(fd(), &st) != 0) return failed("stat", path_);
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
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t n =
        ::pread(fd(), out.data() + have, bytes - have, static_cast<off_t>(offset + have));
    if (n < 0) {
      if (errno == EINTR) continue;
      return failed("read", path_);
    }
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out;
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
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return errc::absent;
    return failed("stat", path);
  }
  return to_status(st);
}

Result<void> rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from + " to " + to);
  return {};
}

Result<void> link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return failed("link", from + " to " + to);
  return {};
}

Result<void> symlink(const std::string& target, const std::string& to) {
  if (::symlink(target.c_str(), to.c_str()) != 0) return failed("make a symbolic link at", to);
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
  std::string whole = resolve(path);
  if (!whole.empty()) return whole;
  if (errno != ENOENT) return failed("find", path);
  const std::string directory = resolve(directory_of(path));
  if (directory.empty()) return failed("find directory", directory_of(path));
  return directory == "/" ? directory + name_of(path) : directory + "/" + name_of(path);
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

Result<std::string> file_system_of(const std::string& path) {
  struct statfs st {};
  if (::statfs(path.c_str(), &st) != 0) return failed("stat file system of", path);
  struct Known {
    unsigned long magic;  // NOLINT: f_type's type
    const char* name;
  };
  // The magic numbers of linux/magic.h that decide something for dfs.
  static constexpr std::array<Known, 11> kKnown{{{0xEF53, "ext4"},
                                                 {0x58465342, "xfs"},
                                                 {0x9123683E, "btrfs"},
                                                 {0x01021994, "tmpfs"},
                                                 {0x794c7630, "overlayfs"},
                                                 {0x6969, "nfs"},
                                                 {0xFF534D42, "cifs"},
                                                 {0xFE534D42, "smb2"},
                                                 {0x517B, "smb"},
                                                 {0x01021997, "9p"},
                                                 {0x65735546, "fuse"}}};
  const auto magic = static_cast<unsigned long>(st.f_type);  // NOLINT
  for (const Known& known : kKnown) {
    if (known.magic == magic) return std::string(known.name);
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%lx", magic);
  return std::string(text.data());
}

}  // namespace dfs::os
