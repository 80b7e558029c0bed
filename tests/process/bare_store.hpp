// The daemon's own parts without its threads, its files and its clients: what checks a commit, the
// batch, the ledger, the lines, recovery and the index, over a log that is a string.
//
// Each step of a write is one call, so that a test can end it anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/index/control_page.hpp"
#include "common/index/space.hpp"
#include "common/index/writer.hpp"
#include "common/log/encode.hpp"
#include "common/log/line.hpp"
#include "common/log/recovery.hpp"
#include "common/wire/request.hpp"
#include "daemon/batch.hpp"
#include "daemon/commit_check.hpp"
#include "daemon/ledger.hpp"

namespace dfs::test {

/// What became of one request.
struct Taken {
  std::optional<wire::Refusal> refusal;
  std::uint64_t sequence = 0;  ///< 0 where nothing was written
  std::vector<std::uint64_t> versions;
};

/// One daemon's life over a log. Threads: one.
class BareStore final : private log::RecordVisitor {
 public:
  /// Reads the log as a daemon does, cuts what is to be cut, and adds the start line, unsynced.
  /// `announced` is what an earlier try of the same start found.
  static std::unique_ptr<BareStore> open(std::string log, std::uint64_t time_ms) {
    std::uint64_t next = 0;
    bool cut = false;
    for (;;) {
      auto store = std::unique_ptr<BareStore>(new BareStore(std::move(log), time_ms));
      store->was_cut_ = cut;
      log::Recovery& found = store->recovery_;
      next = std::max(next, found.next);
      if (!found.usable()) return store;
      if (found.good_end < store->log_.size()) {
        cut = true;
        store->log_.resize(found.good_end);
        log = std::move(store->log_);
        continue;
      }
      found.next = next;
      store->serve(time_ms);
      return store;
    }
  }

  [[nodiscard]] const log::Recovery& recovery() const { return recovery_; }
  /// Whether recovery cut something off.
  [[nodiscard]] bool was_cut() const { return was_cut_; }
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] const daemon::Ledger& ledger() const { return *ledger_; }
  [[nodiscard]] index::View view() const { return index_->view(); }
  [[nodiscard]] std::uint64_t published() const { return published_; }
  [[nodiscard]] std::uint64_t last_given() const { return last_; }
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  [[nodiscard]] bool batch_wants_sync() const { return batch_.wants_sync(); }
  [[nodiscard]] std::size_t batched() const { return batch_.commits(); }

  // The steps of a write, in their order.
  void begin_batch(std::uint64_t time_ms) {
    batch_.begin({time_ms, durable_}, false);
    values_.clear();
  }
  /// Requires: views of `request` live until the next begin_batch.
  Taken take(const wire::CommitRequest& request) {
    Taken taken;
    taken.refusal = check_->check({request, last_, 1, {}}, plan_);
    if (taken.refusal) return taken;
    if (request.durable) batch_.want_sync();
    taken.versions = plan_.versions;
    if (plan_.records.empty()) return taken;
    if (!index_->reserve(batch_.new_keys() + plan_.new_keys,
                         batch_.index_bytes() + plan_.index_bytes)) {
      throw std::bad_alloc();
    }
    last_ = next_++;
    batch_.add(plan_, last_, {});
    taken.sequence = last_;
    return taken;
  }
  /// A text that lives as long as the batch.
  std::string_view keep(std::string text) { return values_.emplace_back(std::move(text)); }
  void prepare() { ledger_->prepared(last_); }
  void append() { log_ += batch_.lines(); }
  [[nodiscard]] std::string_view batch_lines() const { return batch_.lines(); }
  void sync(std::uint64_t sequence) {
    synced_bytes_ = log_.size();
    durable_ = std::max(durable_, sequence);
  }
  void publish() {
    for (const daemon::PlannedRecord& record : batch_.records()) {
      index_->add(record.location, {.key = record.key,
                                    .value = record.value,
                                    .version = record.version,
                                    .sequence = record.sequence,
                                    .time_ms = batch_.time_ms(),
                                    .connection = record.connection,
                                    .erased = record.erased,
                                    .last_of_commit = record.last_of_commit});
    }
    index_->publish(last_);
    published_ = last_;
    ledger_->published(last_);
  }
  /// The append failed: its sequences are skipped for ever.
  void refuse_batch() {
    log::append_start(log_, {published_, next_, published_, batch_.time_ms()});
    sync(published_);
    ledger_->burnt({published_, next_});
    last_ = published_;
  }

  void mark() {
    sync(published_);
    log::append_mark(log_, published_);
    sync(published_);
  }
  void stop() {
    sync(published_);
    log::append_stop(log_, published_);
    sync(published_);
  }
  /// What certainly is on disk.
  [[nodiscard]] std::size_t synced_bytes() const { return synced_bytes_; }

 private:
  BareStore(std::string log, std::uint64_t seed)
      : log_(std::move(log)), page_(std::make_unique<index::ControlPage>()) {
    index::open_control_page(*page_, {});
    index::open_generation(*page_, 1);
    index::GenerationSlot& slot = index::slot_of(*page_, 1);
    space_ =
        std::make_unique<index::BufferSpace>(slot, std::uint64_t{4} << 20, std::uint64_t{64} << 10);
    index_ =
        std::make_unique<index::IndexWriter>(*space_, slot, index::NewGeneration{1, seed, {}, 0});
    recovery_ = log::recover(log_, *this);
  }

  Result<void> record(const log::Record& record) override {
    if (!record.in_base) begin_feed();
    if (!index_->reserve(1, index::record_bytes(record.key.size(), record.value.size(), true))) {
      return errc::store_full;
    }
    const bool last = record.in_base || record.commit_position + 1 == record.commit_records;
    index_->add({.key = record.key,
                 .value = record.value,
                 .version = record.version,
                 .sequence = record.sequence,
                 .time_ms = record.time_ms.value_or(0),
                 .connection = 0,
                 .erased = record.erased,
                 .last_of_commit = last});
    return {};
  }
  void begin_feed() {
    if (fed_) return;
    fed_ = true;
    // The first line is good, or no record would have come.
    log::Line line;
    log::decode(std::string_view(log_).substr(0, log_.find('\n')), line);
    if (line.first.base > 0) index_->begin_feed(line.first.base);
  }

  void serve(std::uint64_t time_ms) {
    begin_feed();
    last_ = published_ = durable_ = recovery_.last();
    next_ = recovery_.next;
    index_->publish(last_);
    index::make_current(*page_, 1);
    synced_bytes_ = log_.size();
    log::append_start(log_, {last_, next_, last_, time_ms});
    log::Gaps gaps = recovery_.gaps;
    if (next_ > last_ + 1) gaps.add(last_, next_);
    ledger_ = std::make_unique<daemon::Ledger>(std::move(gaps), last_);
    check_ = std::make_unique<daemon::CommitCheck>(
        *index_, batch_, *ledger_, daemon::VersionFloors{recovery_.floor, recovery_.restored});
  }

  std::string log_;
  std::size_t synced_bytes_ = 0;
  std::unique_ptr<index::ControlPage> page_;
  std::unique_ptr<index::BufferSpace> space_;
  std::unique_ptr<index::IndexWriter> index_;
  log::Recovery recovery_;
  bool fed_ = false;
  bool was_cut_ = false;

  // While it serves.
  std::unique_ptr<daemon::Ledger> ledger_;
  std::unique_ptr<daemon::CommitCheck> check_;
  daemon::Batch batch_;
  daemon::CommitPlan plan_;
  std::deque<std::string> values_;
  std::uint64_t last_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t durable_ = 0;
};

}  // namespace dfs::test
