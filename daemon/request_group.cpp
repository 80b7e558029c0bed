#include "daemon/request_group.hpp"

#include <algorithm>
#include <utility>

namespace dfs::daemon {

void RequestGroup::receive(Session& session, Session::Receiving& with, std::size_t most,
                           const index::IndexWriter& index) {
  places_.clear();
  count_ = 0;
  std::array<ShortRequest, kMost> received;
  const std::size_t count = session.receive_short(with, std::span(received).first(most));
  for (std::size_t i = 0; i < count; ++i) {
    group_[i].number = received[i].number;
    decode(received[i].bytes, index);
  }
  end_ = Received::request;
  if (count < most) {
    // What is large waits for no more, and nothing for it.
    ReceivedRequest other;
    wire::Refusal refusal;
    end_ = session.receive(with, other, refusal);
    group_[count].number = other.number;
    if (end_ == Received::refusal) group_[count].malformed = refusal;
    if (end_ == Received::request) {
      buffers_.push_back(std::move(other.buffer));
      decode(buffers_.back().bytes(), index);
    }
  }
  for (index::Location& place : places_) index.prefetch_record(place);
}

void RequestGroup::decode(std::span<const std::byte> bytes, const index::IndexWriter& index) {
  Taken& taken = group_[count_++];
  taken.malformed = wire::decode(archive_, bytes, taken.request);
  taken.first_place = places_.size();
  if (!taken.malformed) prefetch(taken.request, index);
}

void RequestGroup::prefetch(const wire::CommitRequest& request, const index::IndexWriter& index) {
  // More than a few keys would push each other out again.
  constexpr std::size_t kKeys = 4;
  const auto one = [&](std::string_view key) {
    index::Location place;
    place.hash = index.hash(key);
    index.prefetch(place.hash);
    places_.push_back(place);
  };
  for (std::size_t i = 0; i < std::min(kKeys, request.reads.size()); ++i) {
    one(request.reads[i].key);
  }
  for (std::size_t i = 0; i < std::min(kKeys, request.writes.size()); ++i) {
    one(request.writes[i].key);
  }
}

void RequestGroup::clear() {
  intake_.clear();
  buffers_.clear();
}

}  // namespace dfs::daemon
