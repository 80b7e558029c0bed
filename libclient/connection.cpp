#include "libclient/connection.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/assert.hpp"
#include "libclient/meeting.hpp"

namespace dfs::client {

namespace {

std::span<std::byte> bytes_of(const os::Mapping& mapping) {
  return {mapping.data(), static_cast<std::size_t>(mapping.size())};
}

}  // namespace

Connection::Connection(std::shared_ptr<Household> household, Introduction introduction,
                       std::mutex& flights, const Bell& bell)
    : household_(std::move(household)),
      mark_(household_->mark),
      introduction_(std::move(introduction)),
      store_(introduction_.store),
      control_(reinterpret_cast<const index::ControlPage*>(introduction_.control->data())),
      page_(&wire::client_page_at(bytes_of(*introduction_.client_page))),
      reply_header_(wire::reply_header_at(bytes_of(*introduction_.reply_ring))) {
  DFS_ASSERT(reply_header_ != nullptr, "hello has checked it");
  enquiries_.emplace(std::move(introduction_.socket));
  const Channel::Memory memory{
      *control_,
      *page_,
      *reply_header_,
      bytes_of(*introduction_.reply_ring).subspan(wire::kReplyHeaderBytes),
      introduction_.request_ring ? bytes_of(*introduction_.request_ring) : std::span<std::byte>(),
      introduction_.doorbell.get(),
      introduction_.bell.get(),
      introduction_.wakes_at_word};
  channel_.emplace(memory, flights, bell, *this);
}

Connection::~Connection() = default;

void Connection::dispose() noexcept {
  // Others may come and go with a use that they find worthless, so this may be reached again.
  std::uint64_t expected = kRetired;
  // Acquire: as in `release`.
  if (!uses_.compare_exchange_strong(expected, kRetired | kDisposed, std::memory_order_acquire)) {
    return;
  }
  for (auto& slot : generations_) slot.store(nullptr, std::memory_order_relaxed);
  mapped_.clear();
  channel_.reset();
  enquiries_.reset();
  introduction_ = Introduction{};
  // The last thing: it may free this very object.
  const std::shared_ptr<Household> last = std::move(household_);
}

Result<const Generation*> Connection::fetch(std::uint64_t number, os::Deadline deadline) {
  meet(Meeting::fetches);
  const std::lock_guard lock(mapping_);
  if (const Generation* found = mapped(number); found != nullptr) return found;
  auto answer = enquiries_->ask(wire::AdminKind::generation, number, deadline);
  if (!answer) return std::move(answer).error();
  if (!answer->descriptor.is_open()) {
    return Error(errc::incompatible, "the daemon sent no memory for generation " +
                                         std::to_string(number) + " of the index");
  }
  auto memory = std::make_shared<const os::Descriptor>(std::move(answer->descriptor));
  auto made = Generation::map(std::move(memory), *control_, number, {*this, false}, mark_);
  if (!made) return std::move(made).error();
  const Generation* kept = keep(std::move(*made));
  // Only now: if the daemon had died instead, the one before would be the last state to read.
  drop_unheld();
  return kept;
}

Result<void> Connection::begin_watching(os::Deadline deadline) {
  const std::lock_guard lock(watching_);
  if (watchers_ == 0) {
    // Before the question, which makes the daemon look there.
    page_->watching.store(1, std::memory_order_seq_cst);
    auto answer = enquiries_->ask(wire::AdminKind::watch, 0, deadline);
    if (!answer) return std::move(answer).error();
  }
  ++watchers_;
  channel_->begin_watching();
  return {};
}

void Connection::end_watching() noexcept {
  const std::lock_guard lock(watching_);
  if (--watchers_ == 0) page_->watching.store(0, std::memory_order_seq_cst);
  channel_->end_watching(watchers_ == 0);
}

Connection::Held Connection::hold_newest_mapped() {
  const std::lock_guard lock(mapping_);
  const auto newest =
      std::max_element(mapped_.begin(), mapped_.end(),
                       [](const auto& a, const auto& b) { return a->number() < b->number(); });
  if (newest == mapped_.end()) return {};
  const Generation* generation = mapped((*newest)->number());
  if (generation == nullptr || !index::look(generation->view())) return {};
  index::hold_again(holds(), generation->number());
  // Acquire, as in index::take.
  const auto& published = index::slot_of(*control_, generation->number()).published;
  return {generation, published.load(std::memory_order_acquire)};
}

Result<void> Connection::enlarge(const Generation& generation) {
  const std::lock_guard lock(mapping_);
  const Generation& largest = generation.largest();
  const index::View& view = largest.view();
  // Another thread has mapped it meanwhile.
  if (view.mapped_bytes >= view.slot->allocated.load(std::memory_order_acquire)) return {};
  auto larger = map_again(largest, false);
  if (!larger) return std::move(larger).error();
  largest.outgrow(*keep(std::move(*larger)));
  return {};
}

Result<std::unique_ptr<Generation>> Connection::map_again(const Generation& generation,
                                                          bool apart) {
  return Generation::map(generation.memory(), *control_, generation.number(), {*this, apart},
                         mark_);
}

const Generation* Connection::keep(std::unique_ptr<Generation> generation) {
  const Generation* kept = generation.get();
  mapped_.push_back(std::move(generation));
  // SYNC POINT: generations_, with `mapped`.
  generations_[kept->number() % kGenerationSlots].store(kept, std::memory_order_release);
  return kept;
}

void Connection::drop_unheld() {
  // seq_cst, both, in this order: who takes a hold after this look finds another generation current
  // and lets go before it touches anything. The same argument as the daemon's giving back.
  const std::uint64_t current = control_->current.load(std::memory_order_seq_cst);
  std::erase_if(mapped_, [&](const std::unique_ptr<Generation>& generation) {
    const std::size_t slot = generation->number() % kGenerationSlots;
    if (generation->number() == current) return false;
    if (page_->holds[slot].load(std::memory_order_seq_cst) != 0) return false;
    meet(Meeting::drops);
    if (generations_[slot].load(std::memory_order_relaxed) == generation.get()) {
      generations_[slot].store(nullptr, std::memory_order_release);
    }
    return true;
  });
}

}  // namespace dfs::client
