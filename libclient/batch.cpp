#include <dfs/batch.hpp>

#include "libclient/writes.hpp"

namespace dfs {

Batch::Batch() : writes_(std::make_unique<client::Writes>()) {}
Batch::Batch(Batch&& other) noexcept = default;
Batch& Batch::operator=(Batch&& other) noexcept = default;
Batch::Batch(const Batch& other) : writes_(std::make_unique<client::Writes>(*other.writes_)) {}
Batch& Batch::operator=(const Batch& other) {
  if (this != &other) writes_ = std::make_unique<client::Writes>(*other.writes_);
  return *this;
}
Batch::~Batch() = default;

Batch& Batch::set(std::string_view key, std::string_view value, Expect expect) {
  writes_->set(key, value, expect);
  return *this;
}

Batch& Batch::erase(std::string_view key, Expect expect) {
  writes_->erase(key, expect);
  return *this;
}

Batch& Batch::check(std::string_view key, Expect expect) {
  writes_->check(key, expect);
  return *this;
}

std::size_t Batch::size() const noexcept { return writes_->size(); }

}  // namespace dfs
