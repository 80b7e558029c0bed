// A store with an honest client, and processes of somebody else who break its rules.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/raw_client.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {

/// Before and after each test everybody else is served.
class Hostile : public ::testing::Test {
 protected:
  Hostile() : daemon_(DaemonProcess::serving({.store = path_})), store_(open()) {
    // Somebody else may come in, and may write.
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(path_, std::filesystem::perms(0666));
    expect_served();
  }
  ~Hostile() override {
    expect_served();
    store_.close();
    daemon_.stop();
  }

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = std::chrono::minutes(2);
    return need(Store::open(path_, options), "open");
  }
  /// An honest client writes and reads, and a new one is let in.
  void expect_served() {
    const std::string value = std::to_string(++served_);
    const auto done = store_.set("honest", value);
    ASSERT_TRUE(done) << done.error().text() << daemon_.said();
    EXPECT_EQ(need(store_.get("honest"), "get").value, value);
    EXPECT_EQ(need(open().get("honest"), "get").value, value);
    EXPECT_FALSE(daemon_.ended());
  }
  [[nodiscard]] boost::json::object info() const {
    return boost::json::parse(need(Admin(store_).info(), "info")).as_object();
  }
  [[nodiscard]] std::uint64_t number(const char* name) const {
    return info().at(name).to_number<std::uint64_t>();
  }
  /// Asks again until the daemon says so; the watchdog ends what never comes.
  void wait_until(const char* name, std::uint64_t at_least) const {
    while (number(name) < at_least) ::sched_yield();
  }
  void wait_until_clients(std::uint64_t at_most) const {
    while (number("clients") > at_most) ::sched_yield();
  }
  /// Runs in a process of its own, as somebody else.
  [[nodiscard]] ClientProcess hostile(const std::function<void()>& body) const {
    return ClientProcess("the hostile client", [body] {
      become_somebody_else();
      body();
    });
  }
  /// A client that `breaks` a rule is dropped, and the daemon's own words say `why`.
  void expect_dropped(const std::function<void(RawClient&)>& breaks, const std::string& why) {
    const std::uint64_t before = number("dropped_clients");
    hostile([&] {
      RawClient client(path_);
      breaks(client);
      client.wait_for_end();
    }).expect_done();
    wait_until("dropped_clients", before + 1);
    EXPECT_NE(daemon_.said().find(why), std::string::npos) << why << "\n" << daemon_.said();
    expect_served();
  }

  const Watchdog watchdog_{"a hostile client"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  DaemonProcess daemon_;
  Store store_;
  int served_ = 0;
};

}  // namespace dfs::test
