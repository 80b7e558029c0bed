#include "common/index/control_page.hpp"

#include "common/base/assert.hpp"

namespace dfs::index {

void open_control_page(ControlPage& page, const StoreId& store) noexcept {
  page.magic = kControlMagic;
  page.layout = kControlLayout;
  page.store = store;
}

bool is_control_page(const ControlPage& page) noexcept {
  return page.magic == kControlMagic && page.layout == kControlLayout;
}

GenerationSlot& slot_of(ControlPage& page, std::uint64_t number) noexcept {
  return page.slots[number % kGenerationSlots];
}

const GenerationSlot& slot_of(const ControlPage& page, std::uint64_t number) noexcept {
  return page.slots[number % kGenerationSlots];
}

void open_generation(ControlPage& page, std::uint64_t number) noexcept {
  GenerationSlot& slot = slot_of(page, number);
  // Relaxed: the writer reads what it alone has written.
  const std::uint64_t before = slot.identity.load(std::memory_order_relaxed);
  DFS_ASSERT(
      state_of(before) == GenerationState::free || state_of(before) == GenerationState::given_back,
      "a slot is used again only after its generation was given back (I6)");
  // Relaxed: whoever still looks at this slot means another number and sees that in `identity`,
  // which goes from given back to a new number; whoever means this number comes by `current`.
  slot.published.store(0, std::memory_order_relaxed);
  slot.records_end.store(0, std::memory_order_relaxed);
  slot.allocated.store(0, std::memory_order_relaxed);
  slot.directory.store(0, std::memory_order_relaxed);
  slot.root.store(0, std::memory_order_relaxed);
  slot.runs.store(0, std::memory_order_relaxed);
  slot.feed.store(0, std::memory_order_relaxed);
  slot.feed_base.store(0, std::memory_order_relaxed);
  slot.feed_begin.store(0, std::memory_order_relaxed);
  // Number and state in one store. Release: the cleared words are seen before it.
  slot.identity.store(identity_of(number, GenerationState::current), std::memory_order_release);
}

void make_current(ControlPage& page, std::uint64_t number) noexcept {
  GenerationSlot& slot = slot_of(page, number);
  DFS_ASSERT(slot.identity.load(std::memory_order_relaxed) ==
                 identity_of(number, GenerationState::current),
             "the generation was opened");
  // Relaxed: the writer reads what it alone has written.
  const std::uint64_t before = page.current.load(std::memory_order_relaxed);
  // SYNC POINT: switch. seq_cst, against the hold and second look in `take`: either the reader's
  // second look sees this number and it starts over, or our look at its holds, which comes after,
  // sees the hold.
  page.current.store(number, std::memory_order_seq_cst);
  if (before == 0 || before == number) return;
  GenerationSlot& old = slot_of(page, before);
  // Release, though nothing hangs on it: both states let a read count.
  old.identity.store(identity_of(before, GenerationState::superseded), std::memory_order_release);
}

void close_unused(ControlPage& page, std::uint64_t number) noexcept {
  GenerationSlot& slot = slot_of(page, number);
  DFS_ASSERT(page.current.load(std::memory_order_relaxed) != number &&
                 slot.identity.load(std::memory_order_relaxed) ==
                     identity_of(number, GenerationState::current),
             "opened, and nobody was ever shown it");
  // Release, though nobody looks: no number of it ever stood in `current`.
  slot.identity.store(identity_of(number, GenerationState::free), std::memory_order_release);
}

void give_back(GenerationSlot& slot) noexcept {
  // Relaxed: the writer reads what it alone has written.
  const std::uint64_t before = slot.identity.load(std::memory_order_relaxed);
  DFS_ASSERT(state_of(before) == GenerationState::superseded, "current memory is never given back");
  // SYNC POINT: state before pages (I6). seq_cst: the system call that takes the pages comes after
  // it in every order; read by `look`.
  slot.identity.store(identity_of(number_of(before), GenerationState::given_back),
                      std::memory_order_seq_cst);
}

}  // namespace dfs::index
