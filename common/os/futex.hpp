// Sleeping at a word that processes share (futex): one system call to sleep, one to wake.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace dfs::os {

/// Sleeps as long as `word` is `value`, until `wake_at`, but not longer than `longest`; may return
/// for nothing.
void sleep_at(const std::atomic<std::uint32_t>& word, std::uint32_t value,
              std::chrono::nanoseconds longest) noexcept;
/// Ends the sleep of all that sleep at `word`, in any process. Never waits, and never raises: at a
/// word whose memory is gone nobody sleeps.
void wake_at(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace dfs::os
