#include "common/wire/client_page.hpp"

#include "common/base/assert.hpp"

namespace dfs::wire {

ClientPage& client_page_at(std::span<std::byte> memory) noexcept {
  DFS_ASSERT(memory.size() >= kClientPageBytes, "a client page has 64 KiB");
  DFS_ASSERT(reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(ClientPage) == 0,
             "a client page begins on a page");
  return *reinterpret_cast<ClientPage*>(memory.data());
}

}  // namespace dfs::wire
