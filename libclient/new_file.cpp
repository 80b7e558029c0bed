#include "libclient/new_file.hpp"

#include <cerrno>
#include <utility>

#include "common/os/random.hpp"

namespace dfs::client {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kNameBytes = 4;
constexpr std::string_view kPart = ".part-";

bool is_name_of_part(std::string_view name, std::string_view whole) {
  if (!name.starts_with(whole)) return false;
  name.remove_prefix(whole.size());
  if (!name.starts_with(kPart)) return false;
  name.remove_prefix(kPart.size());
  return name.size() == 2 * kNameBytes &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Removes what processes that were killed have left of this very file: of a living one it is
/// locked. Best effort.
void remove_left_behind(const std::string& path) {
  const std::string directory = os::directory_of(path);
  const auto names = os::list_directory(directory);
  if (!names) return;
  const std::string inside = directory + "/";
  for (const std::string& name : *names) {
    if (!is_name_of_part(name, os::name_of(path))) continue;
    const std::string part = inside + name;
    const auto status = os::status_of(part);
    if (!status || !status->regular) continue;  // nor would a pipe be waited for
    const auto file = os::File::open(part, {});
    if (!file) continue;
    const auto locked = file->try_lock();
    if (locked && *locked) static_cast<void>(os::remove(part));
  }
}

/// Locked, but where the file system cannot.
Result<os::File> make_part(const std::string& path) {
  for (;;) {
    auto file = os::File::open(path + std::string(kPart) + os::random_hex(kNameBytes),
                               {.write = true, .create = true, .exclusive = true, .mode = 0600});
    if (!file) return file;
    const auto locked = file->try_lock();
    if (!locked) return file;
    // Between the two another process may have taken it for one that was left behind.
    const auto own = file->status();
    const auto there = os::status_of(file->path());
    if (*locked && own && there && there->same_file(*own)) return file;
  }
}

}  // namespace

Result<NewFile> NewFile::make(const std::string& path, std::uint32_t mode) {
  if (os::name_of(path).empty()) {
    return Error(errc::bad_argument, "\"" + path + "\" names no file that could be made");
  }
  remove_left_behind(path);
  auto file = make_part(path);
  if (!file && file.error().system_error() == ENOENT) {
    return Error(errc::bad_argument, "there is no directory " + os::directory_of(path) +
                                         " to make " + os::name_of(path) + " in");
  }
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
