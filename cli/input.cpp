#include "cli/input.hpp"

#include <cerrno>

namespace dfs::cli {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

}  // namespace

void Input::Closer::operator()(std::FILE* file) const noexcept {
  if (file != stdin) std::fclose(file);
}

Input::Input(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

Result<Input> Input::open(const std::string& path) {
  if (path == "-") return Input(stdin, "stdin");
  if (std::FILE* file = std::fopen(path.c_str(), "rbe")) return Input(file, path);
  if (errno == ENOENT) return Error(errc::no_store, "there is no file " + path);
  const Error error = Error::from_errno(errno, "open " + path);
  if (error.system_error() != EACCES) return error;
  return Error(errc::not_permitted, std::string(error.text())).with_errno(EACCES);
}

// Reads one more block behind what is there; false at the end of the file.
Result<bool> Input::fill() {
  if (ended_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kBlockBytes);
  const std::size_t got = std::fread(buffer_.data() + have, 1, kBlockBytes, file_.get());
  const int read_errno = errno;
  buffer_.resize(have + got);
  if (got < kBlockBytes) {
    if (std::ferror(file_.get()) != 0) return Error::from_errno(read_errno, "read " + name_);
    ended_ = true;
  }
  return got > 0;
}

Result<bool> Input::next(std::string_view& line) {
  std::size_t looked = begin_;
  std::size_t end = buffer_.find('\n', looked);
  while (end == std::string::npos) {
    looked = buffer_.size() - begin_;  // fill() moves what is there to the front
    auto more = fill();
    if (!more) return std::move(more).error();
    if (!*more) break;
    end = buffer_.find('\n', looked);
  }
  if (end == std::string::npos) {
    if (begin_ == buffer_.size()) return false;
    end = buffer_.size();
  }
  line = std::string_view(buffer_).substr(begin_, end - begin_);
  begin_ = std::min(end + 1, buffer_.size());
  ++line_;
  return true;
}

Result<std::string> Input::rest() {
  for (;;) {
    auto more = fill();
    if (!more) return std::move(more).error();
    if (!*more) break;
  }
  return buffer_.substr(begin_);
}

Error Input::at_line(const Error& error) const {
  std::string text = name_ + ":" + std::to_string(line_) + ": ";
  text += error.text();
  return Error(error.code(), std::move(text))
      .with_key(error.key())
      .with_limit(error.limit())
      .with_place(line_, error.offset());
}

}  // namespace dfs::cli
