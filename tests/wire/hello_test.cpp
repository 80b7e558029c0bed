#include "common/wire/hello.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <cstring>
#include <string>

#include "common/wire/archive.hpp"
#include "common/wire/field.hpp"
#include "tests/wire/allocation_meter.hpp"

namespace dfs::wire {
namespace {

/// Views instead of copies, and texts of errors: nothing that grows with the packet.
constexpr std::size_t kAllocationBound = 2048;

Hello some_hello() {
  Hello hello;
  hello.protocol = {1, 3};
  hello.layout = {2, 2};
  hello.capabilities = 0x8000000000000001;
  hello.wanted = kWantRead;
  hello.origin = "cron";
  hello.program = "backup";
  hello.library_version = "1.0.0";
  return hello;
}

HelloAnswer some_answer() {
  HelloAnswer answer;
  answer.status = HelloStatus::welcome;
  answer.protocol = 3;
  answer.layout = 2;
  answer.known_protocol = {1, 4};
  answer.known_layout = {2, 5};
  answer.capabilities = 6;
  answer.layout_hash = layout_hash(7);
  for (std::size_t i = 0; i < answer.store.size(); ++i) answer.store[i] = std::byte(i + 1);
  answer.connection = 99;
  answer.limits.snapshot_ttl_ms = 1234;
  answer.durability = StoreDurability::written;
  answer.descriptors = {Descriptor::control_page, Descriptor::client_page, Descriptor::reply_ring,
                        Descriptor::request_ring, Descriptor::eventfd,     Descriptor::bell};
  answer.daemon_version = "1.0.1";
  return answer;
}

TEST(Hello, comes_back_with_all_it_said) {
  const Hello sent = some_hello();
  const auto packet = encode(sent);
  const auto got = decode_hello(packet);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->protocol, sent.protocol);
  EXPECT_EQ(got->layout, sent.layout);
  EXPECT_EQ(got->capabilities, sent.capabilities);
  EXPECT_EQ(got->wanted, sent.wanted);
  EXPECT_EQ(got->origin, sent.origin);
  EXPECT_EQ(got->program, sent.program);
  EXPECT_EQ(got->library_version, sent.library_version);
  EXPECT_EQ(std::memcmp(packet.data(), "DFS\1", 4), 0);
}

TEST(Hello, answer_comes_back_with_all_it_said) {
  const HelloAnswer sent = some_answer();
  const auto packet = encode(sent);
  const auto got = decode_hello_answer(packet);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->status, sent.status);
  EXPECT_EQ(got->protocol, sent.protocol);
  EXPECT_EQ(got->layout, sent.layout);
  EXPECT_EQ(got->known_protocol, sent.known_protocol);
  EXPECT_EQ(got->known_layout, sent.known_layout);
  EXPECT_EQ(got->capabilities, sent.capabilities);
  EXPECT_EQ(got->layout_hash, sent.layout_hash);
  EXPECT_EQ(got->store, sent.store);
  EXPECT_EQ(got->connection, sent.connection);
  EXPECT_EQ(got->limits, sent.limits);
  EXPECT_EQ(got->durability, sent.durability);
  EXPECT_EQ(got->descriptors, sent.descriptors);
  EXPECT_EQ(got->daemon_version, sent.daemon_version);
  EXPECT_EQ(std::memcmp(packet.data(), "DFS\1", 4), 0);
}

TEST(Hello, refusal_carries_its_text) {
  HelloAnswer sent;
  sent.status = HelloStatus::incompatible;
  sent.text = "upgrade the library";
  const auto packet = encode(sent);
  const auto got = decode_hello_answer(packet);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, HelloStatus::incompatible);
  EXPECT_EQ(got->text, "upgrade the library");
  EXPECT_EQ(code_of(got->status), errc::incompatible);
}

TEST(Hello, longest_names_and_texts_are_cut_to_fit) {
  const std::string name(100'000, 'n');
  Hello hello;
  hello.origin = hello.program = hello.library_version = name;
  const auto packet = encode(hello);
  EXPECT_LE(packet.size(), kMaxHelloBytes);
  const auto got = decode_hello(packet);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->origin.size(), kMaxOriginBytes);
  HelloAnswer answer = some_answer();
  answer.text = answer.daemon_version = name;
  EXPECT_LE(encode(answer).size(), kMaxHelloBytes);
}

TEST(Hello, unknown_fields_are_stepped_over_on_both_sides) {
  const auto add = [](std::vector<std::byte> packet) {
    OutputArchive fields(1000);
    put_field(fields, {4711, "from the future"});
    packet.insert(packet.end(), fields.bytes().begin(), fields.bytes().end());
    return packet;
  };
  const auto hello_packet = add(encode(some_hello()));
  const auto hello = decode_hello(hello_packet);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->origin, "cron");
  const auto answer_packet = add(encode(some_answer()));
  const auto answer = decode_hello_answer(answer_packet);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->daemon_version, "1.0.1");
}

TEST(Hello, highest_number_known_to_both_is_chosen) {
  EXPECT_EQ(choose({1, 3}, {2, 5}), 3);
  EXPECT_EQ(choose({2, 5}, {1, 3}), 3);
  EXPECT_EQ(choose({1, 1}, {1, 1}), 1);
  EXPECT_EQ(choose({1, 1}, {2, 2}), 0);
  EXPECT_EQ(choose({3, 4}, {1, 2}), 0);
}

TEST(Hello, packet_that_says_nonsense_is_refused) {
  const auto refused = [](const Hello& hello) { return !decode_hello(encode(hello)); };
  Hello hello;
  EXPECT_FALSE(refused(hello));
  hello.protocol = {2, 1};
  EXPECT_TRUE(refused(hello)) << "an empty range";
  hello = Hello{};
  hello.layout = {0, 1};
  EXPECT_TRUE(refused(hello));
  hello = Hello{};
  hello.wanted = 0;
  EXPECT_TRUE(refused(hello));
  hello.wanted = 4;
  EXPECT_TRUE(refused(hello));
  hello = Hello{};
  hello.origin = "line\nbreak";
  EXPECT_TRUE(refused(hello)) << "it would end up in the log";
  EXPECT_FALSE(decode_hello({}));
  EXPECT_FALSE(decode_hello(std::vector<std::byte>(kMaxHelloBytes + 1)));
}

/// Both decoders on bytes from anywhere.
void decode_hostile(std::span<const std::byte> bytes) {
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  const AllocationMeter meter;
  const auto hello = decode_hello(exact);
  if (hello) {
    EXPECT_LE(hello->origin.size(), kMaxOriginBytes);
    EXPECT_LE(hello->program.size() + hello->library_version.size(), bytes.size());
  }
  const auto answer = decode_hello_answer(exact);
  if (answer) {
    EXPECT_LE(answer->descriptors.size(), kMaxDescriptors);
    EXPECT_LE(answer->text.size() + answer->daemon_version.size(), bytes.size());
  }
  EXPECT_LE(meter.total_bytes(), kAllocationBound);
}

TEST(Hello, cut_or_flipped_anywhere_is_read_within_bounds) {
  for (const auto& good : {encode(some_hello()), encode(some_answer())}) {
    for (std::size_t cut = 0; cut <= good.size(); ++cut) {
      decode_hostile(std::span(good).first(cut));
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        auto bytes = good;
        bytes[i] ^= static_cast<std::byte>(1 << bit);
        decode_hostile(bytes);
      }
    }
  }
}

TEST(Hello, cut_in_its_fixed_part_is_refused) {
  const auto hello = encode(Hello{});
  for (std::size_t cut = 0; cut < hello.size(); ++cut) {
    EXPECT_FALSE(decode_hello(std::span(hello).first(cut))) << cut;
  }
  const auto answer = encode(HelloAnswer{});
  for (std::size_t cut = 0; cut < answer.size(); ++cut) {
    EXPECT_FALSE(decode_hello_answer(std::span(answer).first(cut))) << cut;
  }
}

TEST(Hello, random_bytes_are_read_within_bounds) {
  const bool ok = rc::check("any bytes", [](const std::vector<std::uint8_t>& bytes) {
    auto packet = encode(some_answer());
    const auto random = std::as_bytes(std::span(bytes));
    packet.resize(4);
    packet.insert(packet.end(), random.begin(), random.end());
    decode_hostile(packet);
    decode_hostile(random);
  });
  EXPECT_TRUE(ok);
}

TEST(LayoutHash, differs_with_the_layout_of_the_index) {
  static_assert(layout_hash(1) != layout_hash(2));
  static_assert(hash_numbers({1, 2}) != hash_numbers({2, 1}));
  EXPECT_NE(layout_hash(0), 0U);
}

}  // namespace
}  // namespace dfs::wire
