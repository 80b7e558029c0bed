// What an acknowledged set costs at least: the bytes of a line appended to a file, and synced where
// it is to be durable. It finds nothing again.
#include <dfs/result.hpp>

#include "bench/peer.hpp"
#include "common/os/file.hpp"

namespace dfs::bench {

namespace {

/// What a log writes around key and value: names of members, numbers, checksum.
constexpr std::size_t kFrameBytes = 95;

class BarePeer final : public Peer {
 public:
  explicit BarePeer(const Opening& opening)
      : durable_(opening.durable),
        file_(os::File::open(opening.path, {.write = true, .create = true}).value()),
        end_(file_.status().value().size) {}

  void set(std::string_view key, std::string_view value) override {
    line_.assign(kFrameBytes, ' ').append(key).append(value).back() = '\n';
    file_.write_at(line_, end_).value();
    if (durable_) file_.sync_data().value();
    end_ += line_.size();
  }

 private:
  // Constant after construction.
  bool durable_;
  os::File file_;

  std::uint64_t end_;
  std::string line_;
};

}  // namespace

std::unique_ptr<Peer> open_bare(const Opening& opening) {
  return std::make_unique<BarePeer>(opening);
}

}  // namespace dfs::bench
