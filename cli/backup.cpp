#include "cli/backup.hpp"

#include <dfs/admin.hpp>

#include <cstdint>
#include <utility>

#include "cli/argument.hpp"
#include "cli/json_text.hpp"
#include "cli/opening.hpp"

namespace dfs::cli {

namespace {

std::string counted(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " key" : " keys");
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_json(out, text);
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  out += ",\"";
  out += name;
  out += "\":" + std::to_string(number);
}

/// What to say behind -s for this log: without a slash and a dot it would be the name of a store.
std::string address_of(const std::string& log) {
  return log.find_first_of("/.") == std::string::npos ? "./" + log : log;
}

}  // namespace

Result<int> backup(const BackupCommandOptions& options, const Common& common, Output& output) {
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  const Admin admin(*store);
  Progress progress;
  const BackupOptions how{
      options.replace, [&progress](std::uint64_t records) { progress.show(records, "records"); }};
  if (options.file == "-") {
    auto done = admin.backup(
        [&output](std::string_view bytes) {
          output.text() += bytes;
          return output.flush();
        },
        how);
    if (!done) return std::move(done).error();
    return 0;
  }
  auto done = admin.backup(options.file, how);
  if (!done) return std::move(done).error();
  std::string& out = output.text();
  if (common.json) {
    out += '{';
    append_member(out, "file", options.file);
    append_member(out, "store", done->store);
    append_member(out, "sequence", done->sequence);
    append_member(out, "records", done->records);
    append_member(out, "bytes", done->bytes);
    output.line("}");
  } else {
    output.line(options.file + " holds " + counted(done->records) + ", as of commit " +
                std::to_string(done->sequence));
  }
  return 0;
}

Result<int> restore(const RestoreCommandOptions& options, const Common& common, Output& output) {
  Progress progress;
  const RestoreOptions how{
      options.into, [&progress](std::uint64_t records) { progress.show(records, "records"); }};
  auto done = dfs::restore(options.file, how);
  if (!done) return std::move(done).error();
  std::string& out = output.text();
  if (common.json) {
    out += '{';
    append_member(out, "file", options.file);
    append_member(out, "into", options.into);
    append_member(out, "store", done->store);
    append_member(out, "from", done->from);
    append_member(out, "sequence", done->sequence);
    append_member(out, "records", done->records);
    append_member(out, "versions_above", done->versions_above);
    output.line("}");
  } else {
    output.line(options.into + " is a store of its own with " + counted(done->records) +
                "; the versions of its keys go on above " + std::to_string(done->versions_above) +
                ". To look into it: dfsctl -s " + quoted(address_of(options.into)) + " list");
  }
  return 0;
}

}  // namespace dfs::cli
