// Memory that a test shares with the client processes it forks: plain atomics, for counts and
// flags.
#pragma once

#include <sys/mman.h>

#include <new>
#include <stdexcept>
#include <type_traits>

namespace dfs::test {

/// One zeroed T in anonymous shared memory; pages that nobody touches cost nothing.
template <class T>
class SharedMemory {
 public:
  static_assert(std::is_trivially_destructible_v<T>, "nobody runs destructors in shared memory");

  SharedMemory() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("mmap of a test's shared memory");
    shared_ = new (memory) T;  // not T(): the pages are zero as they come
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(static_cast<void*>(shared_), sizeof(T)); }

  T* operator->() const { return shared_; }
  T& operator*() const { return *shared_; }

 private:
  T* shared_;
};

}  // namespace dfs::test
