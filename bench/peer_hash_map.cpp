// A hash map in the program's own memory: no other process, no order, nothing kept. It does less
// than a store, and shows what a lookup costs at least.
#include <absl/container/flat_hash_map.h>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

class HashMapPeer final : public Peer {
 public:
  void hold() override {}

  std::string_view get(std::string_view key) override {
    const auto found = map_.find(absl::string_view(key.data(), key.size()));
    return found == map_.end() ? std::string_view() : std::string_view(found->second);
  }

  void get_many(std::span<const std::string_view> keys,
                std::span<std::string_view> values) override {
    for (std::size_t i = 0; i < keys.size(); ++i) values[i] = get(keys[i]);
  }

  void copy(std::string_view key, std::string& value) override { value.assign(get(key)); }
  void set(std::string_view key, std::string_view value) override {
    map_.insert_or_assign(absl::string_view(key.data(), key.size()), std::string(value));
  }
  std::size_t submit(std::string_view key, std::string_view value) override {
    set(key, value);
    return 1;
  }

 private:
  absl::flat_hash_map<std::string, std::string> map_;
};

}  // namespace

std::unique_ptr<Peer> open_hash_map(const Opening& /*opening*/) {
  return std::make_unique<HashMapPeer>();
}

}  // namespace dfs::bench
