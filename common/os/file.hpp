// Files and directories: the log, its side files, its lock. errno becomes an Error here, once, with
// a text that begins with the operation and the path.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace dfs::os {

/// What a path or an open file is, as far as dfs decides by it.
struct FileStatus {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t links = 0;
  std::uint32_t mode = 0;  ///< permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool regular = false;
  bool directory = false;
  bool socket = false;
  [[nodiscard]] bool same_file(const FileStatus& other) const noexcept {
    return device == other.device && inode == other.inode;
  }
  /// For texts: "uid 1000, gid 100, mode 0640".
  [[nodiscard]] std::string owner() const;
};

struct OpenMode {
  bool write = false;
  bool create = false;
  bool exclusive = false;     ///< with create: fail where something stands there
  std::uint32_t mode = 0666;  ///< of a file made; the umask is applied
};

/// An open file and the path it was opened by (for messages). Threads: the calls are the kernel's;
/// any.
class File {
 public:
  File() = default;
  static Result<File> open(std::string path, OpenMode mode);
  /// Takes over a descriptor that was inherited or received.
  static File adopt(Descriptor descriptor, std::string path);

  [[nodiscard]] bool is_open() const noexcept { return descriptor_.is_open(); }
  [[nodiscard]] int fd() const noexcept { return descriptor_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void rename_to(std::string path) { path_ = std::move(path); }  ///< the name in messages only
  void close() noexcept { descriptor_.reset(); }

  [[nodiscard]] Result<FileStatus> status() const;
  /// Writes all of `bytes` at `offset`, or fails; how much of it reached the file is then unknown.
  [[nodiscard]] Result<void> write_at(std::string_view bytes, std::uint64_t offset) const;
  /// Writes all of `bytes` where the descriptor stands: for pipes.
  [[nodiscard]] Result<void> write_stream(std::string_view bytes) const;
  /// All that stands from `offset`, `bytes` at the most.
  [[nodiscard]] Result<std::string> read_at(std::uint64_t offset, std::uint64_t bytes) const;
  [[nodiscard]] Result<std::string> read_all() const;
  /// Fills `to` from `offset` on; how many bytes there were.
  [[nodiscard]] Result<std::uint64_t> read_into(std::span<char> to, std::uint64_t offset) const;
  /// fdatasync. After a failure nothing may be synced again (I9).
  [[nodiscard]] Result<void> sync_data() const;
  /// fsync: owner and mode as well.
  [[nodiscard]] Result<void> sync_all() const;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) const;
  /// Has the kernel write these pages to the disk soon, and does not wait: so that a later sync has
  /// little left to do, and nobody else's waits behind it. No sync by itself; done where it can be,
  /// and an error is one of a sync: a later one may not tell of it again.
  [[nodiscard]] Result<void> begin_write_back(std::uint64_t from, std::uint64_t bytes) const;
  /// Allocates space without changing the size, so that a write there still fits a full disk. Lost
  /// with the next truncate(). errno EOPNOTSUPP where the file system cannot.
  [[nodiscard]] Result<void> reserve(std::uint64_t from, std::uint64_t bytes) const;
  /// Drops the clean pages, so that the next read comes from the disk.
  [[nodiscard]] Result<void> drop_cache() const;
  /// Locks the inode (flock) for this open file; false where another holds it. Held until the last
  /// copy closes.
  [[nodiscard]] Result<bool> try_lock() const;
  [[nodiscard]] Result<void> set_owner(std::uint32_t uid, std::uint32_t gid) const;
  [[nodiscard]] Result<void> set_mode(std::uint32_t mode) const;
  /// An extended attribute's bytes; empty where there is none.
  [[nodiscard]] std::string attribute(const char* name) const;

 private:
  Descriptor descriptor_;
  std::string path_;
};

/// The status of what stands at `path` (symbolic links followed); absent where nothing stands
/// there.
Result<FileStatus> status_of(const std::string& path);
Result<void> rename(const std::string& from, const std::string& to);
/// The same, but only where nothing stands at `to` (errno EEXIST in the error where something
/// does).
Result<void> rename_new(const std::string& from, const std::string& to);
/// Gives `from` a second name (errno EEXIST in the error where `to` stands already).
Result<void> link(const std::string& from, const std::string& to);
Result<void> symlink(const std::string& target, const std::string& to);
/// Of what stands at `path` itself, also of a symbolic link.
Result<void> set_owner_of(const std::string& path, std::uint32_t uid, std::uint32_t gid);
/// Absent is not an error.
Result<void> remove(const std::string& path);
/// Makes the names in the directory that holds `path` durable.
Result<void> sync_directory_of(const std::string& path);
/// The path with links, `.` and `..` resolved; of a path whose last part does not exist, its
/// directory resolved. A link to what does not exist leads there.
Result<std::string> resolve_path(const std::string& path);
/// The names in a directory, sorted.
Result<std::vector<std::string>> list_directory(const std::string& path);
[[nodiscard]] std::string directory_of(const std::string& path);
[[nodiscard]] std::string name_of(const std::string& path);
/// What a file system is, as far as dfs decides by it.
struct FileSystem {
  std::string name;  ///< "ext4", "nfs", ...; of one not known here its number in hex
  /// False where a lock, a sync or a rename does not mean what it means on a local disk, or where
  /// there are no owners, links and sockets.
  bool fit = true;
  bool read_only = false;
};
/// Bytes that a file system has left for this user; `path` is anything in it.
Result<std::uint64_t> free_space_of(const std::string& path);
/// Of the one that holds the file or directory.
Result<FileSystem> file_system_of(const std::string& path);
/// Of the one with that number in statfs(2).
[[nodiscard]] FileSystem file_system_named(std::uint64_t magic);

}  // namespace dfs::os
