// RocksDB, in this process alone. Its block cache holds everything, without compression, with a
// Bloom filter and a hash index in each block; a memtable of 64 MiB, two threads in the background.
// WriteOptions::sync says whether sets are durable.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

constexpr std::size_t kMemtableBytes = std::size_t{64} << 20;
constexpr std::size_t kCacheBytes = std::size_t{4} << 30;
constexpr int kBloomBits = 10;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

void check(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error("rocksdb: " + status.ToString());
}

class RocksDbPeer final : public Peer {
 public:
  explicit RocksDbPeer(const Opening& opening) {
    options_.create_if_missing = true;
    options_.write_buffer_size = kMemtableBytes;
    options_.IncreaseParallelism(2);
    options_.compression = rocksdb::kNoCompression;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBits));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options_.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    write_.sync = opening.durable;
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options_, opening.path, &db));
    db_.reset(db);
  }
  ~RocksDbPeer() override { RocksDbPeer::release(); }

  void hold() override { read_.snapshot = db_->GetSnapshot(); }
  void release() override {
    if (read_.snapshot != nullptr) db_->ReleaseSnapshot(read_.snapshot);
    read_.snapshot = nullptr;
  }

  std::string_view get(std::string_view key) override {
    got_.Reset();
    const rocksdb::Status status = db_->Get(read_, db_->DefaultColumnFamily(), slice(key), &got_);
    if (status.IsNotFound()) return {};
    check(status);
    return {got_.data(), got_.size()};
  }

  std::size_t scan(std::string_view from, std::size_t count) override {
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(read_));
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

  void compact() override {
    check(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }

 private:
  rocksdb::Options options_;
  rocksdb::ReadOptions read_;
  rocksdb::WriteOptions write_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::PinnableSlice got_;
  rocksdb::WriteBatch batch_;
  std::size_t in_batch_ = 0;
};

}  // namespace

std::unique_ptr<Peer> open_rocksdb(const Opening& opening) {
  return std::make_unique<RocksDbPeer>(opening);
}

}  // namespace dfs::bench
