// LevelDB, in this process alone. Its block cache holds everything, without compression, with a
// Bloom filter; a memtable of 64 MiB. WriteOptions::sync says whether sets are durable.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

constexpr std::size_t kMemtableBytes = std::size_t{64} << 20;
constexpr std::size_t kCacheBytes = std::size_t{4} << 30;
constexpr int kBloomBits = 10;

leveldb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

void check(const leveldb::Status& status) {
  if (!status.ok()) throw std::runtime_error("leveldb: " + status.ToString());
}

class LevelDbPeer final : public Peer {
 public:
  explicit LevelDbPeer(const Opening& opening) {
    options_.create_if_missing = true;
    options_.write_buffer_size = kMemtableBytes;
    options_.block_cache = cache_.get();
    options_.filter_policy = filter_.get();
    options_.compression = leveldb::kNoCompression;
    options_.max_open_files = 10'000;
    write_.sync = opening.durable;
    leveldb::DB* db = nullptr;
    check(leveldb::DB::Open(options_, opening.path, &db));
    db_.reset(db);
  }
  ~LevelDbPeer() override { LevelDbPeer::release(); }

  void hold() override { read_.snapshot = db_->GetSnapshot(); }
  void release() override {
    if (read_.snapshot != nullptr) db_->ReleaseSnapshot(read_.snapshot);
    read_.snapshot = nullptr;
  }

  std::string_view get(std::string_view key) override {
    const leveldb::Status status = db_->Get(read_, slice(key), &got_);
    if (status.IsNotFound()) return {};
    check(status);
    return got_;
  }

  std::size_t scan(std::string_view from, std::size_t count) override {
    const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(read_));
    std::size_t bytes = 0;
    for (at->Seek(slice(from)); at->Valid() && count > 0; at->Next(), --count) {
      bytes += at->key().size() + at->value().size() + static_cast<unsigned char>(at->value()[0]);
    }
    return bytes;
  }

  void copy(std::string_view key, std::string& value) override {
    check(db_->Get(read_, slice(key), &value));
  }

  void begin() override { db_->ReleaseSnapshot(db_->GetSnapshot()); }

  void set(std::string_view key, std::string_view value) override {
    check(db_->Put(write_, slice(key), slice(value)));
  }

  std::size_t submit(std::string_view key, std::string_view value) override {
    batch_.Put(slice(key), slice(value));
    return ++in_batch_ == kInFlight ? drain() : 0;
  }
  std::size_t drain() override {
    if (in_batch_ > 0) check(db_->Write(write_, &batch_));
    batch_.Clear();
    const std::size_t done = in_batch_;
    in_batch_ = 0;
    return done;
  }

  void compact() override { db_->CompactRange(nullptr, nullptr); }

 private:
  // The database uses these two, and ends before them.
  std::unique_ptr<leveldb::Cache> cache_{leveldb::NewLRUCache(kCacheBytes)};
  std::unique_ptr<const leveldb::FilterPolicy> filter_{leveldb::NewBloomFilterPolicy(kBloomBits)};
  std::string got_;
  leveldb::Options options_;
  leveldb::ReadOptions read_;
  leveldb::WriteOptions write_;
  std::unique_ptr<leveldb::DB> db_;
  leveldb::WriteBatch batch_;
  std::size_t in_batch_ = 0;
};

}  // namespace

std::unique_ptr<Peer> open_leveldb(const Opening& opening) {
  return std::make_unique<LevelDbPeer>(opening);
}

}  // namespace dfs::bench
