#include "common/wire/encoded_request.hpp"

#include <cstring>

namespace dfs::wire {

bool EncodedRequest::encode(const CommitRequest& request) {
  if (const std::size_t bytes = one_write_bytes(request); bytes > 0) {
    std::byte* to = place(bytes);
    if (to != nullptr) encode_one_write(request, to);
    return to != nullptr;
  }
  OutputArchive archive(kMaxRequestBytes);
  wire::encode(request, archive);
  if (archive.failed()) return false;
  std::byte* to = place(archive.bytes().size());
  if (to != nullptr) std::memcpy(to, archive.bytes().data(), archive.bytes().size());
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
