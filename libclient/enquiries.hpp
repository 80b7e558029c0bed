// Questions to the daemon on the socket, behind hello: descriptors of generations, the fate of
// commits, what an operator asks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/socket.hpp"
#include "common/wire/admin.hpp"

namespace dfs::client {

/// One socket on which any number of threads ask at once: of those that wait, one receives for all.
/// Threads: any.
class Enquiries {
 public:
  explicit Enquiries(os::Descriptor socket) : socket_(std::move(socket)) {}
  Enquiries(const Enquiries&) = delete;
  Enquiries& operator=(const Enquiries&) = delete;

  /// The process at the other end; 0 where it cannot be told.
  [[nodiscard]] std::int32_t process() const;

  struct Answer {
    wire::AdminStatus status = wire::AdminStatus::done;
    std::uint64_t number = 0;
    std::string text;
    os::Descriptor descriptor;
  };
  /// Asks, and waits for the answer. A refusal comes back as the error it names; daemon_gone where
  /// the other side has closed; timeout.
  [[nodiscard]] Result<Answer> ask(wire::AdminKind kind, std::uint64_t argument,
                                   os::Deadline deadline);

 private:
  struct Question {
    std::uint64_t serial = 0;
    Answer answer;
    errc code = errc::absent;
    bool answered = false;
  };
  void receive(std::unique_lock<std::mutex>& lock, os::Deadline deadline);
  void deliver(os::Packet packet);

  // Constant after construction.
  const os::Descriptor socket_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable received_;
  std::vector<Question*> open_;
  std::uint64_t next_serial_ = 1;
  bool receiving_ = false;  // a thread is in recvmsg for all
  bool ended_ = false;
};

}  // namespace dfs::client
