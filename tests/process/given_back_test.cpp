// The pages of a generation go after the state that says so (I6): whoever reads zeros finds that
// they are none of the store's.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <sys/mman.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "common/index/control_page.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/hold.hpp"
#include "tests/process/raw_client.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

TEST(GivenBack, is_said_before_a_page_is_gone) {
  const Watchdog watchdog("a generation that is given back");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  Hold hold(directory / "hold");
  DaemonProcess daemon = DaemonProcess::serving({.program = DFSD_FAULTS,
                                                 .store = path,
                                                 .arguments = {"--feed-retention", "0s"},
                                                 .fault = "hold@punched:1",
                                                 .environment = hold.environment()});
  const RawClient client(path);
  const auto memory =
      client.map(wire::Descriptor::control_page, index::kControlPageBytes, PROT_READ);
  const auto& page = *reinterpret_cast<const index::ControlPage*>(memory.data());
  const std::uint64_t first = page.current.load();
  const auto state = [&](std::uint64_t generation) {
    return index::state_of(index::slot_of(page, generation).identity.load());
  };
  Store store = need(Store::open(path, patient()), "open");
  need(store.set("a", "1"), "set");
  EXPECT_EQ(state(first), index::GenerationState::current);
  std::thread compacts([&] {
    // One that begins before the writer has noted that there is a commit does nothing.
    do {
      EXPECT_TRUE(Admin(store).compact(std::chrono::minutes(2)));
    } while (page.current.load() == first);
  });
  hold.wait();
  EXPECT_EQ(page.current.load(), first + 1);
  EXPECT_EQ(state(first), index::GenerationState::given_back);
  EXPECT_EQ(state(first + 1), index::GenerationState::current);
  EXPECT_EQ(need(store.get("a"), "get").value, "1");
  hold.let_go();
  compacts.join();
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
