#include "common/wire/request_word.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/wire/client_memory.hpp"
#include "tests/wire/watchdog.hpp"

namespace dfs::wire {
namespace {

TEST(RequestWord, keeps_number_and_state_apart) {
  const std::uint64_t word = word_of(kMaxRequestNumber, WordState::withdrawn);
  EXPECT_EQ(number_of(word), kMaxRequestNumber);
  EXPECT_EQ(state_of(word), WordState::withdrawn);
  EXPECT_EQ(word_of(1, WordState::submitted), 5U);
}

TEST(RequestWord, fresh_page_has_4096_free_words_and_no_more) {
  ClientMemory memory;
  for (std::uint64_t n = 1; n <= kMaxInFlight; ++n) ASSERT_TRUE(submit(memory.page, n)) << n;
  EXPECT_FALSE(submit(memory.page, kMaxInFlight + 1));
  free_word(memory.page, 1);
  EXPECT_TRUE(submit(memory.page, kMaxInFlight + 1));
  EXPECT_FALSE(submit(memory.page, kMaxInFlight + 2));
}

TEST(RequestWord, taken_request_cannot_be_withdrawn) {
  ClientMemory memory;
  ASSERT_TRUE(submit(memory.page, 7));
  EXPECT_EQ(state(memory.page, 7), WordState::submitted);
  EXPECT_EQ(take(memory.page, 7), Taking::taken);
  EXPECT_EQ(withdraw(memory.page, 7), Withdrawal::taken);
  EXPECT_EQ(state(memory.page, 7), WordState::taken);
}

TEST(RequestWord, withdrawn_request_cannot_be_taken) {
  ClientMemory memory;
  ASSERT_TRUE(submit(memory.page, 7));
  EXPECT_EQ(withdraw(memory.page, 7), Withdrawal::withdrawn);
  EXPECT_EQ(take(memory.page, 7), Taking::withdrawn);
  EXPECT_EQ(state(memory.page, 7), WordState::withdrawn) << "taken would promise an answer";
}

TEST(RequestWord, taken_twice_or_never_submitted_is_broken) {
  ClientMemory memory;
  EXPECT_EQ(take(memory.page, 7), Taking::broken);
  ASSERT_TRUE(submit(memory.page, 8));
  EXPECT_EQ(take(memory.page, 8), Taking::taken);
  EXPECT_EQ(take(memory.page, 8), Taking::broken);
}

TEST(RequestWord, another_request_of_the_same_word_is_broken) {
  ClientMemory memory;
  ASSERT_TRUE(submit(memory.page, 7 + kMaxInFlight));
  EXPECT_EQ(state(memory.page, 7), WordState::free);
  EXPECT_EQ(take(memory.page, 7), Taking::broken);
  EXPECT_EQ(state(memory.page, 7 + kMaxInFlight), WordState::submitted) << "and is left alone";
}

TEST(RequestWord, any_number_finds_a_word_of_the_page) {
  ClientMemory memory;
  const std::uint64_t numbers[] = {0, 1, kMaxInFlight, kMaxRequestNumber, ~std::uint64_t{0}};
  for (const std::uint64_t number : numbers) {
    RequestWord* word = &word_for(memory.page, number);
    EXPECT_GE(word, memory.page.words.data());
    EXPECT_LT(word, memory.page.words.data() + kMaxInFlight);
  }
}

TEST(RequestWord, of_taker_and_withdrawer_exactly_one_is_first) {
  const Watchdog watchdog("the race for a word");
  constexpr std::uint64_t kRounds = 2'000;
  ClientMemory memory;
  std::atomic<std::uint64_t> round{0};
  std::atomic<std::uint64_t> ready{0};
  std::vector<Taking> takings(kRounds + 1);
  std::vector<Withdrawal> withdrawals(kRounds + 1);
  // The two meet before each round by spinning, so that their instructions fall together. Where
  // others want the processors, each round is a turn of the scheduler: hence no more of them.
  std::thread daemon([&] {
    for (std::uint64_t n = 1; n <= kRounds; ++n) {
      while (round.load() != n) std::this_thread::yield();
      takings[n] = take(memory.page, n);
      ready.fetch_add(1);
    }
  });
  for (std::uint64_t n = 1; n <= kRounds; ++n) {
    ASSERT_TRUE(submit(memory.page, n));
    round.store(n);
    // Some rounds let the taker go first, or this side would nearly always be first.
    for (std::uint64_t spin = 0; spin < n % 64; ++spin) static_cast<void>(ready.load());
    if (n % 2 == 0) std::this_thread::yield();
    withdrawals[n] = withdraw(memory.page, n);
    while (ready.load() != n) std::this_thread::yield();
    free_word(memory.page, n);
  }
  daemon.join();
  std::uint64_t taken = 0;
  for (std::uint64_t n = 1; n <= kRounds; ++n) {
    ASSERT_NE(takings[n], Taking::broken);
    ASSERT_EQ(takings[n] == Taking::taken, withdrawals[n] == Withdrawal::taken) << n;
    taken += takings[n] == Taking::taken ? 1 : 0;
  }
  RecordProperty("taken", std::to_string(taken));
  EXPECT_GT(taken, 0U) << "the taker was never first: this run proved nothing";
  EXPECT_LT(taken, kRounds) << "the withdrawer was never first: this run proved nothing";
}

}  // namespace
}  // namespace dfs::wire
