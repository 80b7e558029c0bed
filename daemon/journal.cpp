#include "daemon/journal.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace dfs::daemon {

namespace {
constexpr const char* kName = "dfsd";
}

Journal::Journal(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt(kName);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %n[%P] %l: %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::trace);
}

Journal::~Journal() { spdlog::drop(kName); }

void Journal::info(std::string_view text) { spdlog::get(kName)->info("{}", text); }
void Journal::warn(std::string_view text) { spdlog::get(kName)->warn("{}", text); }
void Journal::error(std::string_view text) { spdlog::get(kName)->error("{}", text); }

bool Journal::is_level(const std::string& level) {
  static constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                           "warn",  "error", "off"};
  return std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end();
}

}  // namespace dfs::daemon
