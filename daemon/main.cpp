// dfsd: makes everything that a daemon consists of, by hand, once, in the order in which a write
// goes through it.
#include <iostream>
#include <optional>

#include "common/os/bus_guard.hpp"
#include "common/os/process.hpp"
#include "daemon/journal.hpp"
#include "daemon/lock_file.hpp"
#include "daemon/opening.hpp"
#include "daemon/reception.hpp"

namespace dfs::daemon {
namespace {

// sysexits.h's EX_IOERR: a sync failed, nothing is written until a restart (I9).
constexpr int kExitWritingStopped = 74;

/// Tells whoever started this daemon how it went: `ok`, or the error; then closes the pipe.
class ReadyPipe {
 public:
  explicit ReadyPipe(int fd) : pipe_(os::File::adopt(os::Descriptor(fd), "ready pipe")) {}
  [[nodiscard]] bool is_heard() const { return pipe_.is_open(); }
  void say(std::string_view text) {
    if (!pipe_.is_open()) return;
    static_cast<void>(pipe_.write_stream(text));
    pipe_.close();
  }

 private:
  os::File pipe_;
};

/// Removes the socket while the lock is still held, so that no successor's is removed.
class PublishedSocket {
 public:
  static Result<PublishedSocket> at(const Options& options) {
    auto fd = os::listen_at(options.socket);
    if (!fd) return std::move(fd).error();
    PublishedSocket socket(std::move(*fd), options.socket);
    const std::string beside = options.store + ".socket";
    if (options.socket != beside) {
      // Clients look beside the log and nowhere else.
      if (auto gone = os::remove(beside); !gone) return std::move(gone).error();
      if (auto linked = os::symlink(options.socket, beside); !linked)
        return std::move(linked).error();
      socket.link_ = beside;
    }
    return socket;
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void withdraw() {
    static_cast<void>(os::remove(path_));
    if (!link_.empty()) static_cast<void>(os::remove(link_));
  }

 private:
  PublishedSocket(os::Descriptor fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}
  os::Descriptor fd_;
  std::string path_;
  std::string link_;
};

struct Failure {
  int exit_code = 1;
  std::string text;
};

Failure failure_of(const Error& error) {
  return {exit_code(error.code()), std::string(error.text())};
}

/// Serves until the end; an error is one that kept it from serving.
Result<WriterEnd> serve(const Options& options, Journal& journal, ReadyPipe& ready, int signals) {
  auto lock = LockFile::take(options.store, options.lock_fd);
  if (!lock) return std::move(lock).error();
  const os::ForkMark mark;
  auto store = open_store(options, mark);
  if (!store) return std::move(store).error();
  for (const std::string& notice : store->notices) journal.warn(notice);

  auto news = os::Event::make();
  if (!news) return std::move(news).error();
  Counters counters;
  counters.live_keys = store->generation->index().live_keys();
  counters.live_bytes = store->generation->index().live_bytes();
  counters.used_bytes = store->generation->index().used();
  counters.log_bytes = store->log->end();
  Ledger ledger(store->gaps, store->start.last);
  Writer* writer_for_syncer = nullptr;
  Syncer syncer(
      *store->log, store->control->page(), counters,
      {options.durability == Durability::written, options.sync_interval}, [&news] { news->ring(); },
      [&writer_for_syncer](const Error&) { writer_for_syncer->fail(); });
  auto writer = Writer::make({options, *store->log, *store->generation, store->control->page(),
                              ledger, syncer, counters, mark, std::move(store->go)},
                             std::move(store->start), [&news] { news->ring(); });
  if (!writer) return std::move(writer).error();
  writer_for_syncer = writer->get();
  if (auto started = (*writer)->start(); !started) return std::move(started).error();

  auto socket = PublishedSocket::at(options);
  if (!socket) return std::move(socket).error();
  if (auto described = lock->describe(options.socket); !described)
    return std::move(described).error();
  auto reception = Reception::make({options, journal, *store, ledger, syncer, counters, **writer,
                                    mark, socket->fd(), signals, *news});
  if (!reception) return std::move(reception).error();
  journal.info("serving " + options.store + ", " + std::to_string(store->records) +
               " records, at " + options.socket);
  ready.say("ok\n");
  if (options.detach) os::forget_standard_error();
  (*reception)->run();

  (*writer)->stop();
  WriterEnd end = (*writer)->join();
  syncer.stop();
  if (end.exit_code != 0) journal.error("writing stopped: " + end.reason);
  // A failed daemon's socket stays, refusing, until its successor replaces it; either way the lock
  // is still held.
  socket->withdraw();
  if (end.exit_code != 0) os::exit_now(kExitWritingStopped);
  return end;
}

int run(const std::vector<std::string>& arguments) {
  ParsedOptions parsed = parse_options(arguments);
  if (parsed.finished) return parsed.exit_code;
  Options& options = parsed.options;
  if (options.socket.empty()) options.socket = options.store + ".socket";
  if (options.detach) {
    if (auto detached = os::detach(); !detached) {
      std::cerr << "dfsd: " << detached.error().text() << "\n";
      return exit_code(detached.error().code());
    }
  }
  ReadyPipe ready(options.ready_fd);
  Journal journal(options.detach && options.log_level == "info" ? "warn" : options.log_level);
  os::ignore_write_signals();
  os::install_bus_guard();
  static_cast<void>(os::raise_open_files());
  auto signals = os::catch_ending_signals();
  std::optional<Error> failed;
  if (!signals) {
    failed = signals.error();
  } else if (auto served = serve(options, journal, ready, signals->get()); !served) {
    failed = served.error();
  } else {
    journal.info("ended");
    return served->exit_code;
  }
  const Failure failure = failure_of(*failed);
  // Whoever hears the pipe says it in its own form, on the same standard error.
  if (!ready.is_heard()) journal.error(failure.text);
  ready.say("error " + std::string(name(failed->code())) + " " + failure.text + "\n");
  return failure.exit_code;
}

}  // namespace
}  // namespace dfs::daemon

int main(int argc, char** argv) {
  return dfs::daemon::run(std::vector<std::string>(argv + 1, argv + argc));
}
