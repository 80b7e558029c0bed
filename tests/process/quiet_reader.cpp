// A program that reads a store 100,000 times in each way between two markers, writes to a
// descriptor that is none, for syscall_test to look between them.
//
// quiet_reader STORE THREADS COUNT [loud]: loud makes one system call in the middle.
#include <dfs/store.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

void mark(std::string_view text) {
  if (::write(-1, text.data(), text.size()) >= 0) std::abort();
}

/// What one thread reads, `count` times each; the sum keeps it from being left out.
std::size_t read(const dfs::Store& store, const std::vector<std::string>& keys, int count) {
  std::size_t sum = 0;
  const dfs::Snapshot held = store.snapshot();
  for (int i = 0; i < count; ++i) {
    const std::string& key = keys[static_cast<std::size_t>(i) % keys.size()];
    const dfs::Result<dfs::Entry> entry = held.get(key);
    if (entry) sum += entry->value.size();
  }
  for (int i = 0; i < count; ++i) {
    const std::string& key = keys[static_cast<std::size_t>(i) % keys.size()];
    const dfs::Result<dfs::Value> value = store.get(key);
    if (value) sum += value->value.size();
  }
  for (int i = 0; i < count; ++i) sum += store.snapshot().sequence() & 1;
  return sum;
}

struct Meeting {
  std::atomic<int> warm{0};
  std::atomic<int> done{0};
  std::atomic<std::size_t> sum{0};
};

void run_thread(const dfs::Store& store, int threads, int count, bool loud, Meeting& meeting) {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i));  // every tenth is absent
  std::size_t sum = read(store, keys, 1000);
  // All at once, and nobody ends while another is between its markers.
  meeting.warm.fetch_add(1);
  while (meeting.warm.load() < threads) {
  }
  mark("begin");
  sum += read(store, keys, count);
  if (loud) static_cast<void>(::getppid());
  mark("end");
  meeting.sum += sum;
  meeting.done.fetch_add(1);
  while (meeting.done.load() < threads) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    dfs::Options options;
    options.autostart = dfs::Autostart::never;
    options.read_only = true;
    const dfs::Store store = dfs::Store::open(argv[1], options).value();
    const int threads = std::atoi(argv[2]);
    const int count = std::atoi(argv[3]);
    Meeting meeting;
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&] { run_thread(store, threads, count, argc > 4, meeting); });
    }
    for (std::thread& thread : running) thread.join();
    return meeting.sum.load() > 0 ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
