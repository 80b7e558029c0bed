#include "common/os/bus_guard.hpp"

#include <csignal>

#include "common/base/assert.hpp"

namespace dfs::os {

namespace {

thread_local sigjmp_buf* jump_target = nullptr;

void on_bus_error(int signal) {
  if (jump_target != nullptr) siglongjmp(*jump_target, 1);
  std::signal(signal,
              SIG_DFL);  // not guarded: our own bug, or a failing machine; end here, with a core
  std::raise(signal);
}

}  // namespace

sigjmp_buf*& bus_guard::target() noexcept { return jump_target; }

void install_bus_guard() {
  struct sigaction action {};
  action.sa_handler = on_bus_error;
  // Not masked while it runs: the jump out of it does not restore a mask (that would be a system
  // call for each guard).
  action.sa_flags = SA_NODEFER;
  DFS_ASSERT(::sigaction(SIGBUS, &action, nullptr) == 0, "SIGBUS can be caught");
}

}  // namespace dfs::os
