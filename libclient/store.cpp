#include <dfs/store.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "libclient/core.hpp"
#include "libclient/follower.hpp"
#include "libclient/overlay.hpp"
#include "libclient/snapshot_source.hpp"
#include "libclient/writes.hpp"

namespace dfs {

namespace {

// Before a transaction's third try, and each after: at random up to a bound that doubles.
constexpr std::chrono::microseconds kFirstPause{20};
constexpr std::chrono::microseconds kLongestPause{10'000};

bool worth_another_try(const Error& error) noexcept {
  return error == errc::transaction_conflict || error == errc::snapshot_too_old;
}

}  // namespace

Store::Store(std::shared_ptr<client::Core> core) noexcept : core_(std::move(core)) {}
Store::Store(Store&& other) noexcept = default;
Store& Store::operator=(Store&& other) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(std::string_view address, Options options) {
  auto core = client::Core::open(address, std::move(options));
  if (!core) return std::move(core).error();
  return Store(std::move(*core));
}

Snapshot Store::snapshot() const { return core_->snapshot(); }

Result<Value> Store::get(std::string_view key) const { return core_->get(key); }

Result<Committed> Store::set(std::string_view key, std::string_view value,
                             const WriteOptions& options) {
  return core_->commit(wire::Write{key, value, client::to_wire(options.expect), false},
                       {options.durability, options.timeout});
}

Result<Committed> Store::set(std::string_view key, std::string_view value, Expect expect) {
  return set(key, value, WriteOptions{.expect = expect});
}

Result<Committed> Store::erase(std::string_view key, const WriteOptions& options) {
  return core_->commit(wire::Write{key, {}, client::to_wire(options.expect), true},
                       {options.durability, options.timeout});
}

Result<Committed> Store::erase(std::string_view key, Expect expect) {
  return erase(key, WriteOptions{.expect = expect});
}

Pending Store::submit(const Batch& batch, const CommitOptions& options) {
  return Pending(core_, core_->submit(batch, {options.durability, options.timeout}));
}

Transaction Store::begin(const TransactionOptions& options) {
  auto source = std::make_unique<client::SnapshotSource>(core_->snapshot());
  return Transaction(core_, std::make_shared<client::Overlay>(std::move(source), options));
}

Result<Committed> Store::transact_with(const std::function<Result<bool>(Transaction&)>& f,
                                       const TransactionOptions& options) {
  const os::Deadline deadline = core_->deadline({{}, options.timeout});
  std::optional<std::minstd_rand> random;  // only for who meets another: its seed costs some 6 us
  std::chrono::microseconds longest = kFirstPause;
  bool met_before = false;
  for (;;) {
    TransactionOptions once = options;
    once.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline.left());
    Transaction tx = begin(once);
    auto wanted = f(tx);
    if (wanted && !*wanted) return Committed{};
    auto outcome = wanted ? tx.commit() : Result<Committed>(std::move(wanted).error());
    if (outcome || !worth_another_try(outcome.error()) || deadline.passed()) return outcome;
    // What it met is published, so the second try sees it; who meets another then steps back.
    if (!std::exchange(met_before, true)) continue;
    std::uniform_int_distribution<std::int64_t> pause(0, longest.count());
    if (!random) random.emplace(std::random_device{}());
    std::this_thread::sleep_for(std::chrono::microseconds(pause(*random)));
    longest = std::min(longest * 2, kLongestPause);
  }
}

Result<Watch> Store::watch(std::string_view prefix, const std::optional<Position>& after) const {
  auto follower = client::Follower::make(core_, std::string(prefix), after);
  if (!follower) return std::move(follower).error();
  return Watch(std::move(*follower));
}

Result<void> Store::sync(std::uint64_t sequence) const {
  return core_->sync(sequence, core_->deadline({}));
}

Result<Resolution> Store::resolve(std::string_view commit) const {
  const auto id = wire::parse_commit_id(commit);
  if (!id) {
    return Error(errc::bad_argument, "no id of a commit: 32 hex digits, '-' and a number are one");
  }
  return core_->resolve(*id, core_->deadline({}));
}

StoreState Store::state() const noexcept { return core_->state(); }

int Store::fd() const { return core_->fd(); }

std::string Store::address() const { return core_->address().place(); }

Result<void> Store::reopen() {
  auto core = client::Core::open(core_->address().place(), core_->options());
  if (!core) return std::move(core).error();
  if (!core_->forked()) core_->close();
  core_ = std::move(*core);
  return {};
}

void Store::close() noexcept {
  if (!core_->forked()) core_->close();
}

}  // namespace dfs
