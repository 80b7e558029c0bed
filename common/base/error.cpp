#include "common/base/result.hpp"

#include <array>
#include <cerrno>

namespace dfs {

struct Error::Detail {
  std::string text;
  std::string key;
  std::string commit;
  std::uint64_t version = 0;
  std::uint64_t limit = 0;
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
  int system_errno = 0;
};

namespace {

struct Row {
  errc code;
  std::string_view name;
  std::string_view sentence;
  int exit_code;
  bool nothing_written;
  bool worth_retrying;
};

// In the order of the enumeration; the assertion below keeps it so.
constexpr std::array<Row, kErrcCount> kRows{{
    {errc::absent, "absent", "no such key", 1, true, false},
    {errc::version_mismatch, "version_mismatch",
     "the key has another version than expected; read it again and decide again", 3, true, false},
    {errc::transaction_conflict, "transaction_conflict",
     "what the transaction read has changed; begin anew", 3, true, true},
    {errc::transaction_too_large, "transaction_too_large",
     "the transaction read ranges that take too long to check; read less", 3, true, false},
    {errc::timeout, "timeout", "the daemon did not take it in time; try again", 5, true, true},
    {errc::busy, "busy", "too much is under way; try again a little later", 5, true, true},
    {errc::unknown, "unknown", "taken, and the answer was lost; ask with resolve", 9, false, false},
    {errc::daemon_gone, "daemon_gone",
     "the daemon ended; reads go on from the last state, writes when it is back", 4, true, true},
    {errc::no_store, "no_store", "nothing at that address; mend the address", 4, true, false},
    {errc::no_daemon, "no_daemon", "nobody serves that store; start its daemon", 4, true, true},
    {errc::not_permitted, "not_permitted", "the log's mode does not allow it; ask its owner", 6,
     true, false},
    {errc::store_full, "store_full",
     "memory, disk or quota is used up; delete, compact, or raise the limit", 8, true, true},
    {errc::read_only, "read_only", "open for reading only", 8, true, false},
    {errc::writing_stopped, "writing_stopped",
     "a sync failed, so nothing is written until the daemon is started again", 8, true, false},
    {errc::bad_key, "bad_key", "the key breaks a rule; mend it", 2, true, false},
    {errc::bad_value, "bad_value", "the value is not JSON as dfs takes it; mend it", 2, true,
     false},
    {errc::too_large, "too_large", "over a limit; mend it", 2, true, false},
    {errc::snapshot_too_old, "snapshot_too_old", "the snapshot was revoked; take a new one", 10,
     true, false},
    {errc::compacted, "compacted",
     "the position is no longer in the log; start over from a snapshot", 10, true, false},
    {errc::stopped, "stopped", "the watch was stopped", 0, true, false},
    {errc::wrong_type, "wrong_type", "the value is not of the type asked for; migrate it", 2, true,
     false},
    {errc::bad_argument, "bad_argument", "the call is wrong; mend the program", 2, true, false},
    {errc::finished, "finished", "the transaction is over; mend the program", 2, true, false},
    {errc::closed, "closed", "the store was closed; mend the program", 2, true, false},
    {errc::forked, "forked", "this is a child of the process that opened the store; call reopen()",
     2, true, false},
    {errc::damaged, "damaged", "the log is damaged; dfsctl check, then dfsctl repair", 7, true,
     false},
    {errc::incompatible, "incompatible", "of different major versions; upgrade the older", 11, true,
     false},
    {errc::unsupported, "unsupported", "this kernel, file system or daemon cannot do it", 11, true,
     false},
    {errc::system, "system", "a system call failed", 70, true, false},
    {errc::no_memory, "no_memory", "out of memory", 70, true, true},
}};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].code != static_cast<errc>(i + 1)) return false;
  }
  return true;
}
static_assert(rows_in_order(), "a row for each code, in the order of the codes");

const Row* find_row(errc code) noexcept {
  const auto index = static_cast<std::size_t>(code) - 1;  // 0 wraps round to a large number
  return index < kRows.size() ? &kRows[index] : nullptr;
}

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "dfs"; }
  [[nodiscard]] std::string message(int code) const override {
    return std::string(describe(static_cast<errc>(code)));
  }
};

}  // namespace

std::string_view name(errc code) noexcept {
  const Row* row = find_row(code);
  return row ? row->name : "unknown_code";
}

std::string_view describe(errc code) noexcept {
  const Row* row = find_row(code);
  return row ? row->sentence : "an error code that this version does not know";
}

int exit_code(errc code) noexcept {
  const Row* row = find_row(code);
  return row ? row->exit_code : 70;
}

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

Error::Error(errc code, std::string text) : code_(code) {
  auto detail = std::make_shared<Detail>();
  detail->text = std::move(text);
  detail_ = std::move(detail);
}

Error Error::from_errno(int system_errno, std::string_view operation) {
  std::string text(operation);
  text += ": ";
  text += std::generic_category().message(system_errno);
  const errc code = system_errno == ENOMEM ? errc::no_memory : errc::system;
  return Error(code, std::move(text)).with_errno(system_errno);
}

std::string_view Error::text() const noexcept {
  return detail_ && !detail_->text.empty() ? std::string_view(detail_->text) : describe(code_);
}

const char* Error::what() const noexcept { return text().data(); }  // both sources end in NUL

std::string_view Error::key() const noexcept {
  return detail_ ? std::string_view(detail_->key) : std::string_view();
}
std::uint64_t Error::version() const noexcept { return detail_ ? detail_->version : 0; }
std::uint64_t Error::limit() const noexcept { return detail_ ? detail_->limit : 0; }
int Error::system_error() const noexcept { return detail_ ? detail_->system_errno : 0; }
std::string_view Error::commit() const noexcept {
  return detail_ ? std::string_view(detail_->commit) : std::string_view();
}
std::uint64_t Error::offset() const noexcept { return detail_ ? detail_->offset : 0; }
std::uint64_t Error::line() const noexcept { return detail_ ? detail_->line : 0; }

bool Error::nothing_was_written() const noexcept {
  const Row* row = find_row(code_);
  return row != nullptr && row->nothing_written;
}

bool Error::worth_retrying() const noexcept {
  const Row* row = find_row(code_);
  return row != nullptr && row->worth_retrying;
}

std::shared_ptr<Error::Detail> Error::changed() const {
  return detail_ ? std::make_shared<Detail>(*detail_) : std::make_shared<Detail>();
}

Error Error::with_key(std::string_view key) const {
  Error copy(code_);
  auto detail = changed();
  detail->key = key;
  copy.detail_ = std::move(detail);
  return copy;
}

Error Error::with_version(std::uint64_t version) const {
  Error copy(code_);
  auto detail = changed();
  detail->version = version;
  copy.detail_ = std::move(detail);
  return copy;
}

Error Error::with_limit(std::uint64_t limit) const {
  Error copy(code_);
  auto detail = changed();
  detail->limit = limit;
  copy.detail_ = std::move(detail);
  return copy;
}

Error Error::with_errno(int system_errno) const {
  Error copy(code_);
  auto detail = changed();
  detail->system_errno = system_errno;
  copy.detail_ = std::move(detail);
  return copy;
}

Error Error::with_commit(std::string_view commit) const {
  Error copy(code_);
  auto detail = changed();
  detail->commit = commit;
  copy.detail_ = std::move(detail);
  return copy;
}

Error Error::with_place(std::uint64_t line, std::uint64_t offset) const {
  Error copy(code_);
  auto detail = changed();
  detail->line = line;
  detail->offset = offset;
  copy.detail_ = std::move(detail);
  return copy;
}

}  // namespace dfs
