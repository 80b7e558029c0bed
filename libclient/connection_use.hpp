// What keeps a connection and its mappings for as long as it is used.
#pragma once

#include <utility>

#include "libclient/connection.hpp"

namespace dfs::client {

/// One use of a connection, or none. Threads: one at a time.
class ConnectionUse {
 public:
  ConnectionUse() noexcept = default;
  /// Takes over a use.
  explicit ConnectionUse(Connection* connection) noexcept : connection_(connection) {}
  ConnectionUse(ConnectionUse&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  ConnectionUse& operator=(ConnectionUse&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ConnectionUse(const ConnectionUse&) = delete;
  ConnectionUse& operator=(const ConnectionUse&) = delete;
  ~ConnectionUse() {
    if (connection_ != nullptr && !connection_->forked()) connection_->release();
  }

  explicit operator bool() const noexcept { return connection_ != nullptr; }
  [[nodiscard]] Connection* operator->() const noexcept { return connection_; }
  [[nodiscard]] Connection& operator*() const noexcept { return *connection_; }
  [[nodiscard]] Connection* get() const noexcept { return connection_; }
  [[nodiscard]] Connection* take() noexcept { return std::exchange(connection_, nullptr); }

 private:
  Connection* connection_ = nullptr;
};

}  // namespace dfs::client
