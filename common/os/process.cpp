#include "common/os/process.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "common/os/child.hpp"
#include "common/os/file.hpp"
#include "common/os/proc.hpp"

namespace dfs::os {

namespace {

// The kernel reads this page when the thread ends: the head, and the one entry behind it.
struct RobustList {
  robust_list_head head;
  robust_list entry;
};

/// A decimal number at the start of `text` behind spaces, or 0.
std::uint64_t number_in(std::string_view text) {
  while (!text.empty() && (text.front() < '0' || text.front() > '9')) text.remove_prefix(1);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::uint64_t cgroup_limit() {
  const std::string self = read_proc("/proc/self/cgroup");
  const auto at = self.find("0::");
  if (at == std::string::npos) return 0;
  std::string group = self.substr(at + 3);
  group.erase(std::min(group.find('\n'), group.size()));
  std::uint64_t least = 0;
  for (;;) {
    const std::uint64_t limit = number_in(read_proc("/sys/fs/cgroup" + group + "/memory.max"));
    if (limit != 0 && (least == 0 || limit < least)) least = limit;
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.erase(slash);
  }
}

}  // namespace

Result<std::unique_ptr<DeathWord>> DeathWord::arm(std::atomic<std::uint32_t>& word,
                                                  const ForkMark& mark) {
  auto fd = make_memory("dfs-death", 4096);
  if (!fd) return std::move(fd).error();
  auto page = Mapping::map(fd->get(), {4096, Mapping::Access::write}, mark);
  if (!page) return std::move(page).error();
  auto* list = new ((*page)->data()) RobustList{};
  list->head.list.next = &list->entry;
  list->entry.next = &list->head.list;
  list->head.futex_offset = reinterpret_cast<char*>(&word) - reinterpret_cast<char*>(&list->entry);
  list->head.list_op_pending = nullptr;
  if (::syscall(SYS_set_robust_list, &list->head, sizeof list->head) != 0) {
    return Error::from_errno(errno, "register the death word");
  }
  // Only now: whoever sees the id may rely on the kernel's mark.
  word.store(static_cast<std::uint32_t>(::gettid()), std::memory_order_seq_cst);
  return std::unique_ptr<DeathWord>(new DeathWord(std::move(*page)));
}

Result<int> spawn_and_wait(const SpawnRequest& request) {
  auto child = Child::start(
      {request.program, request.arguments, request.descriptors, {}, ChildRequest::Group::session});
  if (!child) return std::move(child).error();
  return child->wait();
}

Result<void> detach() {
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno(errno, "fork");
  if (pid > 0) ::_exit(0);
  return {};
}

std::uint64_t raise_open_files() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
  static_cast<void>(::getrlimit(RLIMIT_NOFILE, &limit));
  return limit.rlim_cur;
}

std::int32_t process_id() noexcept { return ::getpid(); }
std::uint32_t effective_user() noexcept { return ::geteuid(); }
std::uint32_t real_user() noexcept { return ::getuid(); }
std::uint32_t effective_group() noexcept { return ::getegid(); }
bool environment_is_untrusted() noexcept { return ::getauxval(AT_SECURE) != 0; }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string own_library() {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&own_library), &here) == 0) return {};
  const std::string path = here.dli_fname;
  return path.starts_with('/') ? path : std::string();
}

void ignore_write_signals() noexcept {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void name_thread(const char* name) noexcept {
  static_cast<void>(::pthread_setname_np(::pthread_self(), name));
}

void exit_now(int code) noexcept { ::_exit(code); }

void forget_starter() noexcept {
  const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (null.is_open()) static_cast<void>(::dup2(null.get(), STDERR_FILENO));
  // The directory may be on a medium that is to be unmounted; "/" is always there.
  if (::chdir("/") != 0) return;
}

void kill_self() noexcept {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

void stop_self() noexcept {
  // To this thread: sent to the process, the main thread takes it, and this one runs on meanwhile.
  std::raise(SIGSTOP);
}

void hold_self(const std::string& path) noexcept {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // waits for who writes
  char byte = 0;
  while (::read(fd, &byte, 1) > 0) {
  }
  ::close(fd);
}

MemoryBounds memory_bounds() {
  MemoryBounds bounds;
  const std::string memory = read_proc("/proc/meminfo");
  if (const auto at = memory.find("MemAvailable:"); at != std::string::npos) {
    bounds.available = number_in(std::string_view(memory).substr(at)) * 1024;
  }
  bounds.cgroup_limit = cgroup_limit();
  return bounds;
}

}  // namespace dfs::os
