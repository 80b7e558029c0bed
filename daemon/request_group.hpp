// Requests as the writer receives them: sixteen of one client at a time, all taken and decoded
// before the first is checked, so that what their keys lead to in the index is loaded side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/index/writer.hpp"
#include "common/wire/request.hpp"
#include "daemon/intake.hpp"
#include "daemon/session.hpp"

namespace dfs::daemon {

/// Threads: the writer.
class RequestGroup {
 public:
  static constexpr std::size_t kMost = 16;
  struct Taken {
    std::uint64_t number = 0;
    wire::CommitRequest request;  ///< its views last until `clear`
    std::optional<wire::Refusal> malformed;
    std::size_t first_place = 0;  ///< of its keys, among those of the group
  };

  /// Receives up to `most` of a client's next requests, instead of those before. Requires: `with`
  /// has this group's intake; `most` is at most kMost, and not 0.
  void receive(Session& session, Session::Receiving& with, std::size_t most,
               const index::IndexWriter& index);
  [[nodiscard]] std::span<const Taken> requests() const { return std::span(group_).first(count_); }
  /// Why no more came; Received::request: nobody has looked.
  [[nodiscard]] Received end() const { return end_; }
  /// The one to be refused, behind the others. Requires: so says `end`.
  [[nodiscard]] const Taken& refused() const { return group_[count_]; }
  /// Where the key of a single write seems to be; nothing of another request.
  [[nodiscard]] index::Location likely(const Taken& taken) const {
    return taken.request.is_one_write() ? places_[taken.first_place] : index::Location{};
  }

  [[nodiscard]] Intake& intake() { return intake_; }
  /// The batch is done with: so is what its views point into.
  void clear();

 private:
  void decode(std::span<const std::byte> bytes, const index::IndexWriter& index);
  void prefetch(const wire::CommitRequest& request, const index::IndexWriter& index);

  wire::InputArchive archive_;
  std::array<Taken, kMost> group_;
  std::size_t count_ = 0;
  std::vector<index::Location> places_;  // of its keys: where they seem to be
  Received end_ = Received::nothing;
  Intake intake_;                      // what the batch's views point into,
  std::vector<wire::Buffer> buffers_;  // with these
};

}  // namespace dfs::daemon
