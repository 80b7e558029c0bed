#include "cli/revision.hpp"

#include <dfs/store.hpp>

#include "cli/argument.hpp"
#include "cli/dialogue.hpp"
#include "cli/editor.hpp"
#include "cli/integer_text.hpp"
#include "cli/json_text.hpp"
#include "cli/merge_patch.hpp"
#include "cli/opening.hpp"
#include "cli/output.hpp"
#include "cli/record.hpp"
#include "common/log/key.hpp"
#include "common/log/value.hpp"

namespace dfs::cli {

namespace {

constexpr std::size_t kShownBytes = 40;

std::string shown(std::string_view value) {
  if (value.size() <= kShownBytes) return std::string(value);
  return std::string(value.substr(0, kShownBytes)) + "...";
}

// `change` makes the new value out of the old one (empty: absent), within a transaction: the one
// that the command is a part of, or one of its own. The new version is 0 within another's.
template <class Change>
Result<Committed> revise(const Common& common, const std::string& key, Change&& change) {
  const auto within = [&](Transaction& tx) -> Result<void> {
    const auto entry = tx.get(key);
    if (!entry && entry.error() != errc::absent) return entry.error();
    Result<std::string> value = change(entry ? entry->value : std::string_view());
    if (!value) return std::move(value).error().with_key(key);
    tx.set(key, *value);
    return {};
  };
  if (common.transaction != nullptr) {
    auto done = within(*common.transaction);
    if (!done) return std::move(done).error();
    return Committed{};
  }
  auto store = open_store(common, Purpose::create);
  if (!store) return std::move(store).error();
  return store->transact(within);
}

// What stands under a key, and by which version it is replaced.
struct Revision {
  std::string value;  // empty: absent
  std::uint64_t version = 0;
};

Result<Revision> read(const Store& store, const std::string& key) {
  auto found = store.get(key);
  if (found) return Revision{std::move(found->value), found->version};
  if (found.error() != errc::absent) return std::move(found).error();
  return Revision{};
}

// The edited text as a value; bad_value where it is not JSON.
Result<std::string> edited_value(const std::string& text) {
  log::ValueChecker checker;
  std::string scratch;
  auto compact = checker.compact(text, scratch);
  if (!compact) return std::move(compact).error();
  return std::string(*compact);
}

Error kept_in(const Error& error, const std::string& key, const Editor& editor) {
  std::string text(error.text());
  text += "; your text is kept in " + editor.file() + "; to set it: dfsctl set " + quoted(key) +
          " - < " + quoted(editor.file());
  return Error(error.code(), std::move(text))
      .with_key(key)
      .with_version(error.version())
      .with_commit(error.commit())
      .with_errno(error.system_error())
      .with_place(error.line(), error.offset());
}

void print_edited(const std::string& key, const Committed& committed, bool changed,
                  const Common& common, Output& output) {
  if (changed) return print_written(key, committed, common, output);
  if (!common.json) return notice(key + " was not changed");
  output.text() += "{\"key\":";
  append_json(output.text(), key);
  output.line(",\"version\":" + std::to_string(committed.version) + ",\"changed\":false}");
}

}  // namespace

Result<int> patch(const PatchOptions& options, const Common& common, Output& output) {
  if (auto good = log::check_key(options.key); !good) return std::move(good).error();
  const auto change = value_of({options.key, options.patch, false,
                                R"(A patch is the members that change: dfsctl patch )" +
                                    quoted(options.key) + R"( '{"name":"Bob"}')"});
  if (!change) return change.error();
  if (auto tried = merge_patch({}, *change); !tried) return tried.error().with_key(options.key);
  auto committed = revise(common, options.key,
                          [&](std::string_view value) { return merge_patch(value, *change); });
  if (!committed) return std::move(committed).error();
  if (common.transaction == nullptr) print_written(options.key, *committed, common, output);
  return 0;
}

Result<int> incr(const IncrOptions& options, const Common& common, Output& output) {
  if (auto good = log::check_key(options.key); !good) return std::move(good).error();
  if (!is_integer_text(options.amount)) {
    return Error(errc::bad_argument, "incr takes a whole number, not " + shown(options.amount));
  }
  std::string sum;
  auto committed = revise(common, options.key, [&](std::string_view value) -> Result<std::string> {
    if (value.empty()) value = "0";
    if (!is_integer_text(value)) {
      return Error(errc::bad_value, options.key + " is " + shown(value) +
                                        ", which is not a whole number: incr adds to those alone");
    }
    sum = sum_of(value, options.amount);
    return sum;
  });
  if (!committed) return std::move(committed).error();
  if (!common.json || common.transaction != nullptr) {
    output.line(sum);
    return 0;
  }
  output.text() += "{\"key\":";
  append_json(output.text(), options.key);
  output.line(",\"version\":" + std::to_string(committed->version) +
              ",\"sequence\":" + std::to_string(committed->sequence) + ",\"value\":" + sum + "}");
  return 0;
}

Result<int> edit(const EditOptions& options, const Common& common, Output& output) {
  const std::string& key = options.key;
  auto store = open_store(common, Purpose::change);
  if (!store) return std::move(store).error();
  auto revision = read(*store, key);
  if (!revision) return std::move(revision).error();
  auto editor = Editor::open(key, revision->value);
  if (!editor) return std::move(editor).error();
  for (;;) {
    auto text = editor->edit();
    if (!text) {
      if (editor->touched()) return kept_in(text.error(), key, *editor);
      editor->discard();
      return text.error().with_key(key);
    }
    auto value = edited_value(*text);
    if (!editor->touched() || is_blank(*text) || (value && *value == revision->value)) {
      editor->discard();
      print_edited(key, {0, revision->version, {}}, false, common, output);
      return 0;
    }
    if (!value) {
      const Error& wrong = value.error();
      if (ask("what you wrote is " + std::string(wrong.text()) + " (it is in " + editor->file() +
              "). Edit it again?")) {
        continue;
      }
      return kept_in(
          Error(wrong.code(), "what was written for " + key + " is " + std::string(wrong.text()))
              .with_place(0, wrong.offset()),
          key, *editor);
    }
    auto committed = store->set(key, *value, expect_version(revision->version));
    if (committed) {
      editor->discard();
      print_edited(key, *committed, true, common, output);
      return 0;
    }
    if (committed.error() != errc::version_mismatch) {
      return kept_in(committed.error(), key, *editor);
    }
    auto now = read(*store, key);
    if (!now) return kept_in(now.error(), key, *editor);
    const std::string changed =
        key + " was changed by another meanwhile: " +
        (now->version == 0 ? std::string("it is erased")
                           : "version " + std::to_string(now->version) + " is " + now->value);
    if (!ask(changed + ". Edit your text again, to be set over that?")) {
      return kept_in(committed.error(), key, *editor);
    }
    *revision = std::move(*now);
  }
}

}  // namespace dfs::cli
