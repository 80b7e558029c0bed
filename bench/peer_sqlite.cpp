// SQLite in WAL mode, with prepared statements, its file mapped and a page cache for all of it.
// synchronous=NORMAL where sets are only to be written (the log is not synced at a commit), FULL
// where they are to be durable.
#include <sqlite3.h>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) !=
        SQLITE_OK) {
      fail();
    }
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(int index, std::string_view text) {
    sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    return *this;
  }
  /// Whether there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail();
    return code == SQLITE_ROW;
  }
  [[nodiscard]] std::string_view column(int index) const {
    const auto* text = static_cast<const char*>(sqlite3_column_blob(statement_, index));
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
  }
  void reset() { sqlite3_reset(statement_); }
  void run() {
    step();
    reset();
  }

 private:
  [[noreturn]] void fail() const {
    throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(db_));
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  explicit Database(const Opening& opening) {
    if (sqlite3_open(opening.path.c_str(), &db_) != SQLITE_OK) {
      throw std::runtime_error("sqlite: cannot open " + opening.path);
    }
    sqlite3_busy_timeout(db_, 60'000);
    for (const char* sql :
         {"PRAGMA journal_mode=WAL", "PRAGMA cache_size=-2000000", "PRAGMA mmap_size=8000000000",
          "PRAGMA temp_store=MEMORY",
          opening.durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
          "CREATE TABLE IF NOT EXISTS kv(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID"}) {
      if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(db_));
      }
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db_); }
  [[nodiscard]] sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

class SqlitePeer final : public Peer {
 public:
  explicit SqlitePeer(const Opening& opening) : db_(opening) {}

  void hold() override {
    begin_.run();
    get("");  // what makes SQLite take its snapshot
  }
  void release() override {
    get_.reset();
    commit_.run();
  }

  std::string_view get(std::string_view key) override {
    get_.reset();
    return get_.bind(1, key).step() ? get_.column(0) : std::string_view();
  }

  std::size_t scan(std::string_view from, std::size_t count) override {
    std::size_t bytes = 0;
    scan_.bind(1, from);
    while (count-- > 0 && scan_.step()) {
      const std::string_view value = scan_.column(1);
      bytes += scan_.column(0).size() + value.size() + static_cast<unsigned char>(value[0]);
    }
    scan_.reset();
    return bytes;
  }

  void copy(std::string_view key, std::string& value) override {
    value.assign(get(key));
    get_.reset();
  }

  void begin() override {
    begin_.run();
    commit_.run();
  }

  void set(std::string_view key, std::string_view value) override {
    set_.bind(1, key).bind(2, value).run();
  }

  std::size_t submit(std::string_view key, std::string_view value) override {
    if (in_open_ == 0) begin_immediate_.run();
    set(key, value);
    return ++in_open_ == kInFlight ? drain() : 0;
  }
  std::size_t drain() override {
    if (in_open_ > 0) commit_.run();
    const std::size_t done = in_open_;
    in_open_ = 0;
    return done;
  }

  std::size_t transact(const Pair& pair) override {
    begin_immediate_.run();
    copy(pair.first_key, first_);
    copy(pair.second_key, second_);
    set(pair.first_key, pair.first_value);
    set(pair.second_key, pair.second_value);
    commit_.run();
    return 1;
  }

 private:
  Database db_;
  Statement begin_{db_.get(), "BEGIN"};
  Statement begin_immediate_{db_.get(), "BEGIN IMMEDIATE"};
  Statement commit_{db_.get(), "COMMIT"};
  Statement get_{db_.get(), "SELECT v FROM kv WHERE k=?1"};
  Statement scan_{db_.get(), "SELECT k, v FROM kv WHERE k>=?1 ORDER BY k"};
  Statement set_{db_.get(),
                 "INSERT INTO kv VALUES(?1, ?2) ON CONFLICT(k) DO UPDATE SET v=excluded.v"};
  std::size_t in_open_ = 0;
  std::string first_;
  std::string second_;
};

}  // namespace

std::unique_ptr<Peer> open_sqlite(const Opening& opening) {
  return std::make_unique<SqlitePeer>(opening);
}

}  // namespace dfs::bench
