#include <dfs/snapshot.hpp>

#include <array>
#include <string>
#include <utility>

#include "common/base/assert.hpp"
#include "common/index/lookup.hpp"
#include "common/index/table_search.hpp"
#include "common/log/key.hpp"
#include "libclient/connection.hpp"
#include "libclient/snapshot_walk.hpp"

namespace dfs {

namespace {

// As many as `index::find_many` overlaps at a time, several times over; on the stack.
constexpr std::size_t kLookups = 128;

// Its size is looked at first; whether it is UTF-8 only where nothing was found, since no key that
// is not can stand in a store.
bool possible(std::string_view key) noexcept { return !key.empty() && key.size() <= kMaxKeyBytes; }

Error absent(std::string_view key) {
  if (auto good = log::check_key(key); !good) return std::move(good).error();
  return errc::absent;
}

/// What was found, if the generation still stands once its record was read.
Result<Entry> entry_of(const client::Generation& generation, const index::View& view,
                       std::string_view key, const index::Lookup& lookup) {
  if (lookup.outcome == index::Outcome::absent) return absent(key);
  if (lookup.outcome != index::Outcome::found) {
    return client::error_from(lookup.outcome, generation);
  }
  const Entry entry = client::entry_from(*lookup.record);
  if (!index::look(view)) return client::error_from(index::Outcome::given_back, generation);
  return entry;
}

/// After a lookup that came to the end of the mapping.
Result<Entry> get_enlarged(const client::Generation& generation, std::string_view key,
                           std::uint64_t sequence) {
  for (;;) {
    if (auto larger = generation.connection().enlarge(generation); !larger) return larger.error();
    const index::View& view = generation.view();
    const index::Lookup lookup = index::find(view, key, sequence);
    if (lookup.outcome != index::Outcome::outgrown) return entry_of(generation, view, key, lookup);
  }
}

/// What a get comes to that is not simply found.
Result<Entry> otherwise(const client::Generation& generation, const index::View& view,
                        std::string_view key, std::uint64_t sequence, const index::Lookup& lookup) {
  if (lookup.outcome == index::Outcome::outgrown) return get_enlarged(generation, key, sequence);
  return entry_of(generation, view, key, lookup);
}

/// What stands in the way of a get from the start.
[[gnu::noinline, gnu::cold]] Result<Entry> refused(const client::Generation* generation,
                                                   const Error& taken, std::string_view key) {
  if (generation == nullptr) return taken;
  if (generation->connection().forked()) return errc::forked;
  return log::check_key(key).error();
}

/// A get that is more than a look into the home bucket.
[[gnu::noinline]] Result<Entry> get_by_search(const client::Generation& generation,
                                              const index::View& view, std::string_view key,
                                              std::uint64_t sequence) {
  return otherwise(generation, view, key, sequence, index::find(view, key, sequence));
}

}  // namespace

Snapshot::Snapshot(const client::Generation* generation, std::uint64_t sequence,
                   bool stale) noexcept
    : generation_(generation), sequence_(sequence), stale_(stale) {}

Snapshot::Snapshot(Error error) noexcept : generation_(nullptr), error_(std::move(error)) {}

Snapshot::Snapshot(Snapshot&& other) noexcept
    : generation_(std::exchange(other.generation_, nullptr)),
      sequence_(other.sequence_),
      stale_(other.stale_),
      error_(std::move(other.error_)) {}

Snapshot& Snapshot::operator=(Snapshot&& other) noexcept {
  if (this == &other) return *this;
  release();
  generation_ = std::exchange(other.generation_, nullptr);
  sequence_ = other.sequence_;
  stale_ = other.stale_;
  error_ = std::move(other.error_);
  return *this;
}

Snapshot::~Snapshot() { release(); }

void Snapshot::release() noexcept {
  if (generation_ == nullptr) return;
  const client::Generation* generation = std::exchange(generation_, nullptr);
  client::Connection& connection = generation->connection();
  if (connection.forked()) return;  // the parent's, all of it
  index::release(connection.holds(), generation->number());
  if (generation->apart()) delete generation;
  connection.release();
}

Result<Entry> Snapshot::get(std::string_view key) const& {
  if (generation_ == nullptr || generation_->connection().forked() || !possible(key)) {
    return refused(generation_, error_, key);
  }
  const index::View& view = generation_->view();
  // Nearly always, and in few instructions: those of the next get then begin before this one's
  // memory has come.
  if (const auto* record = index::find_at_home(view, key, sequence_)) {
    // One by one, and made into an Entry only where it is returned: one that stands in memory
    // before the look is copied behind it in wider pieces than it was stored in, for which the
    // processor stops.
    const std::string_view its_key = record->key();
    const std::string_view value = record->value();
    const std::uint64_t version = record->version;
    const std::uint64_t sequence = record->sequence;
    const std::uint64_t time_ms = record->time_ms;
    if (index::look(view)) {
      return Entry{its_key, value, version, sequence, time_ms};
    }
  }
  return get_by_search(*generation_, view, key, sequence_);
}

void Snapshot::get_many(std::span<const std::string_view> keys,
                        std::span<Result<Entry>> entries) const& {
  DFS_ASSERT(entries.size() >= keys.size(), "a place for each key");
  bool plain = generation_ != nullptr && !generation_->connection().forked();
  for (const std::string_view key : keys) plain = plain && possible(key);
  if (!plain) {
    for (std::size_t i = 0; i < keys.size(); ++i) entries[i] = get(keys[i]);
    return;
  }
  const index::View& view = generation_->view();
  std::array<index::Lookup, kLookups> found;
  for (std::size_t at = 0; at < keys.size(); at += kLookups) {
    const auto some = keys.subspan(at, std::min(kLookups, keys.size() - at));
    index::find_many(view, some, sequence_, found);
    for (std::size_t i = 0; i < some.size(); ++i) {
      entries[at + i] = otherwise(*generation_, view, some[i], sequence_, found.at(i));
    }
  }
}

Range Snapshot::make_range(std::string from, std::string to) const {
  client::Bounds bounds{std::move(from), std::move(to)};
  return Range(std::make_shared<client::Span>(
      [generation = generation_, sequence = sequence_, error = error_, bounds] {
        return client::make_walk(generation, sequence, error, bounds);
      },
      false));
}

Range Snapshot::prefix(std::string_view prefix) const& {
  client::Bounds bounds = client::bounds_of_prefix(prefix);
  return make_range(std::move(bounds.from), std::move(bounds.to));
}

Range Snapshot::range(std::string_view from, std::string_view to) const& {
  return make_range(std::string(from), std::string(to));
}

Range Snapshot::all() const& { return make_range({}, {}); }

Result<std::vector<Entry>> Snapshot::list(const std::function<bool(const Entry&)>& filter) const& {
  std::vector<Entry> entries;
  const Range everything = all();
  for (const Entry& entry : everything) {
    if (filter(entry)) entries.push_back(entry);
  }
  if (auto good = everything.status(); !good) return std::move(good).error();
  return entries;
}

Result<void> Snapshot::check() const {
  if (generation_ == nullptr) return error_;
  if (generation_->connection().forked()) return errc::forked;
  if (!index::look(generation_->view())) {
    return client::error_from(index::Outcome::given_back, *generation_);
  }
  return {};
}

std::uint64_t Snapshot::sequence() const noexcept { return sequence_; }

Position Snapshot::position() const {
  if (generation_ == nullptr) return {};
  return {generation_->connection().store(), sequence_};
}

bool Snapshot::stale() const noexcept { return stale_; }

}  // namespace dfs
