// Several writes that happen together, without reading: one commit.
#pragma once

#include <dfs/expect.hpp>
#include <dfs/export.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace DFS_API dfs {

namespace client {
class Core;
class Writes;
}  // namespace client

/// Writes and checks to be submitted as one commit: all of them happen, or none. Keeps copies of
/// its arguments; a wrong one is kept and answered when it is submitted. May be submitted more than
/// once. Threads: one at a time.
class Batch {
 public:
  Batch();
  Batch(Batch&& other) noexcept;
  Batch& operator=(Batch&& other) noexcept;
  Batch(const Batch& other);
  Batch& operator=(const Batch& other);
  ~Batch();

  /// `value` is JSON text. A key written twice counts once, with the last value; expectations all
  /// count.
  Batch& set(std::string_view key, std::string_view value, Expect expect = expect_any);
  Batch& erase(std::string_view key, Expect expect = expect_any);
  /// Refuses the commit with version_mismatch unless the key is as expected right before it.
  Batch& check(std::string_view key, Expect expect);

  /// Keys written and checks so far; of a key that is written again with an expectation, that too.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class client::Core;
  std::unique_ptr<client::Writes> writes_;
};

}  // namespace dfs
