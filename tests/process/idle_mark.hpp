// A store whose log ends with an idle mark: all before it is known to be on disk.
#pragma once

#include <dfs/store.hpp>

#include <poll.h>

#include <string>

#include "tests/process/client_process.hpp"
#include "tests/process/log_contents.hpp"

namespace dfs::test {

/// Waits until the idle daemon has said in the log how far it is synced.
inline void wait_for_mark(const std::string& path) {
  while (file_bytes(path).find("\n[\"mark\",") == std::string::npos) ::poll(nullptr, 0, 20);
}

inline void commit_one(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  Store store = need(Store::open(path, options), "open");
  static_cast<void>(need(store.set("first", "1"), "set"));
}

}  // namespace dfs::test
