#include "common/index/view.hpp"

#include <string>

namespace dfs::index {

namespace {

/// What is wrong with a header; null: nothing.
const char* fault_of(const GenerationHeader& header, const ControlPage& page,
                     std::uint64_t number) {
  if (header.magic != kGenerationMagic) return "not an index";
  if (header.layout != kGenerationLayout) return "of another layout; upgrade the older";
  if (header.number != number) return "another generation's memory";
  if (header.store != page.store) return "of another store";
  return nullptr;
}

}  // namespace

Result<View> open_view(const std::byte* base, std::uint64_t mapped_bytes, const ControlPage& page,
                       std::uint64_t number) {
  const std::string opening = "open generation " + std::to_string(number) + " of the index: ";
  if (mapped_bytes < sizeof(GenerationHeader)) {
    return Error(errc::incompatible, opening + "shorter than its header");
  }
  const auto& header = *reinterpret_cast<const GenerationHeader*>(base);
  const char* fault = fault_of(header, page, number);
  const View view{base, mapped_bytes, &slot_of(page, number), number, header.seed};
  // Who was stopped on the way here may have been revoked meanwhile: zeros are no fault then.
  if (!look(view)) return Error(errc::snapshot_too_old, opening + "it was given back");
  if (fault != nullptr) return Error(errc::incompatible, opening + fault);
  return view;
}

}  // namespace dfs::index
