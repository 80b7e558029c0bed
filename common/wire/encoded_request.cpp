#include "common/wire/encoded_request.hpp"

#include <cstring>

#include "common/wire/one_write.hpp"

namespace dfs::wire {

bool EncodedRequest::encode(const CommitRequest& request) {
  OutputArchive archive(kMaxRequestBytes);
  wire::encode(request, archive);
  if (archive.failed()) return false;
  std::byte* to = place(archive.bytes().size());
  if (to != nullptr) std::memcpy(to, archive.bytes().data(), archive.bytes().size());
  return to != nullptr;
}

bool EncodedRequest::encode(const Write& write, bool durable) {
  std::byte* to = place(one_write_bytes(write));
  if (to != nullptr) encode_one_write(write, durable, to);
  return to != nullptr;
}

std::byte* EncodedRequest::place(std::size_t bytes) {
  std::byte* to = short_.data();
  if (bytes > kShortBytes) {
    if (!long_.reserve(bytes)) return nullptr;
    long_.resize(bytes);
    to = long_.begin();
  }
  size_ = bytes;
  return to;
}

}  // namespace dfs::wire
