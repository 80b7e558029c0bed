#include "common/wire/archive.hpp"

#include <algorithm>

namespace dfs::wire {

namespace {

/// What a growing archive begins with: a short request, and no second allocation for it.
constexpr std::size_t kFirstBytes = 512;

}  // namespace

OutputArchive::OutputArchive(std::size_t limit)
    : cereal::OutputArchive<OutputArchive, cereal::AllowEmptyClassElision>(this),
      limit_(limit),
      own_memory_(true),
      begin_(nullptr),
      at_(nullptr),
      end_(nullptr) {}

OutputArchive::OutputArchive(std::span<std::byte> memory)
    : cereal::OutputArchive<OutputArchive, cereal::AllowEmptyClassElision>(this),
      limit_(memory.size()),
      own_memory_(false),
      begin_(memory.data()),
      at_(begin_),
      end_(begin_ + memory.size()) {}

void OutputArchive::restart() noexcept {
  at_ = begin_;
  end_ = begin_ + (own_memory_ ? buffer_.capacity() : limit_);
  failed_ = false;
}

bool OutputArchive::grow(std::size_t size) noexcept {
  const auto used = static_cast<std::size_t>(at_ - begin_);
  const bool may = !failed_ && own_memory_ && size <= limit_ - used;
  if (!may || !buffer_.reserve(std::min(limit_, std::max({used + size, 2 * used, kFirstBytes})))) {
    failed_ = true;
    end_ = at_;  // nothing more is written, however short
    return false;
  }
  begin_ = buffer_.begin();
  at_ = begin_ + used;
  end_ = begin_ + buffer_.capacity();
  return true;
}

InputArchive::InputArchive()
    : cereal::InputArchive<InputArchive, cereal::AllowEmptyClassElision>(this) {}

InputArchive::InputArchive(std::span<const std::byte> bytes) : InputArchive() { restart(bytes); }

void InputArchive::restart(std::span<const std::byte> bytes) noexcept {
  failed_ = false;
  begin_ = bytes.data();
  at_ = begin_;
  end_ = begin_ + bytes.size();
}

}  // namespace dfs::wire
