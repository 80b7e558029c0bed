// A file that is written whole under another name, and gets its own when it is on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/file.hpp"

namespace dfs::client {

/// Beside `path`, as `path.part-XXXXXXXX`, locked: of a process that is killed that is left, and
/// removed by the next one that makes the same file. Threads: one.
class NewFile {
 public:
  /// Made now, so that nobody else may read what comes into it.
  static Result<NewFile> make(const std::string& path, std::uint32_t mode);
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// Behind what was written before; buffered.
  [[nodiscard]] Result<void> write(std::string_view bytes);
  enum class Existing : std::uint8_t { refuse, replace };
  /// Syncs it and gives it its name. An error with errno EEXIST: something stands there. Call once.
  [[nodiscard]] Result<void> put_in_place(Existing existing);

 private:
  NewFile(os::File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  [[nodiscard]] Result<void> flush();

  os::File file_;
  std::string path_;  // empty: moved from, or in place
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace dfs::client
