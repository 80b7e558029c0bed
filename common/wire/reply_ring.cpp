#include "common/wire/reply_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/assert.hpp"

namespace dfs::wire {

namespace {

constexpr std::size_t kFrameAlignment = 8;
/// Size and kind: all that padding has, and all that always fits before the ring's end.
constexpr std::size_t kPaddingBytes = 8;

void require_data(std::span<const std::byte> data) noexcept {
  DFS_ASSERT(std::has_single_bit(data.size()) && data.size() >= 2 * kMaxFrameBytes,
             "a reply ring is a power of two and holds two of the largest frames");
  DFS_ASSERT(reinterpret_cast<std::uintptr_t>(data.data()) % kFrameAlignment == 0,
             "a reply ring is aligned to its frames");
}

/// Where a position lies. A mask: a division costs as much as the rest of a frame (measured).
std::size_t place_of(std::uint64_t position, std::span<const std::byte> data) noexcept {
  return static_cast<std::size_t>(position & (data.size() - 1));
}

std::atomic_ref<std::uint32_t> kind_at(std::byte* frame) noexcept {
  auto* kind = frame + offsetof(FrameHeader, kind);
  return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(kind));
}

std::uint32_t load_kind(const std::byte* frame) noexcept {
  // Relaxed: the end that was loaded before, by an acquire, orders the frame; a frame that turns
  // into a refusal meanwhile keeps its size, number and sequence.
  return kind_at(const_cast<std::byte*>(frame)).load(std::memory_order_relaxed);
}

void write_refusal(std::byte* frame, const Refusal& refusal, std::string_view key) noexcept {
  RefusalBody body{};
  body.code = static_cast<std::uint16_t>(refusal.code);
  body.rule = static_cast<std::uint16_t>(refusal.rule);
  body.index = refusal.index;
  body.version = refusal.version;
  body.limit = refusal.limit;
  body.offset = refusal.offset;
  body.system_errno = refusal.system_errno;
  body.subject = static_cast<std::uint16_t>(refusal.subject);
  body.key_bytes = static_cast<std::uint16_t>(key.size());
  std::memcpy(frame + sizeof(FrameHeader), &body, sizeof(body));
  if (!key.empty()) {
    std::memcpy(frame + sizeof(FrameHeader) + sizeof(body), key.data(), key.size());
  }
}

void write_commit(std::byte* frame, const Commitment& commitment) noexcept {
  const auto versions = std::as_bytes(commitment.versions);
  const CommitBody body{static_cast<std::uint32_t>(commitment.versions.size()),
                        commitment.versions_left_out ? 1U : 0U};
  std::memcpy(frame + sizeof(FrameHeader), &body, sizeof(body));
  if (!versions.empty()) {
    std::memcpy(frame + sizeof(FrameHeader) + sizeof(body), versions.data(), versions.size());
  }
}

/// All of the header but the kind, which goes last and in one store.
void write_header(std::byte* frame, const FrameHeader& header) noexcept {
  std::memcpy(frame, &header.size, sizeof(header.size));
  if (header.size >= sizeof(FrameHeader)) {
    std::memcpy(frame + offsetof(FrameHeader, number), &header.number, sizeof(header.number));
    std::memcpy(frame + offsetof(FrameHeader, sequence), &header.sequence, sizeof(header.sequence));
  }
  // Relaxed: nobody looks here before the prepared end is moved.
  kind_at(frame).store(header.kind, std::memory_order_relaxed);
}

/// Whether it may tell of a record that its batch was to make, which nobody has seen.
bool may_hang_on_batch(const Refusal& refusal) noexcept {
  return refusal.code == errc::version_mismatch || refusal.code == errc::transaction_conflict ||
         refusal.rule == Rule::version_exhausted;
}

bool read_refusal(std::span<const std::byte> body, Refusal& refusal) noexcept {
  RefusalBody raw{};
  if (body.size() < sizeof(raw)) return false;
  std::memcpy(&raw, body.data(), sizeof(raw));
  if (raw.key_bytes > kMaxKeyBytes || raw.key_bytes > body.size() - sizeof(raw)) return false;
  refusal.code = static_cast<errc>(raw.code);
  refusal.rule = static_cast<Rule>(raw.rule);
  refusal.subject = static_cast<Subject>(raw.subject);
  refusal.index = raw.index;
  refusal.version = raw.version;
  refusal.limit = raw.limit;
  refusal.offset = raw.offset;
  refusal.system_errno = raw.system_errno;
  refusal.key = {reinterpret_cast<const char*>(body.data() + sizeof(raw)), raw.key_bytes};
  return true;
}

}  // namespace

ReplyProducer::ReplyProducer(ReplyHeader& header, std::span<std::byte> data,
                             const std::atomic<std::uint64_t>& position) noexcept
    : header_(header),
      data_(data),
      shared_position_(position),
      end_(header.released.load(std::memory_order_relaxed)),  // relaxed: this side's own word
      released_(end_),
      position_(end_) {
  require_data(data);
  DFS_ASSERT(end_ % kFrameAlignment == 0, "a reply ring begins at a frame");
}

Room ReplyProducer::room(std::size_t bytes) noexcept {
  if (broken_) return Room::broken;
  const std::size_t frame =
      std::max((bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment, kMinFrameBytes);
  DFS_ASSERT(frame <= data_.size() / 2, "what can never have room is not asked for");
  const std::size_t to_edge = data_.size() - place_of(end_, data_);
  const std::size_t needed = frame <= to_edge ? frame : to_edge + frame;
  const auto fits = [&] {
    return needed <= data_.size() - static_cast<std::size_t>(end_ - position_);
  };
  if (fits()) return Room::enough;
  // Acquire: the client has read what it gave back before this side writes over it.
  // SYNC POINT: ClientPage::reply_position, ReplyConsumer::give_back.
  const std::uint64_t seen = shared_position_.load(std::memory_order_acquire);
  if (seen < position_ || seen > released_) {
    broken_ = true;
    return Room::broken;
  }
  position_ = seen;
  return fits() ? Room::enough : Room::wait;
}

std::byte* ReplyProducer::frame_of(std::size_t size) noexcept {
  DFS_ASSERT(size <= kMaxFrameBytes, "a reply's versions and key are within their limits");
  const std::size_t to_edge = data_.size() - place_of(end_, data_);
  const std::size_t needed = size <= to_edge ? size : to_edge + size;
  DFS_ASSERT(needed <= data_.size() - static_cast<std::size_t>(end_ - position_),
             "no reply is prepared without room for it");
  if (size > to_edge) {
    write_header(data_.data() + place_of(end_, data_),
                 {static_cast<std::uint32_t>(to_edge),
                  static_cast<std::uint32_t>(ReplyKind::padding), 0, 0});
    end_ += to_edge;
  }
  return data_.data() + place_of(end_, data_);
}

void ReplyProducer::prepare(std::uint64_t number, const Commitment& commitment) {
  const std::size_t size = frame_bytes(commitment);
  std::byte* frame = frame_of(size);
  write_commit(frame, commitment);
  write_header(frame,
               {static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(ReplyKind::committed),
                number, commitment.sequence});
  unreleased_.push_back(end_);
  end_ += size;
}

void ReplyProducer::prepare(std::uint64_t number, const Refusal& refusal) {
  const std::size_t size = frame_bytes(refusal);
  std::byte* frame = frame_of(size);
  write_refusal(frame, refusal, refusal.key);
  write_header(frame, {static_cast<std::uint32_t>(size),
                       static_cast<std::uint32_t>(ReplyKind::refused), number, 0});
  if (may_hang_on_batch(refusal)) unreleased_.push_back(end_);
  end_ += size;
}

void ReplyProducer::prepare(const Reply& reply) {
  if (reply.kind == ReplyKind::committed) return prepare(reply.number, reply.commitment);
  DFS_ASSERT(reply.kind == ReplyKind::refused, "a reply is one of the two");
  prepare(reply.number, reply.refusal);
}

void ReplyProducer::publish_prepared() noexcept {
  // Release: the frames are whole before the end that lets a client believe them. Not more, since
  // nobody sleeps on this end: who does not hear of a release in time asks again.
  // SYNC POINT: ReplyHeader::prepared, ReplyConsumer::prepared_sequence and prepared_commits.
  header_.prepared.store(end_, std::memory_order_release);
}

void ReplyProducer::overwrite_prepared_with(const Refusal& refusal) noexcept {
  for (const std::uint64_t at : unreleased_) {
    std::byte* frame = data_.data() + place_of(at, data_);
    // The kind first: a client that finds a torn body finds it under `refused`, and that was never
    // prepared. It reads the body of an unreleased frame only when the kernel has told it that
    // this thread is dead, hence sees its stores in the order of the program, which the compiler
    // alone could change.
    kind_at(frame).store(static_cast<std::uint32_t>(ReplyKind::refused), std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    write_refusal(frame, refusal, {});
  }
  unreleased_.clear();
}

void ReplyProducer::release() noexcept {
  if (released_ == end_) return;
  // The prepared end never lies behind the released one, as a client would see it.
  publish_prepared();
  released_ = end_;
  unreleased_.clear();
  // seq_cst: releases the frames, and stands in one order with the look at the client's `asleep`.
  // SYNC POINT: ReplyHeader::released, ReplyConsumer::next and has_more.
  header_.released.store(end_, std::memory_order_seq_cst);
}

void ReplyProducer::drop(DropReason reason) noexcept {
  // Release: what was released before is there for whoever reads the reason.
  // SYNC POINT: ReplyHeader::dropped, ReplyConsumer::dropped.
  header_.dropped.store(static_cast<std::uint32_t>(reason), std::memory_order_release);
}

ReplyConsumer::ReplyConsumer(const ReplyHeader& header, std::span<const std::byte> data,
                             std::atomic<std::uint64_t>& position) noexcept
    : header_(header),
      data_(data),
      shared_position_(position),
      position_(position.load(std::memory_order_relaxed)) {  // relaxed: this side's own word
  require_data(data);
}

Found ReplyConsumer::read_frame(std::uint64_t at, std::uint64_t end, Frame& frame) const noexcept {
  if (at % kFrameAlignment != 0 || end < at || end - at > data_.size()) return Found::broken;
  while (at != end) {
    const std::size_t place = place_of(at, data_);
    const std::byte* bytes = data_.data() + place;
    const std::uint64_t longest = std::min<std::uint64_t>(end - at, data_.size() - place);
    std::uint32_t size = 0;
    if (longest < kPaddingBytes) return Found::broken;
    std::memcpy(&size, bytes, sizeof(size));
    if (size < kPaddingBytes || size % kFrameAlignment != 0 || size > longest) {
      return Found::broken;
    }
    const std::uint32_t kind = load_kind(bytes);
    at += size;
    if (kind == static_cast<std::uint32_t>(ReplyKind::padding)) continue;
    if (size < kMinFrameBytes) return Found::broken;
    frame.header.size = size;
    frame.header.kind = kind;
    std::memcpy(&frame.header.number, bytes + offsetof(FrameHeader, number),
                sizeof(frame.header.number));
    std::memcpy(&frame.header.sequence, bytes + offsetof(FrameHeader, sequence),
                sizeof(frame.header.sequence));
    frame.body = data_.subspan(place + sizeof(FrameHeader), size - sizeof(FrameHeader));
    frame.end = at;
    return Found::one;
  }
  frame.end = end;
  return Found::nothing;
}

bool ReplyConsumer::read_commit(const Frame& frame, Commitment& commitment) noexcept {
  CommitBody raw{};
  std::memcpy(&raw, frame.body.data(), sizeof(raw));
  const std::size_t most = (frame.body.size() - sizeof(raw)) / sizeof(std::uint64_t);
  if (raw.count > kMaxReplyVersions || raw.count > most) return false;
  std::memcpy(versions_.data(), frame.body.data() + sizeof(raw), raw.count * sizeof(std::uint64_t));
  commitment.sequence = frame.header.sequence;
  commitment.versions = std::span(versions_).first(raw.count);
  commitment.versions_left_out = raw.left_out != 0;
  return true;
}

Found ReplyConsumer::next(Reply& reply) {
  if (broken_) return Found::broken;
  // Acquire: the frames before this end are whole, and stay as they are.
  // SYNC POINT: ReplyHeader::released, ReplyProducer::release.
  const std::uint64_t end = header_.released.load(std::memory_order_acquire);
  Frame frame;
  const Found found = read_frame(position_, end, frame);
  if (found == Found::nothing) position_ = frame.end;
  if (found == Found::nothing) return found;
  bool whole = found == Found::one;
  if (whole) {
    reply.kind = static_cast<ReplyKind>(frame.header.kind);
    reply.number = frame.header.number;
    switch (reply.kind) {
      case ReplyKind::committed:
        whole = read_commit(frame, reply.commitment);
        break;
      case ReplyKind::refused:
        whole = read_refusal(frame.body, reply.refusal);
        break;
      default:
        whole = false;
    }
  }
  broken_ = !whole;
  if (broken_) return Found::broken;
  position_ = frame.end;
  return Found::one;
}

void ReplyConsumer::give_back() noexcept {
  // seq_cst: releases the space after its frames were read, and stands in one order with the look
  // at the daemon's `asleep`.
  // SYNC POINT: ClientPage::reply_position, ReplyProducer::room.
  shared_position_.store(position_, std::memory_order_seq_cst);
}

bool ReplyConsumer::has_more() const noexcept {
  // seq_cst: the second look, behind the store of `asleep` in the one order of all four.
  // SYNC POINT: ReplyHeader::released, ReplyProducer::release.
  return header_.released.load(std::memory_order_seq_cst) != position_;
}

std::optional<std::uint64_t> ReplyConsumer::prepared_sequence(std::uint64_t number) const noexcept {
  // Acquire, this one first: the prepared end is never behind it. Frames from here on stay, since
  // this side has not given back anything behind it.
  // SYNC POINT: ReplyHeader::released, ReplyProducer::release.
  std::uint64_t at = header_.released.load(std::memory_order_acquire);
  // Acquire: the frames before this end are whole, but for commits that are turned into refusals.
  // SYNC POINT: ReplyHeader::prepared, ReplyProducer::publish_prepared.
  const std::uint64_t end = header_.prepared.load(std::memory_order_acquire);
  Frame frame;
  while (read_frame(at, end, frame) == Found::one) {
    const bool commit = frame.header.kind == static_cast<std::uint32_t>(ReplyKind::committed);
    if (commit && frame.header.number == number) return frame.header.sequence;
    at = frame.end;
  }
  return std::nullopt;
}

std::vector<PreparedCommit> ReplyConsumer::prepared_commits() {
  std::vector<PreparedCommit> commits;
  // Acquire, both: as in `prepared_sequence`. The daemon is dead, so nothing changes any more.
  // SYNC POINT: ReplyHeader::prepared, ReplyProducer::publish_prepared.
  std::uint64_t at = header_.released.load(std::memory_order_acquire);
  const std::uint64_t end = header_.prepared.load(std::memory_order_acquire);
  Frame frame;
  while (read_frame(at, end, frame) == Found::one) {
    at = frame.end;
    Commitment commitment;
    const bool commit = frame.header.kind == static_cast<std::uint32_t>(ReplyKind::committed);
    // Sequence 0 wrote nothing, so there is nothing to ask about.
    if (!commit || frame.header.sequence == 0 || !read_commit(frame, commitment)) continue;
    commits.push_back({frame.header.number,
                       commitment.sequence,
                       {commitment.versions.begin(), commitment.versions.end()},
                       commitment.versions_left_out});
  }
  return commits;
}

DropReason ReplyConsumer::dropped() const noexcept {
  // Acquire: what was released before the drop is found by `next`.
  // SYNC POINT: ReplyHeader::dropped, ReplyProducer::drop.
  return static_cast<DropReason>(header_.dropped.load(std::memory_order_acquire));
}

}  // namespace dfs::wire
