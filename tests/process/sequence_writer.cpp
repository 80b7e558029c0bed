// A program that commits one by one to a store whose daemon it starts, and writes the sequence of
// each acknowledged commit to standard output, in one write(2) each: what durable_test traces.
//
// sequence_writer STORE DFSD COUNT [durable|written STORE-DURABILITY]
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int run(int argc, char** argv) {
  dfs::Options options;
  options.daemon.program = argv[2];
  options.timeout = std::chrono::minutes(2);
  const bool asks = argc > 4;
  if (asks) options.daemon.durability = dfs::Durability::written;
  dfs::Store store = dfs::Store::open(argv[1], options).value();
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    dfs::WriteOptions write;
    // In a store that promises less, every other commit asks for more.
    const bool durable = !asks || i % 2 == 1;
    if (asks && durable) write.durability = dfs::Durability::durable;
    const dfs::Committed done = store.set("key", std::to_string(i), write).value();
    const std::string line =
        std::string(durable ? "durable " : "written ") + std::to_string(done.sequence) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
  }
  dfs::Admin(store).stop().value();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
