#include "common/wire/reply.hpp"

#include <algorithm>

namespace dfs::wire {

namespace {

constexpr std::size_t kFrameAlignment = 8;

constexpr std::size_t framed(std::size_t bytes) noexcept {
  const std::size_t rounded = (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
  return std::max(rounded, kMinFrameBytes);
}

constexpr std::size_t commit_frame(std::size_t versions) noexcept {
  return framed(sizeof(FrameHeader) + sizeof(CommitBody) + versions * sizeof(std::uint64_t));
}

}  // namespace

std::size_t frame_bytes(const Commitment& commitment) noexcept {
  return commit_frame(commitment.versions.size());
}

std::size_t frame_bytes(const Refusal& refusal) noexcept {
  return framed(sizeof(FrameHeader) + sizeof(RefusalBody) + refusal.key.size());
}

std::size_t frame_bytes(const Reply& reply) noexcept {
  return reply.kind == ReplyKind::committed ? frame_bytes(reply.commitment)
                                            : frame_bytes(reply.refusal);
}

std::size_t reply_bound(std::size_t writes, std::size_t longest_key) noexcept {
  const std::size_t refused = framed(kMinFrameBytes + std::min(longest_key, kMaxKeyBytes));
  return std::max(refused, commit_frame(std::min(writes, kMaxReplyVersions)));
}

}  // namespace dfs::wire
