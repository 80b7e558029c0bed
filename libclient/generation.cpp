#include "libclient/generation.hpp"

#include <utility>

namespace dfs::client {

namespace {

/// Addresses cost nothing; a store never outgrows these.
constexpr std::uint64_t kReserveBytes = std::uint64_t{64} << 30;

}  // namespace

Result<std::unique_ptr<Generation>> Generation::map(std::shared_ptr<const os::Descriptor> memory,
                                                    const index::ControlPage& page,
                                                    std::uint64_t number, Place place,
                                                    const os::ForkMark& mark) {
  const auto size = os::memory_size(memory->get());
  if (!size) return size.error();
  auto mapping = os::Mapping::map(memory->get(), {kReserveBytes, os::Mapping::Access::read}, mark);
  // Where addresses are limited (ulimit -v): what is there, and as much again.
  if (!mapping) {
    mapping = os::Mapping::map(memory->get(), {*size * 2, os::Mapping::Access::read}, mark);
  }
  if (!mapping) return std::move(mapping).error();
  auto view = index::open_view((*mapping)->data(), (*mapping)->size(), page, number);
  if (!view) return std::move(view).error();
  return std::unique_ptr<Generation>(
      new Generation(std::move(memory), std::move(*mapping), *view, place));
}

}  // namespace dfs::client
