// A process of the suite: opens one peer and does what it is told, a line at a time, until its
// input ends. `bench/suite.py` starts these, one for each peer or many of one.
//
//     dfs-bench PEER PATH written|durable
#include <dfs/error.hpp>

#include <iostream>
#include <string>
#include <vector>

#include "bench/workload.hpp"

namespace dfs::bench {
namespace {

std::unique_ptr<Peer> open(const Opening& opening) {
  using Open = std::unique_ptr<Peer> (*)(const Opening&);
  constexpr std::pair<std::string_view, Open> kPeers[] = {
      {"dfs", open_dfs},         {"hash_map", open_hash_map}, {"lmdb", open_lmdb},
      {"redis", open_redis},     {"sqlite", open_sqlite},     {"leveldb", open_leveldb},
      {"rocksdb", open_rocksdb}, {"bare", open_bare}};
  for (const auto& [name, open_peer] : kPeers) {
    if (name == opening.peer) return open_peer(opening);
  }
  throw std::runtime_error("no peer " + opening.peer);
}

/// Says that all is prepared and waits for the word to begin.
void pass_gate() {
  std::cout << "ready" << std::endl;
  std::string word;
  std::getline(std::cin, word);
}

int serve(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3) {
    std::cerr << "usage: dfs-bench PEER PATH written|durable\n";
    return 2;
  }
  const auto peer = open({arguments[0], arguments[1], arguments[2] == "durable"});
  std::cout << "open" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << run(*peer, Order::parse(line), pass_gate).json() << std::endl;
    } catch (const Unsupported&) {
      std::cout << R"({"unsupported":true})" << std::endl;
    }
  }
  return 0;
}

}  // namespace
}  // namespace dfs::bench

int main(int argc, char** argv) {
  try {
    return dfs::bench::serve(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const dfs::Error& error) {
    std::cerr << "dfs-bench: " << error.what() << '\n';
    return dfs::exit_code(error.code());
  } catch (const std::exception& error) {
    std::cerr << "dfs-bench: " << error.what() << '\n';
    return 1;
  }
}
