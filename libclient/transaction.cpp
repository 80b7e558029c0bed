#include <dfs/transaction.hpp>

#include <utility>

#include "libclient/core.hpp"
#include "libclient/overlay.hpp"
#include "libclient/snapshot_source.hpp"

namespace dfs {

namespace {

/// A range over a transaction's own view, which keeps it alive.
Range make_range(const std::shared_ptr<client::Overlay>& overlay, client::Bounds bounds) {
  const auto read = overlay->begin_range(std::move(bounds));
  return Range(
      std::make_shared<client::Span>([overlay, read] { return overlay->walk(read); }, false));
}

}  // namespace

Transaction::Transaction(std::shared_ptr<client::Core> core,
                         std::shared_ptr<client::Overlay> overlay) noexcept
    : core_(std::move(core)), overlay_(std::move(overlay)) {}

Transaction::Transaction(Transaction&& other) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this == &other) return *this;
  rollback();
  core_ = std::move(other.core_);
  overlay_ = std::move(other.overlay_);
  return *this;
}

Transaction::~Transaction() { rollback(); }

Result<Entry> Transaction::get(std::string_view key) & { return overlay_->get(key); }

Range Transaction::prefix(std::string_view prefix) & {
  return make_range(overlay_, client::bounds_of_prefix(prefix));
}

Range Transaction::range(std::string_view from, std::string_view to) & {
  return make_range(overlay_, {std::string(from), std::string(to)});
}

Range Transaction::all() & { return make_range(overlay_, {}); }

Transaction& Transaction::check(std::string_view key, Expect expect) {
  overlay_->writes().check(key, expect);
  return *this;
}

Transaction& Transaction::set(std::string_view key, std::string_view value, Expect expect) {
  overlay_->writes().set(key, value, expect);
  return *this;
}

Transaction& Transaction::erase(std::string_view key, Expect expect) {
  overlay_->writes().erase(key, expect);
  return *this;
}

Result<Committed> Transaction::commit() {
  if (core_->forked()) return errc::forked;
  if (auto obstacle = overlay_->obstacle()) {
    overlay_->finish();
    return std::move(*obstacle);
  }
  if (overlay_->only_read()) {
    if (overlay_->stood()) {
      overlay_->finish();
      return Committed{};
    }
    if (core_->options().read_only) {
      overlay_->finish();
      return Error(errc::daemon_gone,
                   "nobody served the store when the transaction began, so what it read may be "
                   "out of date; begin it again");
    }
  }
  wire::CommitRequest request;
  overlay_->fill(request);
  const TransactionOptions& options = overlay_->options();
  auto outcome = core_->commit(request, {options.durability, options.timeout});
  overlay_->finish();
  return outcome;
}

void Transaction::rollback() noexcept {
  if (overlay_) overlay_->finish();
}

std::uint64_t Transaction::sequence() const noexcept { return overlay_->sequence(); }

}  // namespace dfs
