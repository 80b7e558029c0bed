#include "common/log/go_file.hpp"

#include <algorithm>
#include <unordered_map>

#include "common/log/encode.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/log/scanner.hpp"

namespace dfs::log {

namespace {

constexpr std::string_view kRecordStart = "{\"k\":";

bool begins_as_record(std::string_view text) {
  return text.starts_with(kRecordStart) || (!text.empty() && kRecordStart.starts_with(text));
}

// A last line without its newline that cannot be read was torn; but only if it begins as a record
// of the Go library does, so that no other file passes for an empty one of these, and if its
// brackets are not closed, so that a whole record with something behind it does not go with the
// rest.
bool may_be_torn(std::string_view text) {
  std::string_view whole;
  return begins_as_record(text) && !Scanner(text, Scanner::Form::strict).value(whole);
}

// True where `s` stands behind the value: a record of ours, whole or not.
bool has_sequence(std::string_view text) {
  Scanner scanner(text, Scanner::Form::lenient);
  std::string_view skipped;
  const auto skip = [&](std::string_view name) {
    return scanner.member_if(name) && scanner.value(skipped);
  };
  if (!scanner.take_if("{") || !scanner.name("k") || !scanner.value(skipped)) return false;
  skip("v");
  skip("d");
  skip("val");
  return scanner.member_if("s");
}

Error refused(std::string_view reason, const Lines& lines) {
  std::string text = "a file of the Go library, line " + std::to_string(lines.number()) +
                     " (offset " + std::to_string(lines.offset()) + "): " + std::string(reason) +
                     ". Mend the line or take it out";
  return Error(errc::damaged, std::move(text)).with_place(lines.number(), lines.offset());
}

// Applies lines in their order: a line counts unless the key is there with a higher version, and
// one that erases takes the key away, so that whatever comes next for it counts again.
class Import {
 public:
  explicit Import(std::string_view bytes) : lines_(bytes) {}

  Result<GoFile> run() {
    while (!lines_.at_end()) {
      lines_.next();
      decode(lines_.text(), line_);
      const bool readable = line_.kind == LineKind::record && line_.record.sequence == 0;
      if (!readable && !lines_.terminated() && may_be_torn(lines_.text())) {
        file_.torn = true;
        break;
      }
      if (!readable) {
        return refused(line_.kind == LineKind::bad
                           ? line_.reason + " (column " + std::to_string(line_.column) + ")"
                           : "it cannot stand in such a file",
                       lines_);
      }
      if (line_.record.version == 0) return refused("it has no \"v\", the version", lines_);
      ++file_.lines;
      file_.good_end = lines_.end_offset();
      apply(line_.record);
    }
    collect();
    return std::move(file_);
  }

 private:
  struct Live {
    Record record;
    std::uint64_t line = 0;
  };

  void apply(const Record& record) {
    if (record.erased) file_.floor = std::max(file_.floor, record.version);
    const auto found = live_.find(record.key);
    if (found != live_.end() && record.version < found->second.record.version) return;
    if (record.erased) {
      if (found != live_.end()) live_.erase(found);
      gone_.insert_or_assign(kept(record.key), lines_.number());
      return;
    }
    Record whole = record;
    whole.value = kept(record.value);
    if (found != live_.end()) {
      whole.key = found->second.record.key;
      found->second = {whole, lines_.number()};
      return;
    }
    whole.key = kept(record.key);
    live_.emplace(whole.key, Live{whole, lines_.number()});
  }

  // The view where it is one of the file's bytes, else of a copy.
  std::string_view kept(std::string_view view) {
    const std::string_view all = lines_.all();
    const bool inside = view.data() >= all.data() && view.data() <= all.data() + all.size();
    return inside ? view : std::string_view(file_.texts.emplace_back(view));
  }

  void collect() {
    std::vector<Live> in_order;
    in_order.reserve(live_.size());
    for (const auto& [key, live] : live_) in_order.push_back(live);
    std::sort(in_order.begin(), in_order.end(),
              [](const Live& a, const Live& b) { return a.line < b.line; });
    file_.records.reserve(in_order.size());
    for (const Live& live : in_order) {
      Record& record = file_.records.emplace_back(live.record);
      record.sequence = file_.records.size();
      record.in_base = true;
    }
    file_.base = std::max<std::uint64_t>(1, file_.records.size());
    for (const auto& [key, line] : gone_) file_.erased += live_.contains(key) ? 0U : 1U;
  }

  Lines lines_;
  Line line_;
  GoFile file_;
  std::unordered_map<std::string_view, Live> live_;
  std::unordered_map<std::string_view, std::uint64_t> gone_;  // keys that were erased, ever
};

}  // namespace

std::optional<std::uint64_t> first_line_not_of_go(std::string_view bytes) {
  if (bytes.empty()) return 1;
  Lines lines(bytes);
  while (!lines.at_end()) {
    lines.next();
    const std::string_view text = lines.text();
    const bool first = lines.number() == 1;
    if (text.starts_with('[') || has_sequence(text) || (first && !begins_as_record(text))) {
      return lines.number();
    }
  }
  return std::nullopt;
}

bool looks_like_go_file(std::string_view bytes) { return !first_line_not_of_go(bytes); }

Result<GoFile> read_go_file(std::string_view bytes) { return Import(bytes).run(); }

void append_go_conversion(std::string& out, const GoFile& file, std::string_view store_id,
                          std::string_view dfs_version, std::uint64_t time_ms) {
  append_first(out, {.store = std::string(store_id),
                     .base = file.base,
                     .needs = {},
                     .dfs = std::string(dfs_version)});
  std::vector<const Record*> by_key;
  by_key.reserve(file.records.size());
  for (const Record& record : file.records) by_key.push_back(&record);
  std::sort(by_key.begin(), by_key.end(),
            [](const Record* a, const Record* b) { return a->key < b->key; });
  for (const Record* record : by_key) append_record(out, *record);
  append_base(out, {.records = file.records.size(),
                    .sequence = file.base,
                    .floor = file.floor,
                    .restored = 0,
                    .gaps = {},
                    .time_ms = time_ms});
}

}  // namespace dfs::log
