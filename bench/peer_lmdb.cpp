// LMDB: a B+ tree in a file that every process maps. Opened MDB_NOSYNC where sets are only to be
// written (and then a power cut may break the file, which it does not for dfs), with its defaults
// where they are to be durable. The map is as large as it will ever be; no read-ahead, as its
// manual advises for random reads.
#include <lmdb.h>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

constexpr std::size_t kMapBytes = std::size_t{32} << 30;

void check(int code) {
  if (code != MDB_SUCCESS) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
}

MDB_val as_val(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // NOLINT: read only, by its contract
}
std::string_view as_view(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

class LmdbPeer final : public Peer {
 public:
  explicit LmdbPeer(const Opening& opening) {
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, kMapBytes));
    const unsigned sync = opening.durable ? 0U : MDB_NOSYNC;
    check(mdb_env_open(env_, opening.path.c_str(), MDB_NOSUBDIR | MDB_NORDAHEAD | sync, 0644));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    check(mdb_txn_commit(txn));
  }
  ~LmdbPeer() override {
    LmdbPeer::release();
    if (reader_ != nullptr) mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }

  void hold() override {
    renew();
    check(mdb_cursor_open(reader_, dbi_, &cursor_));
  }
  void release() override {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    cursor_ = nullptr;
    if (reader_ != nullptr) mdb_txn_reset(reader_);
  }

  std::string_view get(std::string_view key) override {
    MDB_val k = as_val(key);
    MDB_val v;
    const int code = mdb_get(reader_, dbi_, &k, &v);
    if (code == MDB_NOTFOUND) return {};
    check(code);
    return as_view(v);
  }

  std::size_t scan(std::string_view from, std::size_t count) override {
    MDB_val k = as_val(from);
    MDB_val v;
    std::size_t bytes = 0;
    for (int code = mdb_cursor_get(cursor_, &k, &v, MDB_SET_RANGE);
         code == MDB_SUCCESS && count > 0; --count) {
      bytes += k.mv_size + v.mv_size + *static_cast<const unsigned char*>(v.mv_data);
      code = mdb_cursor_get(cursor_, &k, &v, MDB_NEXT);
    }
    return bytes;
  }

  void copy(std::string_view key, std::string& value) override {
    renew();
    value.assign(get(key));
    mdb_txn_reset(reader_);
  }

  void begin() override {
    renew();
    mdb_txn_reset(reader_);
  }

  void set(std::string_view key, std::string_view value) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    put(txn, key, value);
    check(mdb_txn_commit(txn));
  }

  std::size_t submit(std::string_view key, std::string_view value) override {
    if (open_ == nullptr) check(mdb_txn_begin(env_, nullptr, 0, &open_));
    put(open_, key, value);
    return ++in_open_ == kInFlight ? drain() : 0;
  }
  std::size_t drain() override {
    if (open_ != nullptr) check(mdb_txn_commit(open_));
    open_ = nullptr;
    const std::size_t done = in_open_;
    in_open_ = 0;
    return done;
  }

  std::size_t transact(const Pair& pair) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const std::string_view key : {pair.first_key, pair.second_key}) {
      MDB_val k = as_val(key);
      MDB_val v;
      check(mdb_get(txn, dbi_, &k, &v));
      read_.assign(as_view(v));
    }
    put(txn, pair.first_key, pair.first_value);
    put(txn, pair.second_key, pair.second_value);
    check(mdb_txn_commit(txn));
    return 1;
  }

 private:
  /// A read transaction is made once and renewed, the cheapest way that LMDB has.
  void renew() {
    if (reader_ == nullptr) {
      check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
    } else {
      check(mdb_txn_renew(reader_));
    }
  }
  void put(MDB_txn* txn, std::string_view key, std::string_view value) const {
    MDB_val k = as_val(key);
    MDB_val v = as_val(value);
    check(mdb_put(txn, dbi_, &k, &v, 0));
  }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* reader_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  MDB_txn* open_ = nullptr;
  std::size_t in_open_ = 0;
  std::string read_;
};

}  // namespace

std::unique_ptr<Peer> open_lmdb(const Opening& opening) {
  return std::make_unique<LmdbPeer>(opening);
}

}  // namespace dfs::bench
