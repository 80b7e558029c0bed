#include "daemon/config.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <iostream>

#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "daemon/setting.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

// A few hundred lines; a larger file is another one.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20U;
// Whoever starts a daemon leaves without a word: it is to follow.
constexpr std::chrono::minutes kIdleOfStarted{1};

/// How the value of a setting is written in TOML, with an example: its default.
std::string right_form(const Setting& setting) {
  std::string example = toml_of(Options(), setting);
  if (example == "[]") example = "[\"alice\", \"@staff\"]";
  if (example == "\"\"") example = "\"/" + std::string(setting.form) + "\"";
  return key_of(setting) + " = " + example;
}

std::string kind_of(const toml::node& node) {
  if (node.is_string()) return "a text";
  if (node.is_integer()) return "a number";
  if (node.is_boolean()) return "true or false";
  if (node.is_array()) return "a list of that";
  if (node.is_table()) return "a table";
  return node.is_floating_point() ? "a number with a point" : "a date or time";
}

/// A list of texts, as the command line has it: with commas between.
std::optional<std::string> joined(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return std::nullopt;
  std::string text;
  for (const toml::node& item : *list) {
    if (!item.is_string()) return std::nullopt;
    if (!text.empty()) text += ',';
    text += item.ref<std::string>();
  }
  return text;
}

/// The value as the command line would have it; nothing where its kind is wrong.
std::optional<std::string> plain_text(const Setting& setting, const toml::node& node) {
  const bool flag = std::holds_alternative<FlagMember>(setting.member);
  const bool count = std::holds_alternative<CountMember>(setting.member);
  const bool size = std::holds_alternative<SizeMember>(setting.member);
  if (flag && node.is_boolean()) return node.ref<bool>() ? "true" : "false";
  if ((count || size) && node.is_integer()) return std::to_string(node.ref<std::int64_t>());
  if (std::holds_alternative<PrincipalsMember>(setting.member)) return joined(node);
  if (!flag && !count && node.is_string()) return node.ref<std::string>();
  return std::nullopt;
}

bool is_path(const Setting& setting) { return setting.form == "PATH"; }

/// What is wrong with a setting's value, or nothing, and then it is set.
std::string read_value(Options& options, const Setting& setting, const toml::node& node) {
  const auto text = plain_text(setting, node);
  if (!text) {
    return key_of(setting) + " cannot be " + kind_of(node) + "; write " + right_form(setting);
  }
  if (is_path(setting) && !text->empty() && text->front() != '/') {
    return key_of(setting) + ": '" + *text +
           "' is relative, and nobody knows to what; begin with /";
  }
  auto done = set(options, setting, *text);
  return done ? std::string() : key_of(setting) + ": " + std::string(done.error().text());
}

std::string unknown_key(std::string_view key) {
  const std::string nearest = nearest_key(key);
  return "there is no setting '" + std::string(key) + "'" +
         (nearest.empty() ? "; dfsd --help lists them all" : "; is it " + nearest + "?");
}

/// A file that a config may be: what it says decides what others may do.
Result<std::string> read_trusted(const std::string& path) {
  // Asked before it is opened, since a pipe there would keep us.
  auto there = os::status_of(path);
  if (!there) return std::move(there).error();
  if (!there->regular) return Error(errc::bad_argument, path + " is not a regular file");
  auto file = os::File::open(path, {});
  if (!file) return std::move(file).error();
  auto status = file->status();
  if (!status) return std::move(status).error();
  const std::uint32_t user = os::effective_user();
  if (status->uid != user && status->uid != 0) {
    return Error(errc::not_permitted,
                 "the config " + path + " belongs to uid " + std::to_string(status->uid) +
                     ", not to the daemon's (" + std::to_string(user) +
                     ") or root, and is not trusted; chown it, or take it away");
  }
  if ((status->mode & 022U) != 0) {
    return Error(errc::not_permitted, "the config " + path +
                                          " can be written by others, and is not trusted: chmod "
                                          "go-w " +
                                          path);
  }
  if (status->size > kMostBytes) {
    return Error(errc::bad_argument, "the config " + path + " has more than 1 MiB");
  }
  return file->read_all();
}

}  // namespace

void read_config(std::string_view toml, Configuration& configuration) {
  const toml::parse_result parsed = toml::parse(toml, std::string_view(configuration.file));
  auto& complaints = configuration.complaints;
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    complaints.push_back({at.line, at.column,
                          std::string(parsed.error().description()) +
                              "; a line is NAME = VALUE, times, sizes and paths in quotes: "
                              "idle_exit = \"60s\""});
    return;
  }
  for (const auto& [key, node] : parsed.table()) {
    const toml::source_position at = key.source().begin;
    const Setting* setting = setting_with_key(key.str());
    if (setting == nullptr && node.is_table()) {
      complaints.push_back({at.line, at.column,
                            "[" + std::string(key.str()) +
                                "]: there are no sections; every setting stands by itself"});
      continue;
    }
    if (setting == nullptr) {
      complaints.push_back({at.line, at.column, unknown_key(key.str())});
      continue;
    }
    if (std::string wrong = read_value(configuration.options, *setting, node); !wrong.empty()) {
      const toml::source_position value = node.source().begin;
      complaints.push_back({value.line, value.column, std::move(wrong)});
      continue;
    }
    configuration.sources[setting] = configuration.file + ":" + std::to_string(at.line);
  }
  std::sort(complaints.begin(), complaints.end(), [](const Complaint& a, const Complaint& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

Result<Configuration> configure(const ParsedOptions& parsed) {
  Configuration configuration;
  // What is no setting is the command line's alone.
  configuration.options.store = parsed.options.store;
  configuration.options.detach = parsed.options.detach;
  configuration.options.ready_fd = parsed.options.ready_fd;
  configuration.options.lock_fd = parsed.options.lock_fd;
  if (parsed.options.detach) configuration.options.idle_exit = kIdleOfStarted;
  const bool named = !parsed.config.empty();
  const std::string path = named ? parsed.config : parsed.options.store + ".toml";
  auto toml = read_trusted(path);
  if (toml) {
    configuration.file = path;
    read_config(*toml, configuration);
  } else if (named || toml.error() != errc::absent) {
    if (toml.error() != errc::absent) return std::move(toml).error();
    return Error(errc::bad_argument, "there is no config " + path);
  }
  for (const GivenSetting& given : parsed.given) {
    if (auto done = set(configuration.options, *given.setting, given.text); !done) {
      return std::move(done).error();
    }
    configuration.sources[given.setting] = "command line";
  }
  return configuration;
}

std::string text_of(const Configuration& configuration, const Complaint& complaint) {
  return configuration.file + ":" + std::to_string(complaint.line) + ":" +
         std::to_string(complaint.column) + ": " + complaint.text;
}

Error error_of(const Configuration& configuration) {
  const Complaint& first = configuration.complaints.front();
  return Error(errc::bad_argument, text_of(configuration, first)).with_place(first.line, 0);
}

std::string print(const Configuration& configuration) {
  std::string out = "# dfsd " + std::string(kVersion);
  if (!configuration.options.store.empty()) out += ", " + configuration.options.store;
  out += configuration.file.empty() ? "; no config was read\n"
                                    : "; its config is " + configuration.file + "\n";
  for (const Setting& setting : settings()) {
    out += "\n# " + std::string(setting.meaning) +
           (setting.changes == Changes::at_once ? "\n" : "; changes at a restart\n");
    const std::string value = toml_of(configuration.options, setting);
    const auto source = configuration.sources.find(&setting);
    // A path or a list that nobody gave has no value to print.
    if (value == "\"\"" || value == "[]") out += "# ";
    out += key_of(setting) + " = " + value + "  # " +
           (source == configuration.sources.end() ? "default" : source->second) + "\n";
  }
  return out;
}

int show_config(const ParsedOptions& parsed) {
  auto configuration = configure(parsed);
  if (!configuration) {
    std::cerr << "dfsd: " << configuration.error().text() << "\n";
    return 2;
  }
  for (const Complaint& complaint : configuration->complaints) {
    std::cerr << text_of(*configuration, complaint) << "\n";
  }
  if (!configuration->complaints.empty()) return 2;
  if (parsed.task == Task::print_config) {
    std::cout << print(*configuration);
  } else if (configuration->file.empty()) {
    std::cout << "there is no config " << parsed.options.store << ".toml; the defaults hold\n";
  } else {
    std::cout << configuration->file << " is right\n";
  }
  return 0;
}

}  // namespace dfs::daemon
