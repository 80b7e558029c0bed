#include "common/index/view.hpp"

#include <string>

namespace dfs::index {

Result<View> open_view(const std::byte* base, std::uint64_t mapped_bytes, const ControlPage& page,
                       std::uint64_t number) {
  const auto refused = [number](const char* what) {
    return Error(errc::incompatible,
                 "open generation " + std::to_string(number) + " of the index: " + what);
  };
  if (mapped_bytes < sizeof(GenerationHeader)) return refused("shorter than its header");
  const auto* header = reinterpret_cast<const GenerationHeader*>(base);
  if (header->magic != kGenerationMagic) return refused("not an index");
  if (header->layout != kGenerationLayout) return refused("of another layout; upgrade the older");
  if (header->number != number) return refused("another generation's memory");
  if (header->store != page.store) return refused("of another store");
  return View{base, mapped_bytes, &slot_of(page, number), number, header->seed};
}

Reach::Limit Reach::limit_now(const View& view, std::uint64_t offset,
                              std::uint64_t bytes) noexcept {
  // Acquire, as in load.
  const std::uint64_t allocated = view.slot->allocated.load(std::memory_order_acquire);
  const bool made = offset <= allocated && bytes <= allocated - offset;
  const bool mapped = offset <= view.mapped_bytes && bytes <= view.mapped_bytes - offset;
  return {allocated < view.mapped_bytes ? allocated : view.mapped_bytes, made && !mapped};
}

}  // namespace dfs::index
