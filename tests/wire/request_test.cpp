#include "common/wire/encoded_request.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <random>
#include <string>

#include "common/wire/request.hpp"
#include "tests/wire/allocation_meter.hpp"

namespace dfs::wire {
namespace {

/// What decoding may allocate at most: a member of each list for the bytes that it takes at least,
/// in lists of at most kMaxCommitRecords.
std::size_t allocation_bound(std::size_t message_bytes) {
  const auto list = [&](std::size_t member, std::size_t shortest) {
    return std::min(kMaxCommitRecords, message_bytes / shortest + 1) * member;
  };
  return list(sizeof(ReadKey), 10) + list(sizeof(ReadRange), 13) + list(sizeof(Check), 3) +
         list(sizeof(Write), 8);
}

bool same(const Expectation& a, const Expectation& b) {
  return a.kind == b.kind && (a.kind != Expect::version || a.version == b.version);
}

::testing::AssertionResult same(const CommitRequest& a, const CommitRequest& b) {
  const auto no = [](const char* what) { return ::testing::AssertionFailure() << what; };
  if (a.durable != b.durable || a.snapshot_isolation != b.snapshot_isolation ||
      a.has_snapshot != b.has_snapshot) {
    return no("flags");
  }
  if (a.has_snapshot && (a.snapshot_generation != b.snapshot_generation ||
                         a.snapshot_sequence != b.snapshot_sequence)) {
    return no("snapshot");
  }
  if (a.reads.size() != b.reads.size() || a.ranges.size() != b.ranges.size() ||
      a.checks.size() != b.checks.size() || a.writes.size() != b.writes.size()) {
    return no("counts");
  }
  for (std::size_t i = 0; i < a.reads.size(); ++i) {
    if (a.reads[i].key != b.reads[i].key || a.reads[i].sequence != b.reads[i].sequence) {
      return no("read");
    }
  }
  for (std::size_t i = 0; i < a.ranges.size(); ++i) {
    if (a.ranges[i].from != b.ranges[i].from || a.ranges[i].to != b.ranges[i].to ||
        a.ranges[i].end != b.ranges[i].end || a.ranges[i].live_keys != b.ranges[i].live_keys) {
      return no("range");
    }
  }
  for (std::size_t i = 0; i < a.checks.size(); ++i) {
    if (a.checks[i].key != b.checks[i].key || !same(a.checks[i].expect, b.checks[i].expect)) {
      return no("check");
    }
  }
  for (std::size_t i = 0; i < a.writes.size(); ++i) {
    if (a.writes[i].key != b.writes[i].key || a.writes[i].value != b.writes[i].value ||
        a.writes[i].erase != b.writes[i].erase || !same(a.writes[i].expect, b.writes[i].expect)) {
      return no("write");
    }
  }
  return ::testing::AssertionSuccess();
}

std::vector<std::byte> encoded(const CommitRequest& request, std::span<const Field> fields = {}) {
  OutputArchive archive(kMaxRequestBytes);
  encode(request, archive, fields);
  EXPECT_FALSE(archive.failed());
  return {archive.bytes().begin(), archive.bytes().end()};
}

CommitRequest everything() {
  CommitRequest request;
  request.durable = true;
  request.has_snapshot = true;
  request.snapshot_generation = 3;
  request.snapshot_sequence = 1042;
  request.reads = {{"read", 17}, {"absent", 0}};
  request.ranges = {{"a", "b", RangeEnd::exclusive, 5},
                    {"", "last", RangeEnd::inclusive, 1},
                    {"c", "", RangeEnd::everything, 0}};
  request.checks = {{"p", {Expect::present, 0}}, {"v", {Expect::version, 9}}};
  request.writes = {{"k", R"({"a":1})", {}, false},
                    {"gone", "", {Expect::version, 4}, true},
                    {"new", "1", {Expect::absent, 0}, false}};
  return request;
}

TEST(Request, everything_comes_back) {
  const CommitRequest sent = everything();
  const auto bytes = encoded(sent);
  InputArchive archive;
  CommitRequest got;
  ASSERT_FALSE(decode(archive, bytes, got));
  EXPECT_TRUE(same(got, sent));
}

TEST(Request, plain_set_is_short) {
  CommitRequest request;
  request.writes.push_back({"user123", "1", {}, false});
  EXPECT_EQ(encoded(request).size(), 20U + 8 + 7 + 1);
}

TEST(Request, one_that_is_kept_is_the_same_byte_for_byte) {
  const std::string longest(kMaxKeyBytes, 'k');
  const auto expect_same = [](const CommitRequest& request) {
    EncodedRequest kept;
    ASSERT_TRUE(kept.encode(request));
    EXPECT_EQ(std::vector(kept.bytes().begin(), kept.bytes().end()), encoded(request));
    if (!request.is_one_write() || request.snapshot_isolation) return;
    EncodedRequest one;
    ASSERT_TRUE(one.encode(request.writes.front(), request.durable));
    EXPECT_EQ(std::vector(one.bytes().begin(), one.bytes().end()), encoded(request));
  };
  for (const std::string_view key : {std::string_view("k"), std::string_view(longest)}) {
    for (std::size_t size = 0; size < 600; size += 7) {
      const std::string value(size, '1');
      for (const bool durable : {false, true}) {
        for (const Expect kind : {Expect::any, Expect::present, Expect::absent, Expect::version}) {
          for (const bool erase : {false, true}) {
            CommitRequest request;
            request.durable = durable;
            request.snapshot_isolation = size % 5 == 0;
            request.writes.push_back({key, value, {kind, size % 3}, erase});
            expect_same(request);
          }
        }
      }
    }
  }
  expect_same(everything());
  expect_same(CommitRequest{});
}

TEST(Request, version_0_is_absent) {
  CommitRequest request;
  request.checks.push_back({"k", {Expect::version, 0}});
  const auto bytes = encoded(request);
  InputArchive archive;
  CommitRequest got;
  ASSERT_FALSE(decode(archive, bytes, got));
  EXPECT_EQ(got.checks[0].expect.kind, Expect::absent);
}

TEST(Request, object_used_again_keeps_nothing_of_the_last) {
  const auto full = encoded(everything());
  const auto empty = encoded(CommitRequest{});
  InputArchive archive;
  CommitRequest got;
  ASSERT_FALSE(decode(archive, full, got));
  ASSERT_FALSE(decode(archive, empty, got));
  EXPECT_TRUE(same(got, CommitRequest{}));
}

TEST(Request, any_request_comes_back) {
  const bool ok = rc::check("encode, then decode", [] {
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::vector<std::string> texts(64);
    for (std::string& text : texts) {
      text.resize(1 + random() % (random() % 8 == 0 ? 4096 : 20));
      for (char& c : text) c = static_cast<char>(random());
    }
    const auto text = [&] { return std::string_view(texts[random() % texts.size()]); };
    const auto expect = [&] {
      return Expectation{static_cast<Expect>(random() % 4), 1 + random()};
    };
    CommitRequest sent;
    sent.durable = random() % 2 == 0;
    sent.snapshot_isolation = random() % 2 == 0;
    sent.has_snapshot = random() % 2 == 0;
    sent.snapshot_generation = random();
    sent.snapshot_sequence = random();
    for (std::size_t i = random() % 10; i > 0; --i) sent.reads.push_back({text(), random()});
    for (std::size_t i = random() % 10; i > 0; --i) {
      const auto end = static_cast<RangeEnd>(random() % 3);
      const auto to = end == RangeEnd::everything ? std::string_view() : text();
      sent.ranges.push_back({text(), to, end, random()});
    }
    for (std::size_t i = random() % 10; i > 0; --i) sent.checks.push_back({text(), expect()});
    for (std::size_t i = random() % 10; i > 0; --i) {
      const bool erase = random() % 3 == 0;
      sent.writes.push_back({text(), erase ? std::string_view() : text(), expect(), erase});
    }
    RC_ASSERT(!measure(sent));
    const auto bytes = encoded(sent);
    InputArchive archive;
    CommitRequest got;
    RC_ASSERT(!decode(archive, bytes, got));
    RC_ASSERT(static_cast<bool>(same(got, sent)));
  });
  EXPECT_TRUE(ok);
}

/// Decodes bytes from anywhere, touches everything that came out, and counts.
std::optional<Refusal> decode_hostile(std::span<const std::byte> bytes) {
  // A copy of exactly that size, so that AddressSanitizer sees one byte too far.
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  InputArchive archive;
  CommitRequest request;
  std::optional<Refusal> refusal;
  std::size_t allocated = 0;
  {
    const AllocationMeter meter;
    refusal = decode(archive, exact, request);
    allocated = meter.total_bytes();
  }
  EXPECT_LE(allocated, allocation_bound(bytes.size()));
  if (refusal) {
    static_cast<void>(to_error(*refusal));
    return refusal;
  }
  std::size_t sum = 0;
  const auto touch = [&](std::string_view text) {
    for (const char c : text) sum += static_cast<unsigned char>(c);
  };
  for (const ReadKey& one : request.reads) touch(one.key);
  for (const ReadRange& one : request.ranges) touch(one.from), touch(one.to);
  for (const Check& one : request.checks) touch(one.key);
  for (const Write& one : request.writes) touch(one.key), touch(one.value);
  EXPECT_LE(sum, bytes.size() * 255);
  // What was accepted means the same when it is said again.
  const auto again = encoded(request);
  CommitRequest back;
  EXPECT_FALSE(decode(archive, again, back));
  EXPECT_TRUE(same(back, request));
  return refusal;
}

TEST(Request, cut_anywhere_is_refused_as_malformed) {
  const auto bytes = encoded(everything());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto refusal = decode_hostile(std::span(bytes).first(cut));
    ASSERT_TRUE(refusal) << cut;
    EXPECT_EQ(refusal->code, errc::bad_argument) << cut;
    EXPECT_EQ(refusal->rule, Rule::malformed) << cut;
  }
}

TEST(Request, flipped_anywhere_is_refused_or_another_valid_request) {
  const auto good = encoded(everything());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = good;
      bytes[i] ^= static_cast<std::byte>(1 << bit);
      if (decode_hostile(bytes)) ++refused;
    }
  }
  EXPECT_GT(refused, good.size());
}

TEST(Request, random_bytes_never_reserve_more_than_they_could_fill) {
  const bool ok = rc::check("any bytes", [](std::vector<std::uint8_t> bytes) {
    // A head that is one, so that more than the first byte is tried.
    const auto lists = *rc::gen::container<std::vector<std::uint8_t>>(
        16, rc::gen::weightedOneOf<std::uint8_t>(
                {{4, rc::gen::just<std::uint8_t>(0)}, {1, rc::gen::arbitrary<std::uint8_t>()}}));
    std::vector<std::uint8_t> message{1, static_cast<std::uint8_t>(bytes.size() % 8), 0, 0};
    message.insert(message.end(), lists.begin(), lists.end());
    message.insert(message.end(), bytes.begin(), bytes.end());
    static_cast<void>(decode_hostile(std::as_bytes(std::span(message))));
    static_cast<void>(decode_hostile(std::as_bytes(std::span(bytes))));
  });
  EXPECT_TRUE(ok);
}

TEST(Request, counts_of_four_billion_in_a_short_message_allocate_nothing) {
  for (std::size_t list = 0; list < 4; ++list) {
    std::vector<std::byte> bytes(20 + 100);
    bytes[0] = std::byte{1};
    for (const auto& [count, code] :
         {std::pair{0xffffffffU, errc::too_large}, std::pair{100'000U, errc::bad_argument}}) {
      std::memcpy(bytes.data() + 4 + 4 * list, &count, 4);
      InputArchive archive;
      CommitRequest request;
      const AllocationMeter meter;
      const auto refusal = decode(archive, bytes, request);
      EXPECT_EQ(meter.total_bytes(), 0U);
      ASSERT_TRUE(refusal);
      const bool read = list < 2 && code == errc::too_large;
      EXPECT_EQ(refusal->code, read ? errc::transaction_too_large : code);
    }
  }
}

TEST(Request, unknown_kind_flag_and_field_are_refused_by_their_number) {
  auto bytes = encoded(everything());
  InputArchive archive;
  CommitRequest got;
  bytes[0] = std::byte{77};
  auto refusal = decode(archive, bytes, got);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, errc::unsupported);
  EXPECT_EQ(refusal->rule, Rule::unknown_kind);
  EXPECT_EQ(refusal->limit, 77U);
  bytes = encoded(everything());
  bytes[1] |= std::byte{0x80};
  refusal = decode(archive, bytes, got);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->rule, Rule::unknown_flag);
  const Field field{513, "later"};
  bytes = encoded(everything(), {&field, 1});
  refusal = decode(archive, bytes, got);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, errc::unsupported);
  EXPECT_EQ(refusal->rule, Rule::unknown_field);
  EXPECT_EQ(refusal->limit, 513U);
  EXPECT_NE(to_error(*refusal).text().find("field 513"), std::string_view::npos);
}

/// Both sides find the same limit broken: the library before it sends, the daemon in what came.
void expect_refused(const CommitRequest& request, errc code, Rule rule, Subject subject,
                    std::uint64_t limit) {
  const auto refusal = measure(request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, code);
  EXPECT_EQ(refusal->rule, rule);
  EXPECT_EQ(refusal->subject, subject);
  EXPECT_EQ(refusal->limit, limit);
}

TEST(Request, limits_refuse_behind_them_and_not_before) {
  const std::string key(kMaxKeyBytes, 'k');
  const std::string longer(kMaxKeyBytes + 1, 'k');
  const std::string value(kMaxValueBytes + 1, '1');
  const auto largest = std::string_view(value).substr(1);
  CommitRequest request;
  request.writes = {{key, largest, {}, false}};
  EXPECT_FALSE(measure(request));
  request.writes = {{longer, "1", {}, false}};
  expect_refused(request, errc::too_large, Rule::key_too_long, Subject::write, kMaxKeyBytes);
  request.writes = {{"", "1", {}, false}};
  expect_refused(request, errc::bad_key, Rule::key_empty, Subject::write, 0);
  request.writes = {{"k", value, {}, false}};
  expect_refused(request, errc::too_large, Rule::value_too_long, Subject::write, kMaxValueBytes);
  request.writes.assign(3, {"k", largest, {}, false});
  EXPECT_FALSE(measure(request));
  request.writes.assign(4, {"k", largest, {}, false});
  expect_refused(request, errc::too_large, Rule::commit_bytes, Subject::write, kMaxCommitBytes);
  request.writes.assign(kMaxCommitRecords, {"k", "1", {}, false});
  EXPECT_FALSE(measure(request));
  request.writes.push_back({"k", "1", {}, false});
  expect_refused(request, errc::too_large, Rule::commit_records, Subject::write, kMaxCommitRecords);
  request.writes.clear();
  request.reads.assign(kMaxCommitRecords + 1, {"k", 1});
  expect_refused(request, errc::transaction_too_large, Rule::commit_records, Subject::read,
                 kMaxCommitRecords);
  request.reads.clear();
  request.ranges.push_back({"", longer, RangeEnd::exclusive, 0});
  expect_refused(request, errc::too_large, Rule::key_too_long, Subject::range, kMaxKeyBytes);
}

TEST(Request, largest_request_fits_its_bound) {
  CommitRequest request;
  request.has_snapshot = true;
  const std::string key(160, 'k');
  request.reads.assign(kMaxCommitRecords, {key, 1});
  request.ranges.assign(kMaxCommitRecords, {key, key, RangeEnd::exclusive, 1});
  request.checks.assign(kMaxCommitRecords, {key, {Expect::version, 1}});
  request.writes.assign(kMaxCommitRecords, {key, "", {Expect::version, 1}, true});
  ASSERT_TRUE(measure(request)) << "a little more than fits";
  for (ReadRange& range : request.ranges) range.to = std::string_view(key).substr(0, 20);
  ASSERT_FALSE(measure(request));
  const auto bytes = encoded(request);
  EXPECT_LE(bytes.size(), kMaxRequestBytes);
  InputArchive archive;
  CommitRequest got;
  EXPECT_FALSE(decode(archive, bytes, got));
  EXPECT_TRUE(same(got, request));
}

TEST(Request, decoder_refuses_what_breaks_a_limit_with_its_place) {
  const std::string key(kMaxKeyBytes, 'k');
  CommitRequest request;
  request.writes = {{"a", "1", {}, false}, {key, "1", {}, false}};
  auto bytes = encoded(request);
  // The second key one byte longer, taken from its value.
  const std::size_t head = 20 + 8 + 1 + 1;
  const std::uint16_t longer = kMaxKeyBytes + 1;
  const std::uint32_t shorter = 0;
  std::memcpy(bytes.data() + head, &longer, sizeof(longer));
  std::memcpy(bytes.data() + head + 4, &shorter, sizeof(shorter));
  InputArchive archive;
  CommitRequest got;
  const auto refusal = decode(archive, bytes, got);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, errc::too_large);
  EXPECT_EQ(refusal->rule, Rule::key_too_long);
  EXPECT_EQ(refusal->index, 1U);
}

}  // namespace
}  // namespace dfs::wire
