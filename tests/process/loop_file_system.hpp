// A small ext4 in a file, mounted over a loop device: it can be filled, and its power cut. Needs
// root.
#pragma once

#include <fcntl.h>
#include <linux/types.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/process/program.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs::test {

/// Mounted for its life, but between unmount() and mount(). The mount is in a name space of this
/// process and its children alone, so the kernel takes it and its loop device away with them,
/// however the test ends.
class LoopFileSystem {
 public:
  /// Whether this process may mount anything.
  [[nodiscard]] static bool permitted() { return ::geteuid() == 0; }

  explicit LoopFileSystem(std::uint64_t bytes) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      throw std::runtime_error("a mount name space of one's own");
    }
    std::ofstream(image_).close();
    std::filesystem::resize_file(image_, bytes);
    run({"mkfs.ext4", "-q", "-F", "-m", "0", image_});
    std::filesystem::create_directory(path_);
    mount();
  }
  LoopFileSystem(const LoopFileSystem&) = delete;
  LoopFileSystem& operator=(const LoopFileSystem&) = delete;
  ~LoopFileSystem() {
    if (::getpid() == owner_ && mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  /// Of a file in it.
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  void mount() {
    run({"mount", "-o", "loop", image_, path_});
    mounted_ = true;
  }
  /// Requires: nothing has it open any more.
  void unmount() {
    run({"umount", path_});
    mounted_ = false;
  }
  /// Nothing that is written from here on reaches the disk, nor does what has not got there yet.
  /// The journal is not written out either.
  void cut_power() const {
    const int directory = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // linux/ext4.h is no public header: EXT4_IOC_SHUTDOWN and EXT4_GOING_FLAGS_NOLOGFLUSH.
    constexpr unsigned long kShutdown = _IOR('X', 125, __u32);
    __u32 no_log_flush = 2;
    const int cut = ::ioctl(directory, kShutdown, &no_log_flush);
    ::close(directory);
    if (cut != 0) throw std::runtime_error("EXT4_IOC_SHUTDOWN");
  }
  /// Takes all the space there is.
  void fill() const {
    std::ofstream file(filler_, std::ios::binary | std::ios::app);
    for (const std::size_t piece : {std::size_t{1} << 16, std::size_t{1024}, std::size_t{1}}) {
      const std::string bytes(piece, 'x');
      while (file.write(bytes.data(), static_cast<std::streamsize>(piece)).flush()) {
      }
      file.clear();
    }
  }
  /// Gives back what fill() took.
  void make_room() const { std::filesystem::remove(filler_); }

 private:
  static void run(const std::vector<std::string>& words) {
    Program program(words);
    if (program.run() != 0) throw std::runtime_error(words.front() + ": " + program.output());
  }

  const TemporaryDirectory directory_;
  const std::string image_ = directory_ / "image";
  const std::string path_ = directory_ / "mounted";
  const std::string filler_ = path_ + "/filler";
  const ::pid_t owner_ = ::getpid();
  bool mounted_ = false;
};

}  // namespace dfs::test
