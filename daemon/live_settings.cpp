#include "daemon/live_settings.hpp"

#include "daemon/setting.hpp"

namespace dfs::daemon {

Journal::Settings journal_settings(const Options& options) {
  // The client that starts a daemon has a terminal of its own, where only trouble belongs.
  const bool quiet = options.detach && options.log_file.empty() && options.log_level == "info";
  return {quiet ? "warn" : options.log_level, options.log_file, options.log_file_size,
          options.log_file_count};
}

Result<Configuration> LiveSettings::read() const {
  auto read = configure(parts_.parsed);
  if (!read) return read;
  if (!read->complaints.empty()) {
    for (const Complaint& complaint : read->complaints) {
      parts_.journal.error(text_of(*read, complaint));
    }
    return error_of(*read);
  }
  const std::uint64_t limit = read->options.memory_limit;
  // What is used, and what the next generation needs beside it.
  const std::uint64_t needed = parts_.counters.used_bytes.load(std::memory_order_relaxed) +
                               parts_.counters.live_bytes.load(std::memory_order_relaxed);
  if (limit != parts_.options.memory_limit && limit < needed) {
    return Error(errc::bad_argument, "memory_limit: '" + size_text(limit) +
                                         "' is less than the store needs now, " +
                                         std::to_string(needed) + " bytes");
  }
  // The last thing that can go wrong: the log file.
  if (auto opened = parts_.journal.set(journal_settings(read->options)); !opened) {
    return std::move(opened).error();
  }
  return read;
}

std::string LiveSettings::reload() {
  auto read = this->read();
  if (!read) {
    std::string text = "the old config holds: " + std::string(read.error().text());
    parts_.journal.error(text);
    return text;
  }
  std::string restart;
  std::size_t changed = 0;
  for (const Setting& setting : settings()) {
    const std::string wanted = text_of(read->options, setting);
    if (setting.changes == Changes::at_restart) {
      if (wanted == text_of(parts_.configured, setting)) continue;
      parts_.journal.warn(key_of(setting) + " = " + wanted + " holds after a restart only");
      restart += (restart.empty() ? "; after a restart: " : ", ") + key_of(setting);
      continue;
    }
    const std::string held = text_of(parts_.options, setting);
    if (wanted == held) continue;
    parts_.journal.info(key_of(setting) + " = " + wanted + (" (was " + held + ")"));
    static_cast<void>(set(parts_.options, setting, wanted));
    ++changed;
  }
  apply(parts_.options);
  std::string text = "config read again, " + std::to_string(changed) +
                     (changed == 1 ? " setting" : " settings") + " changed" + restart;
  parts_.journal.info(text);
  return text;
}

void LiveSettings::apply(const Options& wanted) {
  parts_.syncer.set_interval(wanted.sync_interval);
  parts_.generations.budget().set_limit(memory_limit_of(wanted.memory_limit));
  parts_.compactor.set(compactor_settings(wanted));
  parts_.writer.record_origins(wanted.record_origins);
}

}  // namespace dfs::daemon
