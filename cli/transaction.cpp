#include "cli/transaction.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "cli/input.hpp"
#include "cli/json_text.hpp"
#include "cli/listing.hpp"
#include "cli/opening.hpp"
#include "common/log/key.hpp"
#include "common/log/value.hpp"

namespace dfs::cli {

namespace {

enum class Action : std::uint8_t { get, check, set, del };

// One line: what is done to which key.
struct Step {
  Action action = Action::get;
  std::string key;
  std::string value;                      // set
  std::optional<std::uint64_t> expected;  // "if"
};

Error wrong(std::string text) {
  text += R"(; a step is {"get":KEY}, {"check":KEY,"if":VERSION}, {"set":KEY,"value":VALUE} or )"
          R"({"del":KEY}, the last two with "if":VERSION where it matters)";
  return Error(errc::bad_value, std::move(text));
}

std::optional<Action> action_of(std::string_view name) {
  if (name == "get") return Action::get;
  if (name == "check") return Action::check;
  if (name == "set") return Action::set;
  if (name == "del") return Action::del;
  return std::nullopt;
}

std::optional<std::uint64_t> version_of(std::string_view value) {
  std::uint64_t version = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, version);
  if (error != std::errc() || stop != end || version > kMaxVersion) return std::nullopt;
  return version;
}

class StepParser {
 public:
  Result<Step> parse(std::string_view line) {
    auto found = members(line);
    if (!found) return std::move(found).error();
    Step step;
    std::optional<Action> action;
    std::string_view value;
    for (const Member& member : *found) {
      if (const auto named = action_of(member.name)) {
        if (action) return wrong("two actions in one step");
        action = named;
        auto key = decode_text(member.value);
        if (!key) return wrong("the key is wrong: " + std::string(key.error().text()));
        step.key = std::move(*key);
      } else if (member.name == "value") {
        value = member.value;
      } else if (member.name == "if") {
        step.expected = version_of(member.value);
        if (!step.expected) {
          return wrong("\"if\" is a version, a whole number (0: absent), not " +
                       std::string(member.value));
        }
      } else {
        return wrong("unknown member \"" + member.name + "\"");
      }
    }
    if (!action) return wrong("no action");
    step.action = *action;
    return checked(std::move(step), value);
  }

 private:
  Result<Step> checked(Step step, std::string_view value) {
    if (auto good = log::check_key(step.key); !good) return std::move(good).error();
    if (step.action == Action::get && step.expected) return wrong("a get has no \"if\"");
    if (step.action == Action::check && !step.expected) return wrong("a check needs \"if\"");
    if ((step.action == Action::set) == value.empty()) {
      return wrong(value.empty() ? "a set needs \"value\"" : "only a set has \"value\"");
    }
    if (step.action == Action::set) {
      auto compact = checker_.compact(value, scratch_);
      if (!compact) return compact.error().with_key(step.key);
      step.value = *compact;
    }
    return step;
  }

  log::ValueChecker checker_;
  std::string scratch_;
};

Result<std::vector<Step>> read_steps(const std::string& file) {
  auto input = Input::open(file);
  if (!input) return std::move(input).error();
  StepParser parser;
  std::vector<Step> steps;
  for (;;) {
    std::string_view line;
    auto more = input->next(line);
    if (!more) return std::move(more).error();
    if (!*more) return steps;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto step = parser.parse(line);
    if (!step) return input->at_line(step.error());
    steps.push_back(std::move(*step));
  }
}

Result<void> print_read(Transaction& transaction, const std::string& key, Output& output) {
  auto entry = transaction.get(key);
  if (entry) {
    append_entry(output.text(), *entry);
  } else if (entry.error() == errc::absent) {
    output.text() += "{\"key\":";
    append_json(output.text(), key);
    output.text() += ",\"absent\":true}";
  } else {
    return std::move(entry).error();
  }
  output.line("");
  return {};
}

}  // namespace

Result<int> tx(const TxOptions& options, const Common& common, Output& output) {
  auto steps = read_steps(options.file);
  if (!steps) return std::move(steps).error();
  auto store = open_store(common, Purpose::create);
  if (!store) return std::move(store).error();
  Transaction transaction = store->begin();
  for (const Step& step : *steps) {
    const Expect expect = step.expected ? expect_version(*step.expected) : expect_any;
    switch (step.action) {
      case Action::get:
        if (auto read = print_read(transaction, step.key, output); !read) {
          output.drop();
          return std::move(read).error();
        }
        break;
      case Action::check:
        transaction.check(step.key, expect);
        break;
      case Action::set:
        transaction.set(step.key, step.value, expect);
        break;
      case Action::del:
        transaction.erase(step.key, expect);
        break;
    }
  }
  // The reads go out whatever comes of the commit: who lost a conflict wants to see them.
  auto committed = transaction.commit();
  if (!committed) return std::move(committed).error();
  output.line("{\"committed\":true,\"sequence\":" + std::to_string(committed->sequence) + "}");
  return 0;
}

}  // namespace dfs::cli
