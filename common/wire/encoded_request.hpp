// A request as it crosses the ring, kept until it is answered, so that it can be sent again.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "common/wire/buffer.hpp"
#include "common/wire/request.hpp"

namespace dfs::wire {

/// Short ones lie in the object itself, which has no more memory then. Threads: one at a time.
class EncodedRequest {
 public:
  EncodedRequest() {}  // NOLINT(*-use-equals-default,*-member-init): that would write zeros
  EncodedRequest(const EncodedRequest&) = delete;
  EncodedRequest& operator=(const EncodedRequest&) = delete;

  /// False when memory is out; then there is none. Requires: as wire::encode; once.
  [[nodiscard]] bool encode(const CommitRequest& request);
  /// The same of one that does this and nothing else.
  [[nodiscard]] bool encode(const Write& write, bool durable);
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {long_.size() > 0 ? long_.bytes().data() : short_.data(), size_};
  }

 private:
  [[nodiscard]] std::byte* place(std::size_t bytes);

  // A set of a common size.
  static constexpr std::size_t kShortBytes = 256;
  std::size_t size_ = 0;
  Buffer long_;
  std::array<std::byte, kShortBytes> short_;
};

}  // namespace dfs::wire
