// SIGBUS turned into a return value: a client can make its own pages unbackable (a hole that the
// kernel refuses to fill), and only that client may be hurt.
#pragma once

#include <csetjmp>

namespace dfs::os {

/// Installs the process' SIGBUS action; a SIGBUS outside a guarded call still ends the process.
/// Call once, in the daemon's main.
void install_bus_guard();

namespace bus_guard {
/// Where the running guarded call of this thread wants to go back to; null outside one.
sigjmp_buf*& target() noexcept;
}  // namespace bus_guard

/// Runs `f`; false if it ended in a SIGBUS. What it had done by then stands, and nothing it owned
/// is destroyed: `f` may only copy bytes and load or store words. Requires: not nested. Threads:
/// any.
template <class F>
[[nodiscard]] bool with_bus_guard(F&& f) noexcept {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    bus_guard::target() = nullptr;
    return false;
  }
  bus_guard::target() = &here;
  f();
  bus_guard::target() = nullptr;
  return true;
}

}  // namespace dfs::os
