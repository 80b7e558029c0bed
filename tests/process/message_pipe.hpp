// A pipe of small messages between a test and its client processes; what they wait on instead of a
// time.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <type_traits>

namespace dfs::test {

/// Messages of one type, each written and read whole. Any process, any thread.
template <class Message>
class MessagePipe {
 public:
  static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) <= 512);

  MessagePipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  MessagePipe(const MessagePipe&) = delete;
  MessagePipe& operator=(const MessagePipe&) = delete;
  ~MessagePipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  void send(const Message& message) const {
    if (::write(ends_[1], &message, sizeof message) != static_cast<::ssize_t>(sizeof message)) {
      throw std::runtime_error("write to a test's pipe");
    }
  }
  /// The next message; waits as long as it takes (the test's watchdog ends what hangs).
  [[nodiscard]] Message receive() const {
    for (;;) {
      Message message;
      const ::ssize_t n = ::read(ends_[0], &message, sizeof message);
      if (n == static_cast<::ssize_t>(sizeof message)) return message;
      if (n < 0 && errno == EINTR) continue;
      throw std::runtime_error("read from a test's pipe");
    }
  }
  /// The next message, if one is there.
  [[nodiscard]] std::optional<Message> poll() const {
    if (!readable(0)) return std::nullopt;
    return receive();
  }
  [[nodiscard]] bool readable(int timeout_ms) const {
    ::pollfd slot{ends_[0], POLLIN, 0};
    return ::poll(&slot, 1, timeout_ms) == 1;
  }
  [[nodiscard]] int read_end() const { return ends_[0]; }
  [[nodiscard]] int write_end() const { return ends_[1]; }

 private:
  int ends_[2];
};

}  // namespace dfs::test
