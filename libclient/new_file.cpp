#include "libclient/new_file.hpp"

#include <utility>

#include "common/os/random.hpp"

namespace dfs::client {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kNameBytes = 4;

}  // namespace

Result<NewFile> NewFile::make(const std::string& path, std::uint32_t mode) {
  auto file = os::File::open(path + ".part-" + os::random_hex(kNameBytes),
                             {.write = true, .create = true, .exclusive = true, .mode = 0600});
  if (!file) return std::move(file).error();
  NewFile made(std::move(*file), path);
  if (auto set = made.file_.set_mode(mode); !set) return std::move(set).error();
  return made;
}

NewFile::NewFile(NewFile&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::exchange(other.path_, {})),
      buffer_(std::move(other.buffer_)),
      written_(other.written_) {}

NewFile::~NewFile() {
  if (!path_.empty()) static_cast<void>(os::remove(file_.path()));
}

Result<void> NewFile::write(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Result<void>() : flush();
}

Result<void> NewFile::flush() {
  if (auto written = file_.write_at(buffer_, written_); !written) return written;
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<void> NewFile::put_in_place(Existing existing) {
  if (auto flushed = flush(); !flushed) return flushed;
  if (auto synced = file_.sync_all(); !synced) return synced;
  auto named = existing == Existing::replace ? os::rename(file_.path(), path_)
                                             : os::rename_new(file_.path(), path_);
  if (!named) return named;
  return os::sync_directory_of(std::exchange(path_, {}));
}

}  // namespace dfs::client
