#include "common/os/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/detail/workaround.hpp>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <fstream>
#include <string>

#include "common/base/assert.hpp"

namespace dfs::os {

namespace {

// What mapped_region asks of a memory-mappable object: its handle.
struct Mappable {
  int fd;
  [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const {
    return {fd, false};
  }
};

constexpr std::size_t kPage = 4096;

// Since Linux 6.1; C libraries of before do not name it.
constexpr int kAdviceCollapse = 25;

/// Whether the machine's owner lets programs have huge pages that they ask for.
bool huge_pages_allowed() {
  static const bool allowed = [] {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string choice;
    return std::getline(file, choice) && choice.find("[never]") == std::string::npos;
  }();
  return allowed;
}

/// Addresses where a huge page of a file can be one of the mapping too; where that cannot be had,
/// nullptr.
void* aligned_addresses(std::uint64_t bytes) {
  if (bytes < kHugePageBytes) return nullptr;
  const std::size_t more = bytes + kHugePageBytes;
  void* found =
      ::mmap(nullptr, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (found == MAP_FAILED) return nullptr;
  ::munmap(found, more);
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(found) % kHugePageBytes;
  return static_cast<std::byte*>(found) + (beyond == 0 ? 0 : kHugePageBytes - beyond);
}

}  // namespace

struct Mapping::Region {
  boost::interprocess::mapped_region mapped;
};

Result<Descriptor> make_memory(const char* name, std::uint64_t bytes) {
  Descriptor fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.is_open()) return Error::from_errno(errno, "make shared memory");
  // 0400: /proc/PID/fd/N would else let another process of the same mode bits open it for writing.
  if (::fchmod(fd.get(), 0400) != 0) return Error::from_errno(errno, "set mode of shared memory");
  if (auto grown = grow_memory(fd.get(), 0, bytes); !grown) return std::move(grown).error();
  return fd;
}

Result<void> grow_memory(int fd, std::uint64_t from, std::uint64_t bytes) {
  if (bytes <= from) return {};
  int error = EINTR;
  while (error == EINTR) {
    error = ::posix_fallocate(fd, static_cast<off_t>(from), static_cast<off_t>(bytes - from));
  }
  if (error != 0) return Error::from_errno(error, "grow shared memory");
  return {};
}

Result<void> seal_memory(int fd, bool fixed) {
  const int seals = F_SEAL_SHRINK | (fixed ? F_SEAL_GROW | F_SEAL_SEAL : 0);
  if (::fcntl(fd, F_ADD_SEALS, seals) != 0) return Error::from_errno(errno, "seal shared memory");
  return {};
}

Result<void> punch_memory(int fd, std::uint64_t from, std::uint64_t bytes) {
  if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                  static_cast<off_t>(bytes)) != 0) {
    return Error::from_errno(errno, "give shared memory back");
  }
  return {};
}

Result<Descriptor> reopen_read_only(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  Descriptor copy(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!copy.is_open()) return Error::from_errno(errno, "open shared memory for reading");
  return copy;
}

Result<std::uint64_t> memory_size(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return Error::from_errno(errno, "stat shared memory");
  return static_cast<std::uint64_t>(st.st_size);
}

ForkMark::ForkMark() : page_(nullptr) {
  // Not by Boost: its anonymous memory is shared, and MADV_WIPEONFORK wants private memory.
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DFS_ASSERT(page != MAP_FAILED, "one page of memory for the fork mark");
  DFS_ASSERT(::madvise(page, kPage, MADV_WIPEONFORK) == 0, "MADV_WIPEONFORK needs Linux 4.14");
  page_ = new (page) std::atomic<std::uint32_t>(1);
}

ForkMark::~ForkMark() {
  // The page is inherited (wiped), so unmapping it is right in a child too.
  ::munmap(static_cast<void*>(page_), kPage);
}

Mapping::Mapping(std::unique_ptr<Region> region, const ForkMark& mark)
    : region_(std::move(region)),
      mark_(mark),
      data_(static_cast<std::byte*>(region_->mapped.get_address())),
      size_(region_->mapped.get_size()) {}

Mapping::~Mapping() {
  // In a child the addresses are not ours: leak the region instead of unmapping a stranger's
  // memory.
  if (mark_.in_child())
    static_cast<void>(region_.release());  // NOLINT(bugprone-unused-return-value)
}

Result<std::unique_ptr<Mapping>> Mapping::map(int fd, Extent extent, const ForkMark& mark) {
  namespace ipc = boost::interprocess;
  const auto mode = extent.access == Access::write ? ipc::read_write : ipc::read_only;
  const auto map_at = [&](void* wanted) {
    return std::make_unique<Region>(
        Region{ipc::mapped_region(Mappable{fd}, mode, 0, extent.bytes, wanted)});
  };
  try {
    std::unique_ptr<Region> region;
    if (void* wanted = aligned_addresses(extent.bytes)) {
      try {
        region = map_at(wanted);
      } catch (const ipc::interprocess_exception&) {
        // Another thread's mapping came in between: anywhere will do.
      }
    }
    if (!region) region = map_at(nullptr);
    void* address = region->mapped.get_address();
    // Best effort, both: a kernel without them only dumps or inherits more.
    static_cast<void>(::madvise(address, extent.bytes, MADV_DONTDUMP));
    static_cast<void>(::madvise(address, extent.bytes, MADV_DONTFORK));
    return std::unique_ptr<Mapping>(new Mapping(std::move(region), mark));
  } catch (const ipc::interprocess_exception& e) {
    return Error::from_errno(e.get_native_error() != 0 ? e.get_native_error() : ENOMEM,
                             "map shared memory");
  }
}

Result<void> Mapping::grow(int fd, std::uint64_t from, std::uint64_t bytes) const {
  const std::uint64_t first = (from + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  if (huge_pages_allowed() && first + kHugePageBytes <= bytes && bytes <= size_ &&
      ::ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    for (std::uint64_t at = first; at + kHugePageBytes <= bytes; at += kHugePageBytes) {
      // The kernel makes one huge page of what is there, and an empty place is nothing: so one
      // small page first. Nobody uses the memory yet, so nobody waits for this.
      if (!grow_memory(fd, at, at + kPage)) break;
      if (::madvise(data_ + at, kHugePageBytes, kAdviceCollapse) != 0) break;
    }
  }
  auto grown = grow_memory(fd, from, bytes);
  if (!grown) static_cast<void>(punch_memory(fd, from, bytes - from));
  return grown;
}

void Mapping::populate(std::uint64_t from, std::uint64_t bytes) const noexcept {
#ifdef MADV_POPULATE_WRITE
  const std::uint64_t start = from & ~std::uint64_t{kPage - 1};
  static_cast<void>(::madvise(data_ + start, from + bytes - start, MADV_POPULATE_WRITE));
#endif
}

}  // namespace dfs::os
