#include "common/wire/request_word.hpp"

#include "common/base/assert.hpp"

namespace dfs::wire {

bool submit(ClientPage& page, std::uint64_t number) noexcept {
  DFS_ASSERT(number >= 1 && number <= kMaxRequestNumber, "a request's number fits its word");
  RequestWord& word = word_for(page, number);
  // Relaxed: under the caller's lock only this thread makes a word free or submitted.
  if (state_of(word.load(std::memory_order_relaxed)) != WordState::free) return false;
  // Relaxed: the push of the request's chunk follows, and the tail's store orders this before it.
  // SYNC POINT: ClientPage::request_tail, RequestProducer::try_push -> RequestConsumer::look.
  word.store(word_of(number, WordState::submitted), std::memory_order_relaxed);
  return true;
}

void free_word(ClientPage& page, std::uint64_t number) noexcept {
  // Relaxed: the daemon's `take` of this number comes before this in the word's order, since the
  // client saw, by an acquire, the reply that was released or the head that was moved after it.
  word_for(page, number).store(word_of(number, WordState::free), std::memory_order_relaxed);
}

Withdrawal withdraw(ClientPage& page, std::uint64_t number) noexcept {
  std::uint64_t expected = word_of(number, WordState::submitted);
  // That one of the two is first needs no order, only that both read and modify the same word in
  // one step. acq_rel, so that the second also sees what the first had done before.
  // SYNC POINT: with the compare-and-exchange in `take`.
  const bool first =
      word_for(page, number)
          .compare_exchange_strong(expected, word_of(number, WordState::withdrawn),
                                   std::memory_order_acq_rel, std::memory_order_acquire);
  return first ? Withdrawal::withdrawn : Withdrawal::taken;
}

Taking take(ClientPage& page, std::uint64_t number) noexcept {
  std::uint64_t found = word_of(number, WordState::submitted);
  // Once, not in a loop, so a client that scribbles cannot make it repeat. Compare-and-exchange,
  // not a plain exchange: a withdrawn word must stay withdrawn, or the client would take it for
  // one that will be answered and never free it. acq_rel: as in `withdraw`.
  // SYNC POINT: with the compare-and-exchange in `withdraw`.
  const bool first =
      word_for(page, number)
          .compare_exchange_strong(found, word_of(number, WordState::taken),
                                   std::memory_order_acq_rel, std::memory_order_acquire);
  if (first) return Taking::taken;
  if (found == word_of(number, WordState::withdrawn)) return Taking::withdrawn;
  return Taking::broken;
}

WordState state(const ClientPage& page, std::uint64_t number) noexcept {
  // Acquire: who finds `taken` goes on to look at the prepared end.
  const std::uint64_t word = page.words[number % kMaxInFlight].load(std::memory_order_acquire);
  return number_of(word) == number ? state_of(word) : WordState::free;
}

}  // namespace dfs::wire
