// A store for the tests of what the Go library did: its daemon can be stopped or killed, and
// another one started.
#pragma once

#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {

class Seed : public ::testing::Test {
 protected:
  Seed() : daemon_(DaemonProcess::serving({.store = path_})) {}

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = std::chrono::minutes(1);
    return need(Store::open(path_, options), "open");
  }
  void restart() {
    daemon_.stop();
    daemon_ = DaemonProcess::serving({.store = path_});
  }
  void kill_and_restart() {
    daemon_.kill();
    daemon_ = DaemonProcess::serving({.store = path_});
  }
  [[nodiscard]] static std::string user(const std::string& name) {
    return R"({"id":"u","name":")" + name + R"("})";
  }

  const Watchdog watchdog_{"a store"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  DaemonProcess daemon_;
};

}  // namespace dfs::test
