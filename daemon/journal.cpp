#include "daemon/journal.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/os/file.hpp"
#include "common/os/supervisor.hpp"

namespace dfs::daemon {

namespace {

constexpr const char* kWithTime = "%Y-%m-%dT%H:%M:%S.%e dfsd[%P] %l: %v";
// `%*` is the priority below.
constexpr const char* kForJournal = "%*%v";

/// `<4>`: the priority in front of a line, by which journald sorts (sd-daemon(3)).
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    const char priority = message.level >= spdlog::level::err    ? '3'
                          : message.level >= spdlog::level::warn ? '4'
                          : message.level >= spdlog::level::info ? '6'
                                                                 : '7';
    for (const char c : {'<', priority, '>'}) out.push_back(c);
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

spdlog::sink_ptr standard_error() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Priority>('*');
  formatter->set_pattern(os::standard_error_is_journal() ? kForJournal : kWithTime);
  sink->set_formatter(std::move(formatter));
  return sink;
}

/// One line a message: a text may hold a name with a line break.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

Error not_writable(const std::string& file, std::string_view why) {
  return Error(errc::bad_argument, "cannot write the log file " + file + ": " + one_line(why));
}

}  // namespace

struct Journal::Log {
  // Behind it, what is written to can change while others write.
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sink =
      std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"dfsd", sink};

  void say(spdlog::level::level_enum level, std::string_view text) {
    if (logger.should_log(level)) logger.log(level, "{}", one_line(text));
  }
};

Journal::Journal() : log_(std::make_unique<Log>()) {
  log_->sink->set_sinks({standard_error()});
  log_->logger.flush_on(spdlog::level::trace);
}

Journal::~Journal() = default;

Result<void> Journal::set(const Settings& settings) {
  if (settings.file.empty()) {
    log_->sink->set_sinks({standard_error()});
  } else {
    // Asked for here, since the sink would make it, and nobody look for it there.
    const std::string directory = os::directory_of(settings.file);
    if (const auto there = os::status_of(directory); !there && there.error() == errc::absent) {
      return not_writable(settings.file, "there is no directory " + directory);
    }
    try {
      auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          settings.file, settings.file_bytes, settings.kept_files);
      file->set_pattern(kWithTime);
      log_->sink->set_sinks({std::move(file)});
    } catch (const spdlog::spdlog_ex& e) {
      return not_writable(settings.file, e.what());
    }
  }
  log_->logger.set_level(spdlog::level::from_str(settings.level));
  return {};
}

void Journal::debug(std::string_view text) { log_->say(spdlog::level::debug, text); }
void Journal::info(std::string_view text) { log_->say(spdlog::level::info, text); }
void Journal::warn(std::string_view text) { log_->say(spdlog::level::warn, text); }
void Journal::error(std::string_view text) { log_->say(spdlog::level::err, text); }

}  // namespace dfs::daemon
