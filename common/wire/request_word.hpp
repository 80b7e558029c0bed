// The word of a request: who is first, the writer that takes it or the client that gives it up.
//
// It lies in the client's page and not in the ring, where a long request would overwrite it. The
// writer takes a request by compare-and-exchange from submitted to taken, before its ring space is
// given back; a client that gives up withdraws it by compare-and-exchange from submitted to
// withdrawn. Both read and modify one word in one step, so one of them is first on every CPU.
// Withdrawn: nothing is written, ever. Taken: it will be answered.
#pragma once

#include <cstdint>

#include "common/wire/client_page.hpp"

namespace dfs::wire {

enum class WordState : std::uint8_t { free = 0, submitted = 1, taken = 2, withdrawn = 3 };

/// Numbers begin at 1 and rise; 62 bits of them last.
inline constexpr std::uint64_t kMaxRequestNumber = (std::uint64_t{1} << 62) - 1;

[[nodiscard]] constexpr std::uint64_t word_of(std::uint64_t number, WordState state) noexcept {
  return number << 2 | static_cast<std::uint64_t>(state);
}
[[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t word) noexcept { return word >> 2; }
[[nodiscard]] constexpr WordState state_of(std::uint64_t word) noexcept {
  return static_cast<WordState>(word & 3);
}

/// The word of that request: numbers are the client's, so any number must find one.
[[nodiscard]] inline RequestWord& word_for(ClientPage& page, std::uint64_t number) noexcept {
  return page.words[number % kMaxInFlight];
}

/// Client. Makes the word ready for `number`, before the first chunk of the request is pushed.
/// False: the request 4,096 numbers ago still has it, so too much is in flight (`busy`).
/// Requires: the caller's lock for this word; 1 <= number <= kMaxRequestNumber.
[[nodiscard]] bool submit(ClientPage& page, std::uint64_t number) noexcept;

/// Client. The request is over: its reply was read, or it was withdrawn and the daemon has given
/// back the ring space of its last chunk (request_head has passed it), which comes after `take`.
/// Earlier, `take` would find the word of the next request that uses it.
void free_word(ClientPage& page, std::uint64_t number) noexcept;

enum class Withdrawal : std::uint8_t {
  withdrawn,  ///< First: `timeout`, and it is never written.
  taken,      ///< Too late: wait until its reply is prepared, then `unknown` with the commit id.
};
/// Client. Gives up a submitted request.
[[nodiscard]] Withdrawal withdraw(ClientPage& page, std::uint64_t number) noexcept;

enum class Taking : std::uint8_t {
  taken,      ///< First: it will be answered.
  withdrawn,  ///< The client was first: drop it, answer nothing.
  broken,     ///< Not this request's word: the client broke the protocol, drop the client.
};
/// Daemon. Takes a request that has been received whole, or that is to be refused. Nothing of a
/// request is executed, and no reply to it is prepared, without this answering `taken`. Its ring
/// space is given back only afterwards. Requires: there is room for its reply.
[[nodiscard]] Taking take(ClientPage& page, std::uint64_t number) noexcept;

/// Client. How its request's word stands; for one that waits until its timeout.
[[nodiscard]] WordState state(const ClientPage& page, std::uint64_t number) noexcept;

}  // namespace dfs::wire
