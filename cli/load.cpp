#include "cli/load.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "cli/input.hpp"
#include "cli/json_text.hpp"
#include "cli/opening.hpp"
#include "common/log/key.hpp"
#include "common/log/value.hpp"

namespace dfs::cli {

namespace {

// One commit of a load that need not be atomic: large enough that its sync costs little for a
// line, small enough that nobody waits long behind it.
constexpr std::size_t kCommitLines = 4096;
constexpr std::size_t kCommitBytes = std::size_t{4} << 20;

// What one line asks for.
struct Change {
  std::string key;
  bool erased = false;
  std::string value;  // without white space between its tokens
};

constexpr std::string_view kExpected = R"({"key":KEY,"value":VALUE}, or a line of a log)";

Error wrong(std::string text) {
  text += "; expected ";
  text += kExpected;
  return Error(errc::bad_value, std::move(text));
}

bool is_integer(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  return !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
}

// Reads the lines that can be loaded: of dump and list {"key","value"}, of a log {"k","v","d",
// "val"}, of a Go library's too, where a key may be an integer.
class LineParser {
 public:
  // Nothing for a line that changes nothing: a control line of a log.
  Result<std::optional<Change>> parse(std::string_view line) {
    if (line.starts_with("[\"")) return std::optional<Change>();
    auto found = members(line);
    if (!found) return std::move(found).error();
    std::string_view key;
    std::string_view value;
    std::string_view erased = "false";
    bool of_log = false;
    for (const Member& member : *found) {
      static constexpr std::string_view kPassedOver[] = {"version", "sequence", "time", "v",  "s",
                                                         "n",       "w",        "t",    "by", "c"};
      if (member.name == "key" || member.name == "k") {
        if (!key.empty()) return wrong("two keys");
        key = member.value;
        of_log = member.name == "k";
      } else if (member.name == "value" || member.name == "val") {
        if (!value.empty()) return wrong("two values");
        value = member.value;
      } else if (member.name == "erased" || member.name == "d") {
        erased = member.value;
      } else if (std::find(std::begin(kPassedOver), std::end(kPassedOver), member.name) ==
                 std::end(kPassedOver)) {
        return wrong("unknown member \"" + member.name + "\"");
      }
    }
    if (erased != "true" && erased != "false") return wrong("erased is true or false");
    return change(key, of_log, erased == "true", value);
  }

 private:
  Result<std::optional<Change>> change(std::string_view key, bool of_log, bool erased,
                                       std::string_view value) {
    Change change;
    change.erased = erased;
    if (key.empty()) return wrong("no key");
    if (of_log && is_integer(key)) {
      change.key = key;
    } else {
      auto text = decode_text(key);
      if (!text) return wrong("the key is wrong: " + std::string(text.error().text()));
      change.key = std::move(*text);
    }
    if (auto good = log::check_key(change.key); !good) return std::move(good).error();
    if (erased) return std::optional(std::move(change));  // its value, if it has one, is its last
    if (value.empty()) return wrong("no value");
    auto compact = checker_.compact(value, scratch_);
    if (!compact) return compact.error().with_key(change.key);
    change.value = *compact;
    return std::optional(std::move(change));
  }

  log::ValueChecker checker_;
  std::string scratch_;
};

struct Totals {
  std::uint64_t set = 0;
  std::uint64_t erased = 0;
  std::uint64_t sequence = 0;
};

// Hands changes over in commits, one in flight while the next is gathered: two in flight could
// change places if a daemon died between them, and then an older value of a key would stay.
class CommitStream {
 public:
  explicit CommitStream(Store& store) : store_(store) {}

  Result<void> add(const Change& change) {
    if (change.erased) {
      batch_.erase(change.key);
      ++gathered_.erased;
    } else {
      batch_.set(change.key, change.value);
      ++gathered_.set;
    }
    bytes_ += change.key.size() + change.value.size();
    if (batch_.size() < kCommitLines && bytes_ < kCommitBytes) return {};
    return submit();
  }
  Result<void> finish() {
    if (batch_.size() > 0) {
      if (auto submitted = submit(); !submitted) return submitted;
    }
    return settle();
  }
  // What is known to be in the store.
  [[nodiscard]] const Totals& committed() const { return committed_; }

 private:
  Result<void> submit() {
    if (auto settled = settle(); !settled) return settled;
    pending_.emplace(store_.submit(batch_));
    in_flight_ = gathered_;
    gathered_ = Totals();
    batch_ = Batch();
    bytes_ = 0;
    return {};
  }
  Result<void> settle() {
    if (!pending_) return {};
    auto outcome = pending_->wait();
    pending_.reset();
    if (!outcome) return std::move(outcome).error();
    committed_.set += in_flight_.set;
    committed_.erased += in_flight_.erased;
    committed_.sequence = std::max(committed_.sequence, outcome->sequence);
    return {};
  }

  Store& store_;
  Batch batch_;
  std::size_t bytes_ = 0;
  std::optional<Pending> pending_;
  Totals gathered_;
  Totals in_flight_;
  Totals committed_;
};

// `error`, and how much of the file had been loaded when it came.
Error with_progress(const Error& error, const Totals& totals) {
  std::string text(error.text());
  const std::uint64_t lines = totals.set + totals.erased;
  text += lines == 0 ? " (nothing was loaded)"
                     : " (what stands before it was loaded, " + std::to_string(lines) +
                           (lines == 1 ? " line)" : " lines)");
  return Error(error.code(), std::move(text))
      .with_key(error.key())
      .with_limit(error.limit())
      .with_errno(error.system_error())
      .with_commit(error.commit())
      .with_place(error.line(), error.offset());
}

// Calls `take` with each change of the file.
template <class Take>
Result<void> each_change(Input& input, Take&& take) {
  LineParser parser;
  Progress progress;
  for (;;) {
    std::string_view line;
    auto more = input.next(line);
    if (!more) return std::move(more).error();
    if (!*more) return {};
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto change = parser.parse(line);
    if (!change) return input.at_line(change.error());
    if (!*change) continue;
    if (auto taken = take(std::move(**change)); !taken) return taken;
    progress.show(input.line(), "lines");
  }
}

// Keeps `kept` what is in the file at its end.
void note(const Change& change, std::unordered_set<std::string>& kept) {
  if (change.erased) {
    kept.erase(change.key);
  } else {
    kept.insert(change.key);
  }
}

// Adds the erasures of what stood there before and is not in the file.
Result<void> erase_others(const Snapshot& before, const std::unordered_set<std::string>& kept,
                          CommitStream& stream) {
  const Range all = before.all();
  for (const Entry& entry : all) {
    Change gone{.key = std::string(entry.key), .erased = true, .value = {}};
    if (kept.contains(gone.key)) continue;
    if (auto added = stream.add(gone); !added) return added;
  }
  return all.status();
}

Result<Totals> load_in_commits(const Common& common, Input& input, bool replace) {
  std::optional<Store> store;  // opened behind the first good line: another file creates nothing
  std::optional<Snapshot> before;
  std::optional<CommitStream> stream;
  const auto open = [&]() -> Result<void> {
    auto opened = open_store(common, Purpose::create);
    if (!opened) return std::move(opened).error();
    store.emplace(std::move(*opened));
    before.emplace(store->snapshot());
    stream.emplace(*store);
    return {};
  };
  std::unordered_set<std::string> kept;
  auto loaded = each_change(input, [&](const Change& change) -> Result<void> {
    if (!stream) {
      if (auto opened = open(); !opened) return opened;
    }
    if (replace) note(change, kept);
    return stream->add(change);
  });
  if (loaded && !stream) loaded = open();
  if (!stream) return with_progress(loaded.error(), Totals());
  if (loaded && replace) loaded = erase_others(*before, kept, *stream);
  // Even after a line that cannot be read: what was handed over is settled, so that it is counted.
  auto finished = stream->finish();
  if (!loaded || !finished) {
    return with_progress(loaded ? finished.error() : loaded.error(), stream->committed());
  }
  return stream->committed();
}

template <class Writes>
void write_all(const std::vector<Change>& changes, Writes& writes) {
  for (const Change& change : changes) {
    if (change.erased) {
      writes.erase(change.key);
    } else {
      writes.set(change.key, change.value);
    }
  }
}

Result<Totals> load_at_once(const Common& common, Input& input, bool replace) {
  std::vector<Change> changes;
  std::unordered_set<std::string> kept;
  Totals totals;
  auto read = each_change(input, [&](Change change) -> Result<void> {
    ++(change.erased ? totals.erased : totals.set);
    note(change, kept);
    changes.push_back(std::move(change));
    return {};
  });
  if (!read) return with_progress(read.error(), Totals());
  auto store = open_store(common, Purpose::create);
  if (!store) return std::move(store).error();

  std::uint64_t others = 0;
  const auto replace_all = [&](Transaction& tx) -> Result<void> {
    std::vector<std::string_view> gone;
    const Range all = tx.all();
    for (const Entry& entry : all) {
      if (!kept.contains(std::string(entry.key))) gone.push_back(entry.key);
    }
    if (auto whole = all.status(); !whole) return whole;
    others = gone.size();
    for (const std::string_view key : gone) tx.erase(key);
    write_all(changes, tx);
    return {};
  };
  Batch batch;
  if (!replace) write_all(changes, batch);
  auto committed = replace ? store->transact(replace_all) : store->submit(batch).wait();
  if (!committed) {
    if (committed.error() != errc::too_large) return std::move(committed).error();
    return Error(errc::too_large, std::string(committed.error().text()) +
                                      "; without --atomic it is loaded in several commits")
        .with_limit(committed.error().limit());
  }
  totals.erased += others;
  totals.sequence = committed->sequence;
  return totals;
}

}  // namespace

Result<int> load(const LoadOptions& options, const Common& common, Output& output) {
  auto input = Input::open(options.file);
  if (!input) return std::move(input).error();
  auto totals = options.atomic ? load_at_once(common, *input, options.replace)
                               : load_in_commits(common, *input, options.replace);
  if (!totals) return std::move(totals).error();
  const std::string set = std::to_string(totals->set);
  const std::string erased = std::to_string(totals->erased);
  output.line(common.json ? "{\"set\":" + set + ",\"erased\":" + erased +
                                ",\"sequence\":" + std::to_string(totals->sequence) + "}"
                          : set + " set, " + erased + " erased");
  return 0;
}

}  // namespace dfs::cli
