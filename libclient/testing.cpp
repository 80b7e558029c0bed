#include <dfs/admin.hpp>
#include <dfs/testing.hpp>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/limits.hpp"
#include "common/os/child.hpp"
#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/random.hpp"
#include "common/os/socket.hpp"
#include "libclient/starter.hpp"

namespace dfs::testing {

namespace {

// Shorter than it matters that a daemon outlives a test that was killed; longer than a restart.
constexpr const char* kIdleExit = "2s";
// A daemon that has nothing to read serves within milliseconds; this is for a loaded machine.
constexpr std::chrono::seconds kStartTime{60};
constexpr std::uint64_t kMemoryLimit = std::uint64_t{64} << 20;
constexpr std::chrono::milliseconds kSnapshotTtl{1};
constexpr std::uint64_t kLeastLogRoom = std::uint64_t{64} << 10;
// Behind every other text that is likely to be a key.
constexpr const char* kFiller = "~";

std::string program_of(const DaemonOptions& options) {
  if (!options.program.empty()) return options.program;
  const std::string named = os::environment("DFS_DAEMON");
  return named.empty() ? client::installed_daemon() : named;
}

std::vector<std::string> arguments_of(const DaemonOptions& options, const std::string& log) {
  std::vector<std::string> list{"--ready-fd", "3", "--idle-exit", kIdleExit};
  const auto add = [&list](const char* option, std::string value) {
    list.emplace_back(option);
    list.push_back(std::move(value));
  };
  const auto add_time = [&add](const char* option, const auto& time) {
    if (time) add(option, std::to_string(time->count()) + "ms");
  };
  if (!options.config.empty()) add("--config", options.config);
  const bool durable = options.durability == Durability::durable;
  add("--durability", durable ? "durable" : "written");
  add_time("--sync-interval", options.sync_interval);
  add_time("--compaction-interval", options.compaction_interval);
  add_time("--feed-retention", options.feed_retention);
  add_time("--snapshot-ttl", std::optional(options.snapshot_ttl.value_or(kSnapshotTtl)));
  add("--memory-limit", std::to_string(options.memory_limit.value_or(kMemoryLimit)));
  if (options.queue_bytes) add("--queue-bytes", std::to_string(*options.queue_bytes));
  if (!options.log_level.empty()) add("--log-level", options.log_level);
  list.push_back(log);
  return list;
}

/// What the daemon says up to the end of the pipe: `ok`, or why it does not serve.
Result<std::string> hear(int ready) {
  std::string words;
  for (;;) {
    auto packet = os::receive_packet(ready, os::Deadline::after(kStartTime));
    if (!packet) return std::move(packet).error();
    if (packet->end) return words;
    words += packet->bytes;
  }
}

}  // namespace

/// Members in the order in which they come to be.
struct TemporaryStore::State {
  DaemonOptions daemon;
  std::int32_t owner = os::process_id();
  std::string directory;
  std::string log;
  std::optional<os::Child> child;
  /// Connected as long as the daemon lives, so that it does not end for want of clients before the
  /// test does.
  std::optional<Store> own;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (os::process_id() != owner) return;
    own.reset();
    child.reset();
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
  }

  [[nodiscard]] Result<void> make_directory() {
    std::error_code code;
    const auto parent = std::filesystem::temp_directory_path(code);
    const std::string made = parent / ("dfs-testing-" + os::random_hex(8));
    if (code || !std::filesystem::create_directory(made, code)) {
      return Error::from_errno(code ? code.value() : EEXIST, "make " + made);
    }
    directory = made;
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, code);
    log = directory + "/store.db";
    return {};
  }

  [[nodiscard]] Result<void> start() {
    auto pair = os::make_pair();
    if (!pair) return std::move(pair).error();
    os::ChildRequest request;
    request.program = program_of(daemon);
    request.arguments = arguments_of(daemon, log);
    request.descriptors = {pair->theirs.get()};
    request.said_at = directory + "/said";
    auto started = os::Child::start(request);
    if (!started) {
      return Error(errc::no_daemon, std::string(started.error().text()) +
                                        "; name dfsd with DFS_DAEMON or DaemonOptions::program")
          .with_errno(started.error().system_error());
    }
    child.emplace(std::move(*started));
    pair->theirs.reset();  // so that the end of the daemon's is the end
    auto words = hear(pair->ours.get());
    if (!words) return std::move(words).error();
    if (*words == "ok\n") return connect();
    // Of a wrong setting it speaks before it knows the pipe.
    std::string why = words->empty() ? said() : *words;
    while (why.ends_with('\n')) why.pop_back();
    return Error(errc::no_daemon,
                 "the daemon did not start: " + (why.empty() ? "it ended without a word" : why));
  }

  [[nodiscard]] std::string said() const {
    auto file = os::File::open(directory + "/said", {});
    auto text = file ? file->read_all() : Result<std::string>(errc::absent);
    return text ? *text : std::string();
  }

  [[nodiscard]] Result<void> connect() {
    Options options;
    options.autostart = Autostart::never;
    options.origin = "dfs-testing";
    options.timeout = kStartTime;
    auto store = Store::open(log, std::move(options));
    if (!store) return std::move(store).error();
    own.emplace(std::move(*store));
    return {};
  }

  /// Sets fillers of one size until nothing of it fits.
  [[nodiscard]] Result<void> fill_with(std::uint64_t& number, std::size_t bytes) {
    const std::string value = bytes < 2 ? "0" : '"' + std::string(bytes - 2, '~') + '"';
    for (;;) {
      // The last ones change the first one over and over: what is left then holds no new key
      // either.
      const std::string key = bytes < 2 ? kFiller : kFiller + std::to_string(number++);
      const auto done = own->set(key, value);
      if (!done) return done.error() == errc::store_full ? Result<void>() : done.error();
    }
  }
};

Result<TemporaryStore> TemporaryStore::make(DaemonOptions daemon) {
  auto state = std::make_unique<State>();
  state->daemon = std::move(daemon);
  if (auto made = state->make_directory(); !made) return std::move(made).error();
  if (auto started = state->start(); !started) return std::move(started).error();
  return TemporaryStore(std::move(state));
}

TemporaryStore::TemporaryStore(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TemporaryStore::TemporaryStore(TemporaryStore&& other) noexcept = default;
TemporaryStore& TemporaryStore::operator=(TemporaryStore&& other) noexcept = default;
TemporaryStore::~TemporaryStore() = default;

const std::string& TemporaryStore::path() const noexcept { return state_->log; }

Result<Store> TemporaryStore::open(Options options) const {
  options.autostart = Autostart::never;
  return Store::open(state_->log, std::move(options));
}

std::string TemporaryStore::said() const { return state_->said(); }

void TemporaryStore::kill() noexcept {
  if (os::process_id() == state_->owner) state_->child.reset();
}

Result<void> TemporaryStore::stop() {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  if (auto going_on = state_->child->resume(); !going_on) return going_on;
  auto code = state_->child->terminate();
  state_->child.reset();
  if (!code) return std::move(code).error();
  if (*code == 0) return {};
  return Error(errc::daemon_gone, "the daemon ended with exit code " + std::to_string(*code));
}

Result<void> TemporaryStore::restart() {
  kill();
  return state_->start();
}

Result<void> TemporaryStore::pause() {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  return state_->child->pause();
}

Result<void> TemporaryStore::resume() {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  return state_->child->resume();
}

Result<void> TemporaryStore::fail_next_commit() {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  return state_->child->limit_file_size(0);
}

Result<void> TemporaryStore::limit_log(std::uint64_t bytes) {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  if (bytes < kLeastLogRoom) {
    return Error(errc::bad_argument,
                 "a daemon's own lines need " + std::to_string(kLeastLogRoom) + " bytes of its log")
        .with_limit(kLeastLogRoom);
  }
  auto status = os::status_of(state_->log);
  if (!status) return std::move(status).error();
  return state_->child->limit_file_size(status->size + bytes);
}

Result<void> TemporaryStore::fill() {
  if (!state_->own) return Error(errc::daemon_gone, "no daemon runs");
  std::uint64_t number = 0;
  const auto first = state_->own->set(kFiller, "0");
  if (!first && first.error() != errc::store_full) return first.error();
  for (std::size_t bytes = std::size_t{1} << 20; bytes > 1; bytes /= 8) {
    if (auto filled = state_->fill_with(number, bytes); !filled) return filled;
  }
  if (auto filled = state_->fill_with(number, 1); !filled) return filled;
  return {};
}

Result<void> TemporaryStore::revoke_snapshots() {
  if (!state_->own) return Error(errc::daemon_gone, "no daemon runs");
  // Something to compact, in a store in which nothing was set.
  if (auto set = state_->own->set(kFiller, "0"); !set) return std::move(set).error();
  if (auto erased = state_->own->erase(kFiller); !erased) return std::move(erased).error();
  // One more than there can be generations: the oldest give way to the newest.
  const Admin admin(*state_->own);
  for (std::size_t i = 0; i <= kGenerationSlots; ++i) {
    if (auto done = admin.compact(kStartTime); !done) return done;
  }
  return {};
}

Result<void> TemporaryStore::make_room() {
  if (!state_->child) return Error(errc::daemon_gone, "no daemon runs");
  if (auto lifted = state_->child->lift_file_size(); !lifted) return lifted;
  const Snapshot now = state_->own->snapshot();
  Batch batch;
  for (const Entry& filler : now.prefix(kFiller)) batch.erase(filler.key);
  if (batch.size() == 0) return {};
  if (auto erased = state_->own->submit(batch).wait(); !erased) return std::move(erased).error();
  state_->daemon.memory_limit = 2 * state_->daemon.memory_limit.value_or(kMemoryLimit);
  return restart();
}

}  // namespace dfs::testing
