// Inside a service of the system no daemon is started, since it would end with it; in a session and
// in a service of the user it is.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "tests/process/start_refusal.hpp"

namespace dfs::test {
namespace {

class StartService : public StartRefusal {};

/// A control group of the name that systemd gives to a system service, for its life.
class Service {
 public:
  explicit Service(const std::string& path) {
    for (const char* hierarchy :
         {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      std::error_code failed;
      if (!std::filesystem::exists(std::string(hierarchy) + "/cgroup.procs", failed)) continue;
      at_ = hierarchy + path;
      std::filesystem::create_directories(at_, failed);
      if (!failed) return;
    }
    at_.clear();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() {
    std::error_code ignored;
    // What was made here goes; what others are in stays, since it cannot be removed.
    for (std::filesystem::path path = at_; !path.empty() && path.filename() != "cgroup";
         path = path.parent_path()) {
      if (!std::filesystem::remove(path, ignored)) break;
    }
  }
  [[nodiscard]] bool made() const { return !at_.empty(); }
  /// In a client process: it is of the service from here on.
  void enter(const char* invocation) const {
    std::ofstream(at_ + "/cgroup.procs") << ::getpid() << std::flush;
    if (invocation != nullptr) ::setenv("INVOCATION_ID", invocation, 1);
  }

 private:
  std::string at_;
};

TEST_F(StartService, nothing_is_started_inside_a_system_service_until_it_is_told_always) {
  NEEDS_ROOT("no control group is made");
  const Service service("/system.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  make_store("users.db");
  const auto inside = [&service] { service.enter("0123456789abcdef0123456789abcdef"); };
  expect(attempt("users.db", Doing::writing, inside), errc::no_daemon,
         {"inside dfs-test.service none is started, since it would end with that service",
          "systemd-run --uid=0 dfsd " + real("users.db"), "autostart = always"});

  // Who is told to starts it there; a served store is reached from anywhere.
  Options options;
  options.autostart = Autostart::always;
  options.daemon.idle_exit = std::chrono::minutes(10);
  expect_served(attempt("users.db", Doing::writing, inside, options));
  expect_served(attempt("users.db", Doing::writing, inside));
  stop("users.db");
}

TEST_F(StartService, what_sshd_or_cron_run_is_inside_no_service) {
  NEEDS_ROOT("no control group is made");
  const Service service("/system.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  expect_served(attempt("users.db", Doing::writing, [&service] { service.enter(nullptr); }));
  stop("users.db");
}

TEST_F(StartService, a_users_service_may_start_it) {
  NEEDS_ROOT("no control group is made");
  const Service service("/user.slice/user-0.slice/user@0.service/app.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  expect_served(attempt("users.db", Doing::writing,
                        [&service] { service.enter("0123456789abcdef0123456789abcdef"); }));
  stop("users.db");
}

}  // namespace
}  // namespace dfs::test
