#include "cli/administration.hpp"

#include <dfs/admin.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>

#include "cli/json_text.hpp"
#include "cli/opening.hpp"
#include "cli/table.hpp"
#include "common/os/proc.hpp"

namespace dfs::cli {

namespace {

/// A number among the members of an object.
Result<std::uint64_t> number_in(std::string_view object, std::string_view name) {
  auto found = members(object);
  if (!found) return std::move(found).error();
  for (const Member& member : *found) {
    std::uint64_t number = 0;
    const char* end = member.value.data() + member.value.size();
    if (member.name == name && std::from_chars(member.value.data(), end, number).ptr == end) {
      return number;
    }
  }
  return Error(errc::incompatible, "the daemon does not tell " + std::string(name));
}

// One member a line; at a terminal the values under each other.
Result<void> print_members(std::string_view object, Output& output) {
  auto found = members(object);
  if (!found) return std::move(found).error();
  std::size_t width = 0;
  for (const Member& member : *found) width = std::max(width, member.name.size());
  for (const Member& member : *found) {
    output.text() += member.name;
    if (output.on_terminal()) {
      output.text().append(width + 2 - member.name.size(), ' ');
    } else {
      output.text() += '\t';
    }
    output.line(printable(shown(member.value)));
  }
  return {};
}

// What a client holds: "3: 1 snapshot, 1048576 bytes, 12 s; 4: 2 snapshots".
std::string held_text(std::string_view array) {
  std::string text;
  const auto holds = elements(array);
  if (!holds) return shown(array);
  for (const std::string_view hold : *holds) {
    const auto number = [hold](std::string_view name) { return number_in(hold, name); };
    const auto generation = number("generation");
    const auto snapshots = number("snapshots");
    if (!generation || !snapshots) return shown(array);
    if (!text.empty()) text += "; ";
    text += std::to_string(*generation) + ": " + std::to_string(*snapshots) +
            (*snapshots == 1 ? " snapshot" : " snapshots");
    const auto bytes = number("bytes");
    const auto age_ms = number("superseded_for_ms");
    if (!bytes || !age_ms) continue;
    text += ", " + std::to_string(*bytes) + " bytes, " + std::to_string(*age_ms / 1000) + " s";
  }
  return text;
}

// One object a line, its members in columns; the first object's names are the heads.
Result<void> print_objects(std::string_view array, Output& output) {
  auto objects = elements(array);
  if (!objects) return std::move(objects).error();
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
  for (const std::string_view object : *objects) {
    auto found = members(object);
    if (!found) return std::move(found).error();
    std::vector<std::string> row(heads.size());
    for (const Member& member : *found) {
      const auto head = std::find(heads.begin(), heads.end(), member.name);
      const auto column = static_cast<std::size_t>(head - heads.begin());
      if (head == heads.end()) {
        heads.push_back(member.name);
        row.emplace_back();
      }
      row[column] = member.name == "holds" ? held_text(member.value) : shown(member.value);
    }
    rows.push_back(std::move(row));
  }
  Table table(std::move(heads));
  for (auto& row : rows) table.add(std::move(row));
  table.print(output);
  return {};
}

// A store of any size that fits memory is written anew in less.
constexpr std::chrono::hours kLongest{1};
// How often progress is asked for.
constexpr std::chrono::milliseconds kLook{200};

/// An error of a writer that does not answer, with what it is doing, as its daemon and /proc tell.
Error with_state_of_writer(const Admin& admin, const Error& error) {
  const auto text = admin.info();
  if (!text) return text.error();  // it answers nothing at all, and that says why
  const auto found = members(*text);
  if (!found) return error;
  std::string state;
  for (const Member& member : *found) {
    if (member.name == "pid") {
      if (const auto pid = number_in(*text, "pid")) {
        state += " (pid " + std::to_string(*pid) + ", which is " +
                 os::state_of_process(static_cast<std::int32_t>(*pid)) + ")";
      }
    }
    if (member.name != "writer") continue;
    const auto for_ms = number_in(member.value, "for_ms");
    const bool in_kernel = member.value.find("\"in_kernel\"") != std::string_view::npos;
    if (!for_ms) continue;
    state += in_kernel ? " has been in one system call for " : " has done the same for ";
    state += std::to_string(*for_ms / 1000) + " s";
  }
  return Error(errc::timeout, "the daemon's writer" + state + ": " + std::string(error.text()));
}

Result<std::uint64_t> log_bytes_of(const Admin& admin) {
  auto text = admin.info();
  if (!text) return std::move(text).error();
  return number_in(*text, "log_bytes");
}

/// Of the compaction under way, if one is.
std::optional<std::uint64_t> records_done(const Admin& admin) {
  auto text = admin.info();
  if (!text) return std::nullopt;
  auto found = members(*text);
  if (!found) return std::nullopt;
  for (const Member& member : *found) {
    if (member.name != "compaction" ||
        member.value.find("\"running\":true") == std::string_view::npos) {
      continue;
    }
    if (auto records = number_in(member.value, "records_done")) return *records;
  }
  return std::nullopt;
}

}  // namespace

Result<int> info(const Common& common, Output& output) {
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  auto text = Admin(*store).info();
  if (!text) return std::move(text).error();
  if (common.json) {
    output.line(*text);
  } else if (auto printed = print_members(*text, output); !printed) {
    return std::move(printed).error();
  }
  return 0;
}

Result<int> clients(const Common& common, Output& output) {
  auto store = open_store(common, Purpose::ask);
  if (!store) return std::move(store).error();
  auto text = Admin(*store).clients();
  if (!text) return std::move(text).error();
  if (common.json) {
    output.line(*text);
  } else if (auto printed = print_objects(*text, output); !printed) {
    return std::move(printed).error();
  }
  return 0;
}

Result<int> ping(const PingOptions& options, const Common& common, Output& output) {
  auto store = open_store(common, options.write ? Purpose::ask_writer : Purpose::ask);
  if (!store) return std::move(store).error();
  const Admin admin(*store);
  const auto begin = std::chrono::steady_clock::now();
  auto answered = options.write ? admin.ping_writer() : admin.ping();
  if (!answered && answered.error() == errc::timeout && options.write) {
    return with_state_of_writer(admin, answered.error());
  }
  if (!answered) return std::move(answered).error();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  const std::string us = std::to_string(static_cast<std::uint64_t>(took.count()));
  output.line(common.json ? "{\"alive\":true,\"us\":" + us + "}" : "alive, " + us + " us");
  return 0;
}

Result<int> compact(const Common& common, Output& output) {
  auto store = open_store(common, Purpose::change);
  if (!store) return std::move(store).error();
  const Admin admin(*store);
  auto before = log_bytes_of(admin);
  if (!before) return std::move(before).error();
  auto done = std::async(std::launch::async, [&admin] { return admin.compact(kLongest); });
  {
    Progress progress;
    while (done.wait_for(kLook) != std::future_status::ready) {
      if (const auto records = records_done(admin)) progress.show(*records, "records");
    }
  }
  if (auto compacted = done.get(); !compacted) return std::move(compacted).error();
  auto after = log_bytes_of(admin);
  if (!after) return std::move(after).error();
  const std::string from = std::to_string(*before);
  const std::string to = std::to_string(*after);
  output.line(common.json ? "{\"log_bytes_before\":" + from + ",\"log_bytes\":" + to + "}"
                          : "the log had " + from + " bytes and has " + to);
  return 0;
}

Result<int> stop(const Common& common, Output& output) {
  auto store = open_store(common, Purpose::ask);
  if (!store) return std::move(store).error();
  auto stopped = Admin(*store).stop();
  if (!stopped) return std::move(stopped).error();
  if (common.json) output.line("{\"stopped\":true}");
  return 0;
}

Result<int> sync(const Common& common, Output& output) {
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  const Snapshot snapshot = store->snapshot();
  if (auto good = snapshot.check(); !good) return std::move(good).error();
  if (auto synced = store->sync(snapshot.sequence()); !synced) return std::move(synced).error();
  const std::string sequence = std::to_string(snapshot.sequence());
  output.line(common.json ? "{\"sequence\":" + sequence + "}" : sequence);
  return 0;
}

Result<int> resolve(const ResolveOptions& options, const Common& common, Output& output) {
  if (auto id = Position::parse(options.commit); !id) {
    return Error(errc::bad_argument,
                 options.commit +
                     " is not the id of a commit: 32 hex digits, a hyphen, its sequence; the error "
                     "unknown names it");
  }
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  auto outcome = store->resolve(options.commit);
  if (!outcome) return std::move(outcome).error();
  const bool committed = *outcome == Resolution::committed;
  if (common.json) {
    output.text() += "{\"commit\":";
    append_json(output.text(), options.commit);
    output.line(committed ? ",\"outcome\":\"committed\"}" : ",\"outcome\":\"not_committed\"}");
  } else {
    output.line(committed ? "committed" : "not committed");
  }
  return 0;
}

}  // namespace dfs::cli
