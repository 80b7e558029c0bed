// dfs as any program uses it: the public interface, a daemon that runs already.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

constexpr auto kPatience = std::chrono::minutes(5);

class DfsPeer final : public Peer {
 public:
  explicit DfsPeer(const Opening& opening) : store_(open(opening)) {}

  void hold() override { snapshot_.emplace(store_.snapshot()); }
  void release() override { snapshot_.reset(); }

  std::string_view get(std::string_view key) override {
    const auto entry = snapshot_->get(key);
    return entry ? entry->value : std::string_view();
  }

  void get_many(std::span<const std::string_view> keys,
                std::span<std::string_view> values) override {
    if (entries_.size() < keys.size()) entries_.resize(keys.size(), errc::absent);
    snapshot_->get_many(keys, entries_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      values[i] = entries_[i] ? entries_[i]->value : std::string_view();
    }
  }

  std::size_t scan(std::string_view from, std::size_t count) override {
    std::size_t bytes = 0;
    for (const Entry& entry : snapshot_->range(from, {})) {
      bytes += entry.key.size() + entry.value.size() + static_cast<unsigned char>(entry.value[0]);
      if (--count == 0) break;
    }
    return bytes;
  }

  void copy(std::string_view key, std::string& value) override {
    const Snapshot now = store_.snapshot();
    value.assign(now.get(key).value().value);
  }

  void begin() override { store_.begin().rollback(); }

  void set(std::string_view key, std::string_view value) override {
    store_.set(key, value).value();
  }

  std::size_t submit(std::string_view key, std::string_view value) override {
    std::size_t done = 0;
    if (in_flight_.size() == kInFlight) {
      finish_one();
      done = 1;
    }
    in_flight_.push_back(store_.submit(Batch().set(key, value)));
    return done;
  }

  std::size_t drain() override {
    const std::size_t done = in_flight_.size();
    while (!in_flight_.empty()) finish_one();
    return done;
  }

  std::size_t transact(const Pair& pair) override {
    std::size_t attempts = 0;
    store_
        .transact([&](Transaction& tx) {
          ++attempts;
          first_.assign(tx.get(pair.first_key).value().value);
          second_.assign(tx.get(pair.second_key).value().value);
          tx.set(pair.first_key, pair.first_value).set(pair.second_key, pair.second_value);
        })
        .value();
    return attempts;
  }

  void watch(double seconds) override {
    Watch watch = store_.watch().value();
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (auto left = end - std::chrono::steady_clock::now(); left.count() > 0;
         left = end - std::chrono::steady_clock::now()) {
      static_cast<void>(watch.next(std::chrono::ceil<std::chrono::milliseconds>(left)));
    }
  }

  void compact() override { Admin(store_).compact(kPatience).value(); }

  std::uint64_t memory() override {
    const auto said = boost::json::parse(Admin(store_).info().value());
    return said.at("used_bytes").to_number<std::uint64_t>();
  }

 private:
  static Store open(const Opening& opening) {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = kPatience;
    options.durability = opening.durable ? Durability::durable : Durability::written;
    return Store::open(opening.path, options).value();
  }

  void finish_one() {
    in_flight_.front().wait().value();
    in_flight_.pop_front();
  }

  Store store_;
  std::optional<Snapshot> snapshot_;
  std::vector<Result<Entry>> entries_;
  std::deque<Pending> in_flight_;
  std::string first_;
  std::string second_;
};

}  // namespace

std::unique_ptr<Peer> open_dfs(const Opening& opening) {
  return std::make_unique<DfsPeer>(opening);
}

}  // namespace dfs::bench
