// dfsd: makes everything that a daemon consists of, by hand, once, in the order in which a write
// goes through it.
#include <iostream>
#include <optional>

#include "common/os/bus_guard.hpp"
#include "common/os/process.hpp"
#include "common/os/supervisor.hpp"
#include "daemon/config.hpp"
#include "daemon/journal.hpp"
#include "daemon/live_settings.hpp"
#include "daemon/lock_file.hpp"
#include "daemon/opening.hpp"
#include "daemon/published_socket.hpp"
#include "daemon/reception.hpp"
#include "daemon/service.hpp"

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

/// What main has made before there is a store.
struct Surroundings {
  const ParsedOptions& parsed;
  const Options& configured;  ///< as they were read
  Options& options;           ///< as they hold
  Journal& journal;
  ReadyPipe& ready;
  Pulse& pulse;
  Service& service;
  int signals = -1;
};

Result<std::optional<os::PassedSocket>> take_passed_socket(const Options& options) {
  // One that a client started is no service, whatever the client is.
  if (options.detach) return std::optional<os::PassedSocket>();
  return os::take_passed_socket();
}

Result<PublishedSocket> publish_socket(Options& options, std::optional<os::PassedSocket> passed) {
  auto socket = passed ? PublishedSocket::pass_on(std::move(*passed), options)
                       : PublishedSocket::listen(options);
  if (socket) options.socket = socket->path();
  return socket;
}

void begin_counting(Counters& counters, const OpenedStore& store) {
  counters.live_keys = store.generation->index().live_keys();
  counters.live_bytes = store.generation->index().live_bytes();
  counters.used_bytes = store.generation->index().used();
  counters.log_bytes = store.log->end();
}

/// Serves until the end; an error is one that kept it from serving.
Result<WriterEnd> serve(const Surroundings& around) {
  Options& options = around.options;
  Journal& journal = around.journal;
  Service& service = around.service;
  auto passed = take_passed_socket(options);
  if (!passed) return std::move(passed).error();
  auto lock = LockFile::take(options.store, options.lock_fd);
  if (!lock) return std::move(lock).error();
  const os::ForkMark mark;
  std::optional<Extension> slowly(std::in_place, service.supervisor(), around.pulse,
                                  "reading " + options.store, Extension::Times());
  // It reads a whole log: only a disk that answers nothing for minutes is a hang.
  around.pulse.now(Doing::in_kernel);
  auto store = open_store({options, mark, around.pulse});
  if (!store) return std::move(store).error();
  for (const std::string& notice : store->notices) journal.warn(notice);

  auto news = os::Event::make();
  if (!news) return std::move(news).error();
  Counters counters;
  begin_counting(counters, *store);
  Ledger ledger(store->gaps, store->start.last);
  Generations generations(store->control->page(), std::move(store->budget),
                          std::move(store->generation), mark);
  Writer* writer_for_syncer = nullptr;
  Syncer syncer(
      *store->log, store->control->page(), counters,
      {options.durability == Durability::written, options.sync_interval}, [&news] { news->ring(); },
      [&writer_for_syncer](const Error&) { writer_for_syncer->fail(); });
  Compactor compactor(
      {journal, generations, *store->log, ledger, counters, syncer, store->store_id,
       store->start.floors},
      compactor_settings(options), [&writer_for_syncer] { writer_for_syncer->wake(); },
      [&news] { news->ring(); });
  auto writer = Writer::make({options, *store->log, generations, compactor, store->control->page(),
                              ledger, syncer, counters, mark, around.pulse, std::move(store->go)},
                             std::move(store->start), [&news] { news->ring(); });
  if (!writer) return std::move(writer).error();
  writer_for_syncer = writer->get();
  if (auto started = (*writer)->start(); !started) return std::move(started).error();

  auto socket = publish_socket(options, std::move(*passed));
  if (!socket) return std::move(socket).error();
  if (auto described = lock->describe(options.socket); !described)
    return std::move(described).error();
  LiveSettings settings({around.parsed, options, around.configured, journal, syncer, generations,
                         compactor, **writer, counters});
  auto reception = Reception::make({options, journal, *store, generations, compactor, ledger,
                                    syncer, counters, **writer, mark, service, settings,
                                    around.pulse, socket->fd(), around.signals, *news});
  if (!reception) return std::move(reception).error();
  const std::string serving = "serving " + options.store + ", " + std::to_string(store->records) +
                              " records, at " + options.socket;
  journal.info(serving);
  const std::string narrow = narrowness(generations.budget(), counters.live_bytes);
  if (!narrow.empty()) journal.warn(narrow);
  slowly.reset();
  compactor.start();
  around.ready.say("ok\n");
  service.ready(serving);
  if (options.detach) os::forget_starter();
  (*reception)->run();

  // First, so that who comes now finds nobody and waits for the lock, instead of queueing for an
  // answer that nobody gives.
  socket->withdraw();
  service.stopping("finishing the last batch of " + options.store);
  slowly.emplace(service.supervisor(), around.pulse, "ending", Extension::Times{.watched = true});
  (*writer)->stop();
  WriterEnd end = (*writer)->join();
  compactor.stop();
  syncer.stop();
  if (end.exit_code != 0) journal.error("writing stopped: " + end.reason);
  if (end.exit_code != 0) os::exit_now(kExitWritingStopped);
  return end;
}

/// The settings to begin with; the journal speaks by them from then on.
Result<Configuration> begin_settings(const ParsedOptions& parsed, Journal& journal) {
  auto read = configure(parsed);
  if (!read) return read;
  if (!read->complaints.empty()) return error_of(*read);
  if (auto done = journal.set(journal_settings(read->options)); !done)
    return std::move(done).error();
  if (!read->file.empty()) journal.info("its config is " + read->file);
  return read;
}

/// Why it does not serve, to all who listen.
int give_up(const Error& error, const Surroundings& around) {
  const std::string text(error.text());
  // Whoever hears the pipe says it in its own form, on the same standard error.
  if (!around.ready.is_heard()) around.journal.error(text);
  around.ready.say("error " + std::string(name(error.code())) +
                   " line=" + std::to_string(error.line()) +
                   " offset=" + std::to_string(error.offset()) + " " + text + "\n");
  around.service.stopping("does not serve: " + text);
  return exit_code(error.code());
}

/// What was to be handed on and is not there: a file opened later would be taken for it.
std::string not_handed_on(const Options& options) {
  const auto missing = [](int fd) { return fd != kNoDescriptor && !os::is_open(fd); };
  const bool ready = missing(options.ready_fd);
  if (!ready && !missing(options.lock_fd)) return {};
  return (ready ? "--ready-fd " + std::to_string(options.ready_fd)
                : "--lock-fd " + std::to_string(options.lock_fd)) +
         ": no descriptor of that number is open; who starts dfsd so hands one on";
}

int run(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = parse_options(arguments);
  if (parsed.finished) return parsed.exit_code;
  if (parsed.task != Task::serve) return show_config(parsed);
  if (const std::string wrong = not_handed_on(parsed.options); !wrong.empty()) {
    std::cerr << "dfsd: " << wrong << "\n";
    return exit_code(errc::bad_argument);
  }
  const bool detach = parsed.options.detach;
  if (detach) {
    if (auto detached = os::detach(); !detached) {
      std::cerr << "dfsd: " << detached.error().text() << "\n";
      return exit_code(detached.error().code());
    }
  }
  ReadyPipe ready(parsed.options.ready_fd);
  Journal journal;
  os::ignore_write_signals();
  os::install_bus_guard();
  static_cast<void>(os::raise_open_files());
  Pulse pulse;
  // A daemon that a client started must not speak in the name of the client's service.
  Service service(detach ? os::Supervisor() : os::Supervisor::from_environment(), journal, pulse);
  auto signals = os::catch_daemon_signals();
  auto read = begin_settings(parsed, journal);
  const Options configured = read ? read->options : parsed.options;
  Options options = configured;
  const Surroundings around{parsed, configured, options, journal,
                            ready,  pulse,      service, signals ? signals->get() : -1};
  if (!signals) return give_up(signals.error(), around);
  if (!read) return give_up(read.error(), around);
  auto served = serve(around);
  if (!served) return give_up(served.error(), around);
  journal.info("ended");
  return served->exit_code;
}

}  // namespace
}  // namespace dfs::daemon

int main(int argc, char** argv) {
  return dfs::daemon::run(std::vector<std::string>(argv + 1, argv + argc));
}
