#include <dfs/range.hpp>

#include <utility>

#include "libclient/source.hpp"

namespace dfs {

namespace client {

Bounds bounds_of_prefix(std::string_view prefix) {
  Bounds bounds{std::string(prefix), std::string(prefix)};
  // The first text behind all that begin so: the last byte that can be raised is, what follows is
  // dropped.
  while (!bounds.to.empty() && static_cast<unsigned char>(bounds.to.back()) == 0xff) {
    bounds.to.pop_back();
  }
  if (!bounds.to.empty()) {
    bounds.to.back() = static_cast<char>(static_cast<unsigned char>(bounds.to.back()) + 1);
  }
  return bounds;
}

}  // namespace client

Range::Iterator::Iterator() noexcept = default;
Range::Iterator::Iterator(std::shared_ptr<client::Span> span) noexcept : span_(std::move(span)) {}
Range::Iterator::Iterator(const Iterator& other)
    : span_(other.span_),
      walk_(other.walk_ ? other.walk_->copy() : nullptr),
      entry_(other.entry_ ? &walk_->entry() : nullptr) {}
Range::Iterator::Iterator(Iterator&& other) noexcept = default;
Range::Iterator& Range::Iterator::operator=(const Iterator& other) {
  if (this != &other) *this = Iterator(other);
  return *this;
}
Range::Iterator& Range::Iterator::operator=(Iterator&& other) noexcept = default;
Range::Iterator::~Iterator() = default;

void Range::Iterator::settle(bool stands) noexcept {
  entry_ = stands ? &walk_->entry() : nullptr;
  if (stands) return;
  if (Error problem = walk_->problem(); problem.code() != errc::absent) {
    span_->note(std::move(problem));
  }
}

Range::Iterator& Range::Iterator::operator++() {
  settle(span_->backwards() ? walk_->prev() : walk_->next());
  return *this;
}

Range::Iterator Range::Iterator::operator++(int) {
  Iterator before(*this);
  ++*this;
  return before;
}

Range::Iterator& Range::Iterator::operator--() {
  const bool backwards = span_->backwards();
  if (!walk_) walk_ = span_->walk();
  if (entry_ == nullptr) {
    settle(backwards ? walk_->first() : walk_->last());
  } else {
    settle(backwards ? walk_->next() : walk_->prev());
  }
  return *this;
}

Range::Iterator Range::Iterator::operator--(int) {
  Iterator before(*this);
  --*this;
  return before;
}

Range::Range(std::shared_ptr<client::Span> span) noexcept : span_(std::move(span)) {}
Range::Range(const Range& other) noexcept = default;
Range::Range(Range&& other) noexcept = default;
Range& Range::operator=(const Range& other) noexcept = default;
Range& Range::operator=(Range&& other) noexcept = default;
Range::~Range() = default;

Range::Iterator Range::begin() const {
  Iterator made(span_);
  made.walk_ = span_->walk();
  made.settle(span_->backwards() ? made.walk_->last() : made.walk_->first());
  return made;
}

Range::Iterator Range::end() const { return Iterator(span_); }

Range Range::reversed() const { return Range(span_->reversed()); }

Result<void> Range::status() const {
  if (span_->problem().code() == errc::absent) return {};
  return span_->problem();
}

}  // namespace dfs
