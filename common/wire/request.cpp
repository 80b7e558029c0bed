#include "common/wire/request.hpp"

#include "common/base/assert.hpp"
#include "common/wire/one_write.hpp"
#include "common/wire/request_layout.hpp"

namespace dfs::wire {

namespace {

/// kHeadBytes of them.
struct Head {
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint16_t unused = 0;
  std::uint32_t reads = 0;
  std::uint32_t ranges = 0;
  std::uint32_t checks = 0;
  std::uint32_t writes = 0;
};

std::uint32_t count_of(std::size_t size) noexcept {
  DFS_ASSERT(size <= kMaxCommitRecords, "lists are measured before they are encoded");
  return static_cast<std::uint32_t>(size);
}

std::uint8_t flags_of(const CommitRequest& request) noexcept {
  return static_cast<std::uint8_t>((request.durable ? kDurable : 0) |
                                   (request.snapshot_isolation ? kSnapshotIsolation : 0) |
                                   (request.has_snapshot ? kHasSnapshot : 0));
}

Refusal refusal(errc code, Rule rule, Subject subject, std::size_t index, std::uint64_t limit) {
  Refusal refused;
  refused.code = code;
  refused.rule = rule;
  refused.subject = subject;
  refused.index = static_cast<std::uint32_t>(index);
  refused.limit = limit;
  return refused;
}

/// Bounds that hold for the lists as they are built or read; the first one broken is kept.
class Measure {
 public:
  [[nodiscard]] bool list(Subject subject, std::size_t size) noexcept {
    if (size <= kMaxCommitRecords) return true;
    const bool read = subject == Subject::read || subject == Subject::range;
    broken_ = refusal(read ? errc::transaction_too_large : errc::too_large, Rule::commit_records,
                      subject, size, kMaxCommitRecords);
    return false;
  }
  [[nodiscard]] bool key(std::string_view key, Subject subject, std::size_t index,
                         bool may_be_empty = false) noexcept {
    if (key.size() > kMaxKeyBytes) {
      broken_ = refusal(errc::too_large, Rule::key_too_long, subject, index, kMaxKeyBytes);
    } else if (key.empty() && !may_be_empty) {
      broken_ = refusal(errc::bad_key, Rule::key_empty, subject, index, 0);
    }
    return !broken_ && add(key.size(), subject, index);
  }
  [[nodiscard]] bool value(std::string_view key, std::string_view value,
                           std::size_t index) noexcept {
    if (value.size() > kMaxValueBytes) {
      broken_ =
          refusal(errc::too_large, Rule::value_too_long, Subject::write, index, kMaxValueBytes);
      broken_->key = key;
    }
    return !broken_ && add(value.size(), Subject::write, index);
  }
  [[nodiscard]] const std::optional<Refusal>& broken() const noexcept { return broken_; }

 private:
  bool add(std::size_t bytes, Subject subject, std::size_t index) noexcept {
    bytes_ += bytes;  // at most four lists of kMaxCommitRecords largest values: no overflow
    if (bytes_ <= kMaxCommitBytes) return true;
    broken_ = refusal(errc::too_large, Rule::commit_bytes, subject, index, kMaxCommitBytes);
    return false;
  }
  std::optional<Refusal> broken_;
  std::uint64_t bytes_ = 0;
};

/// Reads one request; each step says whether to go on. Threads: one at a time.
class Decoder {
 public:
  Decoder(InputArchive& archive, CommitRequest& request) : archive_(archive), request_(request) {}

  std::optional<Refusal> run() {
    Head head;
    archive_(head);
    if (archive_.failed()) return malformed();
    if (head.kind != static_cast<std::uint8_t>(RequestKind::commit)) {
      return refusal(errc::unsupported, Rule::unknown_kind, Subject::request, 0, head.kind);
    }
    if ((head.flags & ~kKnownFlags) != 0 || head.unused != 0) {
      return refusal(errc::unsupported, Rule::unknown_flag, Subject::request, 0, head.flags);
    }
    request_.durable = (head.flags & kDurable) != 0;
    request_.snapshot_isolation = (head.flags & kSnapshotIsolation) != 0;
    request_.has_snapshot = (head.flags & kHasSnapshot) != 0;
    request_.snapshot_generation = 0;
    request_.snapshot_sequence = 0;
    if (request_.has_snapshot) archive_(request_.snapshot_generation, request_.snapshot_sequence);
    const bool whole = reads(head.reads) && ranges(head.ranges) && checks(head.checks) &&
                       writes(head.writes) && !archive_.failed();
    if (measure_.broken()) return measure_.broken();
    if (!whole) return malformed();
    Field field;
    if (get_field(archive_, field)) {
      return refusal(errc::unsupported, Rule::unknown_field, Subject::request, 0, field.id);
    }
    if (archive_.failed()) return malformed();
    return std::nullopt;
  }

 private:
  [[nodiscard]] Refusal malformed() const noexcept {
    Refusal refused = refusal(errc::bad_argument, Rule::malformed, Subject::request, 0, 0);
    refused.offset = archive_.position();
    return refused;
  }

  bool expect(std::uint8_t kind, Expectation& into) {
    into = {};
    if (kind > static_cast<std::uint8_t>(Expect::version)) archive_.fail();
    if (archive_.failed()) return false;
    into.kind = static_cast<Expect>(kind);
    if (into.kind == Expect::version) {
      archive_(into.version);
      into.kind = normal(into);
    }
    return !archive_.failed();
  }

  bool reads(std::uint32_t count) {
    if (!measure_.list(Subject::read, count)) return false;
    if (!archive_.may_hold(count, kMaxCommitRecords, kMinReadBytes)) return false;
    request_.reads.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      ReadKey& one = request_.reads[i];
      std::uint16_t size = 0;
      archive_.get_all(size, one.sequence);
      one.key = archive_.view(size);
      if (archive_.failed() || !measure_.key(one.key, Subject::read, i)) return false;
    }
    return true;
  }

  bool ranges(std::uint32_t count) {
    if (!measure_.list(Subject::range, count)) return false;
    if (!archive_.may_hold(count, kMaxCommitRecords, kMinRangeBytes)) return false;
    request_.ranges.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      ReadRange& one = request_.ranges[i];
      std::uint16_t from = 0;
      std::uint16_t to = 0;
      std::uint8_t end = 0;
      archive_.get_all(from, to, end, one.live_keys);
      const auto everything = static_cast<std::uint8_t>(RangeEnd::everything);
      if (end > everything || (end == everything && to != 0)) archive_.fail();
      one.end = static_cast<RangeEnd>(end);
      one.from = archive_.view(from);
      one.to = archive_.view(to);
      if (archive_.failed() || !measure_.key(one.from, Subject::range, i, true) ||
          !measure_.key(one.to, Subject::range, i, true)) {
        return false;
      }
    }
    return true;
  }

  bool checks(std::uint32_t count) {
    if (!measure_.list(Subject::check, count)) return false;
    if (!archive_.may_hold(count, kMaxCommitRecords, kMinCheckBytes)) return false;
    request_.checks.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Check& one = request_.checks[i];
      std::uint16_t size = 0;
      std::uint8_t kind = 0;
      archive_.get_all(size, kind);
      if (!expect(kind, one.expect)) return false;
      one.key = archive_.view(size);
      if (archive_.failed() || !measure_.key(one.key, Subject::check, i)) return false;
    }
    return true;
  }

  bool writes(std::uint32_t count) {
    if (!measure_.list(Subject::write, count)) return false;
    if (!archive_.may_hold(count, kMaxCommitRecords, kMinWriteBytes)) return false;
    request_.writes.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Write& one = request_.writes[i];
      std::uint16_t size = 0;
      std::uint8_t operation = 0;
      std::uint8_t kind = 0;
      std::uint32_t value = 0;
      archive_.get_all(size, operation, kind, value);
      if (operation > kErase || (operation == kErase && value != 0)) archive_.fail();
      if (!expect(kind, one.expect)) return false;
      one.erase = operation == kErase;
      one.key = archive_.view(size);
      one.value = archive_.view(value);
      if (archive_.failed() || !measure_.key(one.key, Subject::write, i) ||
          !measure_.value(one.key, one.value, i)) {
        return false;
      }
    }
    return true;
  }

  InputArchive& archive_;
  CommitRequest& request_;
  Measure measure_;
};

}  // namespace

// Found by cereal beside the types they are for.
static void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const Head& head) {
  archive.put_all(head.kind, head.flags, head.unused, head.reads, head.ranges, head.checks,
                  head.writes);
}

static void CEREAL_LOAD_FUNCTION_NAME(InputArchive& archive, Head& head) {
  archive.get_all(head.kind, head.flags, head.unused, head.reads, head.ranges, head.checks,
                  head.writes);
}

static void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const ReadKey& read) {
  archive.put_all(key_size(read.key), read.sequence);
  archive.put(read.key);
}

static void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const ReadRange& range) {
  const std::string_view to = range.end == RangeEnd::everything ? std::string_view() : range.to;
  archive.put_all(key_size(range.from), key_size(to), static_cast<std::uint8_t>(range.end),
                  range.live_keys);
  archive.put(range.from);
  archive.put(to);
}

static void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const Check& check) {
  const Expect expect = normal(check.expect);
  archive.put_all(key_size(check.key), static_cast<std::uint8_t>(expect));
  if (expect == Expect::version) archive(check.expect.version);
  archive.put(check.key);
}

static void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const Write& write) {
  const std::string_view value = write.erase ? std::string_view() : write.value;
  DFS_ASSERT(value.size() <= kMaxValueBytes, "values are measured before they are encoded");
  const Expect expect = normal(write.expect);
  archive.put_all(key_size(write.key), write.erase ? kErase : kSet,
                  static_cast<std::uint8_t>(expect), static_cast<std::uint32_t>(value.size()));
  if (expect == Expect::version) archive(write.expect.version);
  archive.put(write.key);
  archive.put(value);
}

void CommitRequest::clear() noexcept {
  durable = false;
  snapshot_isolation = false;
  has_snapshot = false;
  snapshot_generation = 0;
  snapshot_sequence = 0;
  reads.clear();
  ranges.clear();
  checks.clear();
  writes.clear();
}

void encode(const CommitRequest& request, OutputArchive& archive, std::span<const Field> fields) {
  Head head;
  head.kind = static_cast<std::uint8_t>(RequestKind::commit);
  head.flags = flags_of(request);
  head.reads = count_of(request.reads.size());
  head.ranges = count_of(request.ranges.size());
  head.checks = count_of(request.checks.size());
  head.writes = count_of(request.writes.size());
  archive(head);
  if (request.has_snapshot) archive(request.snapshot_generation, request.snapshot_sequence);
  for (const ReadKey& one : request.reads) archive(one);
  for (const ReadRange& one : request.ranges) archive(one);
  for (const Check& one : request.checks) archive(one);
  for (const Write& one : request.writes) archive(one);
  for (const Field& field : fields) put_field(archive, field);
}

std::optional<Refusal> measure(const CommitRequest& request) noexcept {
  Measure measure;
  bool good = measure.list(Subject::read, request.reads.size()) &&
              measure.list(Subject::range, request.ranges.size()) &&
              measure.list(Subject::check, request.checks.size()) &&
              measure.list(Subject::write, request.writes.size());
  for (std::size_t i = 0; good && i < request.reads.size(); ++i) {
    good = measure.key(request.reads[i].key, Subject::read, i);
  }
  for (std::size_t i = 0; good && i < request.ranges.size(); ++i) {
    good = measure.key(request.ranges[i].from, Subject::range, i, true) &&
           measure.key(request.ranges[i].to, Subject::range, i, true);
  }
  for (std::size_t i = 0; good && i < request.checks.size(); ++i) {
    good = measure.key(request.checks[i].key, Subject::check, i);
  }
  for (std::size_t i = 0; good && i < request.writes.size(); ++i) {
    const Write& one = request.writes[i];
    good = measure.key(one.key, Subject::write, i) &&
           (one.erase || measure.value(one.key, one.value, i));
  }
  return measure.broken();
}

std::optional<Refusal> measure(const Write& write) noexcept {
  Measure measure;
  if (measure.key(write.key, Subject::write, 0) && !write.erase) {
    static_cast<void>(measure.value(write.key, write.value, 0));
  }
  return measure.broken();
}

std::optional<Refusal> decode(InputArchive& archive, std::span<const std::byte> bytes,
                              CommitRequest& request) {
  if (decode_one_set(bytes, request)) return std::nullopt;
  archive.restart(bytes);
  return Decoder(archive, request).run();
}

}  // namespace dfs::wire
