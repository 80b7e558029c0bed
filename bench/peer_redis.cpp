// Redis over its Unix socket, with hiredis. Its server is started with what `bench/servers.py`
// says; it keeps no snapshots, so what is "held" is the newest state.
#include <hiredis/hiredis.h>

#include <charconv>
#include <vector>

#include "bench/peer.hpp"

namespace dfs::bench {

namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};

class RedisPeer final : public Peer {
 public:
  explicit RedisPeer(const Opening& opening) : context_(redisConnectUnix(opening.path.c_str())) {
    if (context_ == nullptr || context_->err != 0) {
      throw std::runtime_error("redis: cannot connect to " + opening.path);
    }
  }

  void hold() override {}

  std::string_view get(std::string_view key) override {
    append({"GET", key});
    last_ = reply();
    return text_of(*last_);
  }

  void get_many(std::span<const std::string_view> keys,
                std::span<std::string_view> values) override {
    words_.assign(1, "MGET");
    words_.insert(words_.end(), keys.begin(), keys.end());
    append(words_);
    last_ = reply();
    for (std::size_t i = 0; i < keys.size(); ++i) values[i] = text_of(*last_->element[i]);
  }

  void copy(std::string_view key, std::string& value) override { value.assign(get(key)); }

  void set(std::string_view key, std::string_view value) override {
    append({"SET", key, value});
    reply();
  }

  /// Half of what is in flight is sent, and half read, at a time: a write for each single set would
  /// cost Redis a read each.
  std::size_t submit(std::string_view key, std::string_view value) override {
    const std::size_t done = in_flight_ == kInFlight ? collect(kInFlight / 2) : 0;
    append({"SET", key, value});
    ++in_flight_;
    return done;
  }
  std::size_t drain() override { return collect(in_flight_); }

  std::size_t transact(const Pair& pair) override {
    for (std::size_t attempts = 1;; ++attempts) {
      append({"WATCH", pair.first_key, pair.second_key});
      append({"GET", pair.first_key});
      append({"GET", pair.second_key});
      reply();
      first_.assign(text_of(*reply()));
      second_.assign(text_of(*reply()));
      append({"MULTI"});
      append({"SET", pair.first_key, pair.first_value});
      append({"SET", pair.second_key, pair.second_value});
      append({"EXEC"});
      for (int i = 0; i < 3; ++i) reply();
      if (reply()->type == REDIS_REPLY_ARRAY) return attempts;
    }
  }

  std::uint64_t memory() override {
    append({"INFO", "memory"});
    const Reply answer = reply();
    constexpr std::string_view kName = "used_memory:";
    const std::string_view text = text_of(*answer);
    const std::size_t at = text.find(kName);
    std::uint64_t bytes = 0;
    if (at != std::string_view::npos) {
      const std::string_view number = text.substr(at + kName.size());
      std::from_chars(number.data(), number.data() + number.size(), bytes);
    }
    return bytes;
  }

 private:
  static std::string_view text_of(const redisReply& reply) {
    return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
  }

  void append(std::span<const std::string_view> words) {
    pointers_.clear();
    sizes_.clear();
    for (const std::string_view word : words) {
      pointers_.push_back(word.data());
      sizes_.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), pointers_.data(),
                           sizes_.data());
  }
  void append(std::initializer_list<std::string_view> words) {
    append(std::span<const std::string_view>(words.begin(), words.size()));
  }

  Reply reply() {
    void* answer = nullptr;
    if (redisGetReply(context_.get(), &answer) != REDIS_OK) {
      throw std::runtime_error(std::string("redis: ") + static_cast<const char*>(context_->errstr));
    }
    Reply got(static_cast<redisReply*>(answer));
    if (got->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string(text_of(*got)));
    return got;
  }

  std::size_t collect(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) reply();
    in_flight_ -= count;
    return count;
  }

  std::unique_ptr<redisContext, FreeContext> context_;
  Reply last_;
  std::size_t in_flight_ = 0;
  std::vector<std::string_view> words_;
  std::vector<const char*> pointers_;
  std::vector<std::size_t> sizes_;
  std::string first_;
  std::string second_;
};

}  // namespace

std::unique_ptr<Peer> open_redis(const Opening& opening) {
  return std::make_unique<RedisPeer>(opening);
}

}  // namespace dfs::bench
