#include "common/wire/admin.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>

#include "tests/wire/allocation_meter.hpp"

namespace dfs::wire {
namespace {

TEST(Admin, request_comes_back) {
  const AdminRequest sent{AdminKind::resolve, 7, 1042, "text"};
  const auto packet = encode(sent);
  const auto got = decode_admin_request(packet);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, sent.kind);
  EXPECT_EQ(got->serial, sent.serial);
  EXPECT_EQ(got->argument, sent.argument);
  EXPECT_EQ(got->text, sent.text);
}

TEST(Admin, short_answer_is_one_packet) {
  AdminAnswer sent;
  sent.status = AdminStatus::refused;
  sent.code = errc::not_permitted;
  sent.serial = 9;
  sent.number = 5;
  sent.descriptor = true;
  sent.text = "ask its owner";
  const auto packets = encode(sent);
  ASSERT_EQ(packets.size(), 1U);
  const auto got = decode_admin_answer(packets[0]);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, sent.status);
  EXPECT_EQ(got->code, sent.code);
  EXPECT_EQ(got->serial, sent.serial);
  EXPECT_EQ(got->number, sent.number);
  EXPECT_TRUE(got->descriptor);
  EXPECT_FALSE(got->more);
  EXPECT_EQ(got->text, sent.text);
}

TEST(Admin, long_answer_comes_in_packets_that_say_so) {
  for (const std::size_t size : {0, 1, 65'508, 65'509, 200'000}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    AdminAnswer sent;
    sent.descriptor = true;
    sent.text = text;
    const auto packets = encode(sent);
    std::string got;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      EXPECT_LE(packets[i].size(), kMaxPacketBytes);
      const auto answer = decode_admin_answer(packets[i]);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->more, i + 1 < packets.size());
      EXPECT_EQ(answer->descriptor, i == 0);
      got += answer->text;
    }
    EXPECT_EQ(got, text);
  }
}

TEST(Admin, unknown_kind_is_refused_by_its_number) {
  auto packet = encode(AdminRequest{});
  packet[0] = std::byte{200};
  const auto got = decode_admin_request(packet);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), errc::unsupported);
  EXPECT_EQ(got.error().limit(), 200U);
}

TEST(Admin, cut_flipped_and_random_packets_are_read_within_bounds) {
  static constexpr std::size_t kAllocationBound = 2048;  // texts of errors
  const auto judge = [](std::span<const std::byte> bytes) {
    const std::vector<std::byte> exact(bytes.begin(), bytes.end());
    const AllocationMeter meter;
    const auto request = decode_admin_request(exact);
    if (request) {
      EXPECT_LE(request->text.size(), exact.size());
    }
    const auto answer = decode_admin_answer(exact);
    if (answer) {
      EXPECT_LE(answer->text.size(), exact.size());
    }
    EXPECT_LE(meter.total_bytes(), kAllocationBound);
  };
  AdminAnswer answer;
  answer.text = "{}";
  const auto request = encode(AdminRequest{AdminKind::sync, 1, 2, "t"});
  for (const auto& good : {request, encode(answer)[0]}) {
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      judge(std::span(good).first(cut));
      EXPECT_FALSE(decode_admin_answer(std::span(good).first(cut)) &&
                   decode_admin_request(std::span(good).first(cut)))
          << cut;
    }
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
      auto bytes = good;
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      judge(bytes);
    }
  }
  EXPECT_TRUE(rc::check("any bytes", [&](const std::vector<std::uint8_t>& bytes) {
    judge(std::as_bytes(std::span(bytes)));
  }));
}

}  // namespace
}  // namespace dfs::wire
