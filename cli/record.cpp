#include "cli/record.hpp"

#include <algorithm>

#include "cli/argument.hpp"
#include "cli/json_text.hpp"
#include "cli/listing.hpp"
#include "cli/opening.hpp"
#include "common/log/key.hpp"

namespace dfs::cli {

namespace {

Expect expected(const std::optional<std::uint64_t>& version) {
  return version ? expect_version(*version) : expect_any;
}

Result<int> print_count(std::uint64_t erased, const Common& common, Output& output) {
  const std::string number = std::to_string(erased);
  output.line(common.json ? "{\"erased\":" + number + "}" : number);
  return 0;
}

// Adds up what commits of erasures erased; 0 in `versions` is a key that was absent.
std::uint64_t erased_by(const Committed& committed) {
  return static_cast<std::uint64_t>(
      std::count_if(committed.versions.begin(), committed.versions.end(),
                    [](std::uint64_t version) { return version > 0; }));
}

// In one commit where it fits, else in as many as it takes.
Result<int> erase_prefix(Store& store, const std::string& prefix, const Common& common,
                         Output& output) {
  const Snapshot snapshot = store.snapshot();
  const Range range = snapshot.prefix(prefix);
  std::uint64_t erased = 0;
  Batch batch;
  std::size_t batch_bytes = 0;
  const auto submit = [&]() -> Result<void> {
    if (batch.size() == 0) return {};
    auto committed = store.submit(batch).wait();
    if (!committed) return std::move(committed).error();
    erased += erased_by(*committed);
    batch = Batch();
    batch_bytes = 0;
    return {};
  };
  for (const Entry& entry : range) {
    if (batch.size() == kMaxCommitRecords || batch_bytes + entry.key.size() > kMaxCommitBytes / 4) {
      if (auto done = submit(); !done) return std::move(done).error();
    }
    batch.erase(entry.key);
    batch_bytes += entry.key.size();
  }
  if (auto read = range.status(); !read) return std::move(read).error();
  if (auto done = submit(); !done) return std::move(done).error();
  return print_count(erased, common, output);
}

Result<int> print_entry(const GetOptions& options, Result<Entry> entry, const Common& common,
                        Output& output) {
  if (!entry) {
    if (entry.error() != errc::absent) return std::move(entry).error();
    return Error(errc::absent, "no such key: " + options.key).with_key(options.key);
  }
  if (options.path) {
    auto part = part_at(entry->value, *options.path);
    if (!part) {
      if (part.error() != errc::absent) return std::move(part).error();
      return Error(errc::absent, "nothing at " + *options.path + " in the value of " + options.key)
          .with_key(options.key);
    }
    entry->value = *part;
  }
  if (options.meta || common.json) {
    append_entry(output.text(), *entry);
    output.line("");
  } else if (options.raw && is_text(entry->value)) {
    auto text = decode_text(entry->value);
    if (!text) return std::move(text).error().with_key(options.key);
    output.line(*text);
  } else {
    output.line(entry->value);
  }
  return 0;
}

// How many it erases is known at the commit alone, so nothing is printed.
Result<int> del_within(Transaction& transaction, const DelOptions& options) {
  std::vector<std::string> keys = options.keys;
  if (options.prefix) {
    const Range range = transaction.prefix(*options.prefix);
    for (const Entry& entry : range) keys.emplace_back(entry.key);
    if (auto read = range.status(); !read) return std::move(read).error();
  }
  for (const std::string& key : keys) transaction.erase(key, expected(options.if_version));
  return 0;
}

}  // namespace

void print_written(const std::string& key, const Committed& committed, const Common& common,
                   Output& output) {
  if (!common.json) return output.line(std::to_string(committed.version));
  output.text() += "{\"key\":";
  append_json(output.text(), key);
  output.line(",\"version\":" + std::to_string(committed.version) +
              ",\"sequence\":" + std::to_string(committed.sequence) + "}");
}

Result<int> get(const GetOptions& options, const Common& common, Output& output) {
  if (common.transaction != nullptr) {
    return print_entry(options, common.transaction->get(options.key), common, output);
  }
  auto store = open_store(common, Purpose::read);
  if (!store) return std::move(store).error();
  const Snapshot snapshot = store->snapshot();
  auto printed = print_entry(options, snapshot.get(options.key), common, output);
  if (auto good = snapshot.check(); printed && !good) {
    output.drop();
    return std::move(good).error();
  }
  return printed;
}

Result<int> set(const SetOptions& options, const Common& common, Output& output) {
  if (auto good = log::check_key(options.key); !good) return std::move(good).error();
  const std::string as_text =
      "A text: dfsctl set -t " + quoted(options.key) + " " + quoted(options.value);
  auto value = value_of({options.key, options.value, options.text, as_text});
  if (!value) return std::move(value).error();
  if (common.transaction != nullptr) {
    common.transaction->set(options.key, *value, expected(options.if_version));
    return 0;
  }
  auto store = open_store(common, Purpose::create);
  if (!store) return std::move(store).error();
  auto committed = store->set(options.key, *value, {.expect = expected(options.if_version)});
  if (!committed) return std::move(committed).error();
  print_written(options.key, *committed, common, output);
  return 0;
}

Result<int> del(const DelOptions& options, const Common& common, Output& output) {
  if (options.prefix && options.prefix->empty()) {
    return Error(errc::bad_argument,
                 "--prefix without letters would erase every key; who wants that says dfsctl load "
                 "--replace /dev/null");
  }
  if (common.transaction != nullptr) return del_within(*common.transaction, options);
  auto store = open_store(common, Purpose::change);
  if (!store) return std::move(store).error();
  if (options.prefix) return erase_prefix(*store, *options.prefix, common, output);
  Batch batch;
  for (const std::string& key : options.keys) batch.erase(key, expected(options.if_version));
  auto committed = store->submit(batch).wait();
  if (!committed) return std::move(committed).error();
  return print_count(erased_by(*committed), common, output);
}

Result<int> exists(const ExistsOptions& options, const Common& common, Output& output) {
  std::optional<Snapshot> snapshot;
  if (common.transaction == nullptr) {
    auto store = open_store(common, Purpose::read);
    if (!store) return std::move(store).error();
    snapshot.emplace(store->snapshot());
  }
  const auto entry = snapshot ? snapshot->get(options.key) : common.transaction->get(options.key);
  if (!entry && entry.error() != errc::absent) return entry.error();
  if (common.json) output.line(entry ? "{\"exists\":true}" : "{\"exists\":false}");
  return entry ? 0 : dfs::exit_code(errc::absent);
}

}  // namespace dfs::cli
