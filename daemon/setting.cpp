#include "daemon/setting.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace dfs::daemon {

namespace {

constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kHour = 3600 * kSecond;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

constexpr std::array<Setting, 17> kSettings{{
    {.name = "socket",
     .form = "PATH",
     .meaning = "where to listen; a link to it stands beside the log (default: STORE.db.socket)",
     .member = &Options::socket,
     .changes = Changes::at_restart},
    {.name = "durability",
     .form = "durable|written",
     .meaning = "what an acknowledged commit survives: durable (power cuts) or written (any crash "
                "but the machine's)",
     .member = &Options::durability,
     .changes = Changes::at_restart},
    {.name = "sync-interval",
     .form = "TIME",
     .meaning = "written: how often to sync",
     .member = &Options::sync_interval,
     .least = 1,
     .most = kHour},
    {.name = "compaction-interval",
     .form = "TIME",
     .meaning = "how often to look for garbage",
     .member = &Options::compaction_interval,
     .least = 1},
    {.name = "compaction-garbage",
     .form = "SIZE",
     .meaning = "less garbage than this is not worth a compaction",
     .member = SizeMember{&Options::compaction_garbage},
     .most = 64 * kGiB},
    {.name = "feed-retention",
     .form = "TIME",
     .meaning = "history kept as it is by a compaction",
     .member = &Options::feed_retention},
    {.name = "snapshot-ttl",
     .form = "TIME",
     .meaning = "a younger snapshot is never revoked",
     .member = &Options::snapshot_ttl,
     .least = 1},
    {.name = "idle-exit",
     .form = "TIME",
     .meaning = "end when no client was connected for so long; 1m if a client started it",
     .member = &Options::idle_exit,
     .zero = "never"},
    // An empty index takes half a MiB and grows by one; a generation has 64 GiB of addresses.
    {.name = "memory-limit",
     .form = "SIZE",
     .meaning = "of shared memory",
     .member = SizeMember{&Options::memory_limit},
     .least = 2 * kMiB,
     .most = 64 * kGiB},
    // The largest commit has 64 MiB, and takes room twice while it is put together.
    {.name = "queue-bytes",
     .form = "SIZE",
     .meaning = "received from all clients and not yet committed; of one user a quarter, and 128M "
                "at the least",
     .member = SizeMember{&Options::queue_bytes},
     .changes = Changes::at_restart,
     .least = 128 * kMiB,
     .most = 64 * kGiB},
    {.name = "readers",
     .form = "NAME,@GROUP,...",
     .meaning = "who may read, in place of what the log's owner and mode say",
     .member = &Options::readers},
    {.name = "writers",
     .form = "NAME,@GROUP,...",
     .meaning = "who may write, and so read, in place of what the log's owner and mode say",
     .member = &Options::writers},
    {.name = "record-origins",
     .form = "true|false",
     .meaning = "write who made each commit into the log",
     .member = &Options::record_origins},
    {.name = "log-level",
     .form = "trace|debug|info|warn|error|off",
     .meaning = "the least that is said",
     .member = &Options::log_level},
    {.name = "log-file",
     .form = "PATH",
     .meaning = "where it is said; opened again at SIGHUP (default: standard error)",
     .member = &Options::log_file},
    {.name = "log-file-size",
     .form = "SIZE",
     .meaning = "a larger one is renamed: dfsd.log to dfsd.1.log, that to dfsd.2.log, ...",
     .member = SizeMember{&Options::log_file_size},
     .least = 4096,
     .most = 1024 * kGiB},
    {.name = "log-file-count",
     .form = "NUMBER",
     .meaning = "how many renamed ones are kept",
     .member = CountMember{&Options::log_file_count},
     .most = 1000},
}};

Error wrong(const std::string& what) { return Error(errc::bad_argument, what); }

/// `a, b or c` of `a|b|c`.
std::string choices_of(std::string_view form) {
  std::string text;
  for (std::size_t from = 0; from <= form.size();) {
    const std::size_t to = std::min(form.find('|', from), form.size());
    if (from > 0) text += to == form.size() ? " or " : ", ";
    text += form.substr(from, to - from);
    from = to + 1;
  }
  return text;
}

bool is_choice(std::string_view form, std::string_view text) {
  return !text.empty() && text.find('|') == std::string_view::npos &&
         ("|" + std::string(form) + "|").find("|" + std::string(text) + "|") != std::string::npos;
}

/// Reads a number by `parse`, within the setting's bounds; `write` shows a bound.
template <class Value, class Parse, class Write>
Result<Value> within(const Setting& setting, const std::string& text, Parse parse, Write write) {
  if (!setting.zero.empty() && text == setting.zero) return Value(0);
  auto value = parse(text);
  if (!value) return std::move(value).error();
  const auto number = [](auto v) {
    if constexpr (requires { v.count(); }) {
      return static_cast<std::uint64_t>(v.count());
    } else {
      return v;
    }
  };
  if (number(*value) < setting.least) {
    return wrong("'" + text + "' is too little: at least " + write(Value(setting.least)));
  }
  if (number(*value) > setting.most) {
    return wrong("'" + text + "' is too much: at most " + write(Value(setting.most)));
  }
  return value;
}

/// Letters to change, add or take out until `a` is `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

/// A basic string of TOML.
std::string toml_text(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (byte >= 0x20 && byte != 0x7F) {
      quoted += c;
    } else {
      quoted += "\\u00";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 15U];
    }
  }
  return quoted + "\"";
}

template <class... F>
struct Each : F... {
  using F::operator()...;
};
template <class... F>
Each(F...) -> Each<F...>;

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::string key_of(const Setting& setting) {
  std::string key(setting.name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

const Setting* setting_with_key(std::string_view key) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [key](const Setting& s) { return key_of(s) == key; });
  return found == kSettings.end() ? nullptr : &*found;
}

std::string nearest_key(std::string_view key) {
  std::string nearest;
  // Further away is another word.
  std::size_t best = std::max<std::size_t>(3, key.size() / 2);
  for (const Setting& setting : kSettings) {
    if (const std::size_t far = distance(key, key_of(setting)); far < best) {
      best = far;
      nearest = key_of(setting);
    }
  }
  return nearest;
}

Result<void> set(Options& options, const Setting& setting, const std::string& text) {
  const auto keep = [&options](auto member, auto value) -> Result<void> {
    if (!value) return std::move(value).error();
    options.*member = *value;
    return {};
  };
  const auto choice = [&setting,
                       &text](const auto& value) -> Result<std::decay_t<decltype(value)>> {
    if (is_choice(setting.form, text)) return value;
    return wrong("'" + text + "' is none of " + choices_of(setting.form));
  };
  return std::visit(
      Each{[&](DurationMember member) {
             return keep(member, within<std::chrono::milliseconds>(setting, text, parse_duration,
                                                                   duration_text));
           },
           [&](SizeMember size) {
             return keep(size.member, within<std::uint64_t>(setting, text, parse_size, size_text));
           },
           [&](CountMember count) {
             return keep(count.member,
                         within<std::uint64_t>(setting, text, parse_count,
                                               [](auto n) { return std::to_string(n); }));
           },
           [&](FlagMember member) { return keep(member, choice(text == "true")); },
           [&](PrincipalsMember member) { return keep(member, parse_principals(text)); },
           [&](DurabilityMember member) {
             return keep(member,
                         choice(text == "durable" ? Durability::durable : Durability::written));
           },
           [&](TextMember member) {
             if (setting.form.find('|') != std::string_view::npos)
               return keep(member, choice(text));
             return keep(member, Result<std::string>(text));
           }},
      setting.member);
}

std::string text_of(const Options& options, const Setting& setting) {
  return std::visit(
      Each{[&](DurationMember member) {
             const auto time = options.*member;
             return time.count() == 0 && !setting.zero.empty() ? std::string(setting.zero)
                                                               : duration_text(time);
           },
           [&](SizeMember size) { return size_text(options.*size.member); },
           [&](CountMember count) { return std::to_string(options.*count.member); },
           [&](FlagMember member) { return std::string(options.*member ? "true" : "false"); },
           [&](PrincipalsMember member) { return principals_text(options.*member); },
           [&](DurabilityMember member) {
             return std::string(options.*member == Durability::durable ? "durable" : "written");
           },
           [&](TextMember member) { return options.*member; }},
      setting.member);
}

std::string toml_of(const Options& options, const Setting& setting) {
  std::string text = text_of(options, setting);
  if (std::holds_alternative<FlagMember>(setting.member) ||
      std::holds_alternative<CountMember>(setting.member)) {
    return text;
  }
  if (const auto* list = std::get_if<PrincipalsMember>(&setting.member)) {
    std::string names;
    for (const Principal& principal : options.**list) {
      names += (names.empty() ? "" : ", ") + toml_text(principal.text);
    }
    return "[" + names + "]";
  }
  return toml_text(text);
}

}  // namespace dfs::daemon
