// docs/errors.md against the code: each row says what the code answers, and each row is provoked,
// with its text. tests/cli/errors_test.py does the same with dfsctl.
#include <dfs/store.hpp>
#include <dfs/testing.hpp>
#include <dfs/typed.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/describe.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/log/encode.hpp"
#include "tests/libclient/errors_page.hpp"
#include "tests/libclient/served_store.hpp"
#include "tests/process/client_process.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;

TEST(ErrorsPage, has_every_code_and_no_other) {
  const auto rows = test::read_page();
  EXPECT_EQ(rows.size(), kErrcCount);
  for (std::uint16_t number = 1; number <= kErrcCount; ++number) {
    EXPECT_TRUE(rows.contains(std::string(name(static_cast<errc>(number)))))
        << name(static_cast<errc>(number));
  }
}

TEST(ErrorsPage, says_of_each_what_the_code_answers) {
  const auto rows = test::read_page();
  for (std::uint16_t number = 1; number <= kErrcCount; ++number) {
    const auto code = static_cast<errc>(number);
    const auto found = rows.find(std::string(name(code)));
    ASSERT_NE(found, rows.end()) << name(code);
    const test::ErrorsRow& row = found->second;
    EXPECT_EQ(row.written, Error(code).nothing_was_written() ? "no" : "maybe") << name(code);
    EXPECT_EQ(row.again, Error(code).worth_retrying() ? "yes" : "no") << name(code);
    EXPECT_EQ(row.exit, std::to_string(exit_code(code))) << name(code);
    EXPECT_FALSE(row.text.empty()) << name(code);
  }
}

TEST(ErrorsPage, has_a_test_for_each_row) {
  const auto& unit = *::testing::UnitTest::GetInstance();
  std::vector<std::string> claims;
  for (int suite = 0; suite < unit.total_test_suite_count(); ++suite) {
    const auto& tests = *unit.GetTestSuite(suite);
    if (std::string_view(tests.name()) != "Provoked") continue;
    for (int i = 0; i < tests.total_test_count(); ++i) {
      claims.emplace_back(tests.GetTestInfo(i)->name());
    }
  }
  for (const auto& [code_name, row] : test::read_page()) {
    EXPECT_TRUE(
        std::any_of(claims.begin(), claims.end(),
                    [&](const std::string& claim) { return claim.starts_with(code_name + "_"); }))
        << "nothing provokes " << code_name;
  }
}

struct User {
  std::string id;
  std::string name;
  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(User, (), (id, name))

/// Each test meets one code, and finds its text in the page.
class Provoked : public ::testing::Test {
 protected:
  [[nodiscard]] std::string directory() const {
    return std::filesystem::path(served_.path()).parent_path();
  }
  /// A text as the page has it: of a store at /srv/users.db of uid 1000.
  [[nodiscard]] std::string as_on_page(std::string text) const {
    const auto replace = [&text](const std::string& from, const std::string& to) {
      for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
      }
    };
    replace(served_.path(), "/srv/users.db");
    replace(directory(), "/srv");
    replace("uid " + std::to_string(::geteuid()) + ", gid " + std::to_string(::getegid()),
            "uid 1000, gid 1000");
    replace("mode 0000", "mode 0600");
    replace("uid 65534", "uid 1001");
    replace("u:65534:", "u:1001:");
    // Of a line with the time in it.
    return std::regex_replace(text,
                              std::regex("checksum is [0-9a-f]{8}, the line's bytes have "
                                         "[0-9a-f]{8}"),
                              "checksum is 4b754ab2, the line's bytes have 64165516");
  }
  void expect_row(const Error& error, errc code) const {
    EXPECT_EQ(name(error.code()), name(code)) << error.text();
    EXPECT_EQ(as_on_page(std::string(error.text())),
              test::read_page().at(std::string(name(code))).text);
  }
  template <class T>
  void expect_row(const Result<T>& result, errc code) const {
    ASSERT_FALSE(result.has_value()) << "no " << name(code);
    expect_row(result.error(), code);
  }
  /// What a child process, which may spoil itself, is answered.
  Error answer_in_child(const std::function<Error()>& call) const {
    const std::string file = directory() + "/answer";
    test::ClientProcess child("child", [&] {
      std::ofstream out(file);
      const Error error = call();
      out << static_cast<int>(error.code()) << ' ' << error.text();
    });
    child.expect_done();
    std::ifstream in(file);
    int code = 0;
    in >> code;
    in.get();
    std::ostringstream text;
    text << in.rdbuf();
    return {static_cast<errc>(code), text.str()};
  }
  /// What a store answers whose log was changed while nobody served it.
  void expect_row_of_log(errc code) {
    Options options = test::ServedStore::options();
    options.autostart = Autostart::always;
    options.daemon.program = DFSD;
    expect_row(Store::open(served_.path(), options), code);
  }

  test::ServedStore served_;
  Store store_ = served_.open();
};

TEST_F(Provoked, absent_where_no_key_stands) { expect_row(store_.get("nobody"), errc::absent); }

TEST_F(Provoked, version_mismatch_where_another_was_faster) {
  for (int i = 0; i < 7; ++i) store_.set("a", "1").value();
  const auto refused = store_.set("a", "2", expect_version(3));
  expect_row(refused, errc::version_mismatch);
  EXPECT_EQ(refused.error().key(), "a");
  EXPECT_EQ(refused.error().version(), 7U);
}

TEST_F(Provoked, transaction_conflict_where_what_was_read_has_changed) {
  Transaction tx = store_.begin();
  EXPECT_FALSE(tx.get("a").has_value());
  store_.set("a", "1").value();
  const auto refused = tx.set("b", "1").commit();
  expect_row(refused, errc::transaction_conflict);
  EXPECT_EQ(refused.error().key(), "a");
}

TEST_F(Provoked, transaction_too_large_where_too_much_was_read) {
  const auto many = [](const std::string& prefix) {
    Batch batch;
    for (int i = 0; i < 60'000; ++i) batch.set(prefix + std::to_string(i), "1");
    return batch;
  };
  store_.submit(many("read/")).wait().value();
  Transaction tx = store_.begin();
  std::size_t read = 0;
  for (const Entry& entry : tx.prefix("read/")) read += entry.key.empty() ? 0 : 1;
  EXPECT_EQ(read, 60'000U);
  store_.submit(many("meanwhile/")).wait().value();
  expect_row(tx.set("b", "1").commit(), errc::transaction_too_large);
}

TEST_F(Provoked, timeout_where_the_daemon_does_not_take_it) {
  served_.stop();
  expect_row(store_.set("a", "1", {.timeout = milliseconds(50)}), errc::timeout);
  served_.go_on();
  EXPECT_EQ(store_.set("b", "1")->sequence, 1U) << "what timed out was written";
}

TEST_F(Provoked, busy_where_too_much_is_in_flight) {
  served_.stop();
  std::vector<Pending> flying;
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    flying.push_back(store_.submit(Batch().set("a", "1")));
  }
  const auto refused = store_.submit(Batch().set("b", "1")).wait();
  expect_row(refused, errc::busy);
  EXPECT_EQ(refused.error().limit(), kMaxInFlight);
  served_.go_on();
  for (Pending& one : flying) EXPECT_TRUE(one.wait().has_value());
}

TEST_F(Provoked, unknown_where_the_answer_does_not_come) {
  served_.replace("stop@appended:1");
  const auto lost = store_.set("a", "1", {.timeout = milliseconds(300)});
  expect_row(lost, errc::unknown);
  ASSERT_FALSE(lost.error().commit().empty());
  served_.go_on();
  EXPECT_EQ(store_.resolve(lost.error().commit()).value(), Resolution::committed);
}

TEST_F(Provoked, daemon_gone_where_it_ended_and_none_may_be_started) {
  store_.set("a", "1").value();
  served_.kill();
  expect_row(store_.set("a", "2"), errc::daemon_gone);
  EXPECT_EQ(store_.get("a")->value, "1");
}

TEST_F(Provoked, no_store_where_the_address_is_wrong) {
  std::ofstream(directory() + "/users.db") << "";
  Options options = test::ServedStore::options();
  options.read_only = true;
  expect_row(Store::open(directory() + "/uesrs.db", options), errc::no_store);
}

TEST_F(Provoked, no_daemon_where_nobody_serves_and_none_may_be_started) {
  served_.kill();
  expect_row(Store::open(served_.path(), test::ServedStore::options()), errc::no_daemon);
}

TEST_F(Provoked, not_permitted_where_the_logs_mode_shuts_the_user_out) {
  // Root may read anything, so it becomes somebody else.
  ASSERT_EQ(::chmod(served_.path().c_str(), ::geteuid() == 0 ? 0600 : 0), 0);
  ASSERT_EQ(::chmod(directory().c_str(), 0755), 0);
  const Error error = answer_in_child([this]() -> Error {
    if (::geteuid() == 0) test::require(::setresuid(65534, 65534, 65534) == 0, "setresuid");
    auto store = Store::open(served_.path(), test::ServedStore::options());
    return store ? Error(errc::absent) : store.error();
  });
  expect_row(error, errc::not_permitted);
}

TEST_F(Provoked, store_full_where_the_memory_limit_is_met) {
  test::DaemonSettings settings;
  settings.store = directory() + "/small.db";
  settings.arguments = {"--durability", "written", "--memory-limit", "4M"};
  const auto daemon = test::DaemonProcess::serving(settings);
  auto small = Store::open(settings.store, test::ServedStore::options()).value();
  const std::string value = '"' + std::string(1 << 20, 'v') + '"';
  auto done = small.set("k0", value);
  for (int i = 1; done && i < 10; ++i) done = small.set("k" + std::to_string(i), value);
  expect_row(done, errc::store_full);
  EXPECT_EQ(done.error().limit(), std::uint64_t{4} << 20);
  EXPECT_EQ(small.get("k0")->version, 1U) << "reading goes on";
  EXPECT_TRUE(small.erase("k0").has_value()) << "erasing goes on";
}

TEST_F(Provoked, read_only_where_it_was_opened_so) {
  Options options = test::ServedStore::options();
  options.read_only = true;
  Store reader = served_.open(options);
  expect_row(reader.set("a", "1"), errc::read_only);
}

TEST_F(Provoked, writing_stopped_where_the_log_was_changed_while_in_use) {
  // More than one batch takes, from clients of their own: the first finds the log replaced, and
  // the daemon refuses what it has not taken.
  std::vector<Store> clients;
  std::vector<Pending> pending;
  for (int i = 0; i < 60; ++i) clients.push_back(served_.open());
  const std::string value = '"' + std::string(200'000, 'v') + '"';
  served_.stop();
  for (Store& client : clients) pending.push_back(client.submit(Batch().set("a", value)));
  std::filesystem::copy_file(served_.path(), served_.path() + ".edited");
  std::filesystem::rename(served_.path() + ".edited", served_.path());
  served_.go_on();
  EXPECT_EQ(served_.daemon().exit_code(), 74);
  std::size_t refused = 0;
  for (Pending& one : pending) {
    const auto done = one.wait();
    ASSERT_FALSE(done.has_value()) << "acknowledged, and the log is not there";
    if (done.error() != errc::writing_stopped) continue;
    ++refused;
    expect_row(done, errc::writing_stopped);
  }
  EXPECT_GT(refused, 0U);
}

TEST_F(Provoked, bad_key_where_it_is_empty) { expect_row(store_.set("", "1"), errc::bad_key); }

TEST_F(Provoked, bad_value_where_it_is_not_json) {
  expect_row(store_.set("greeting", "hello"), errc::bad_value);
}

TEST_F(Provoked, too_large_where_it_is_over_a_limit) {
  const auto refused = store_.set("a", '"' + std::string(kMaxValueBytes, 'v') + '"');
  expect_row(refused, errc::too_large);
  EXPECT_EQ(refused.error().limit(), kMaxValueBytes);
}

TEST_F(Provoked, snapshot_too_old_where_memory_is_taken_back) {
  auto temporary = testing::TemporaryStore::make({.program = DFSD}).value();
  const Store store = temporary.open().value();
  const Snapshot held = store.snapshot();
  ASSERT_TRUE(temporary.revoke_snapshots().has_value()) << temporary.said();
  expect_row(held.get("a"), errc::snapshot_too_old);
}

TEST_F(Provoked, compacted_where_the_sequence_was_never_given) {
  expect_row(store_.sync(1000), errc::compacted);
}

TEST_F(Provoked, stopped_where_the_watch_was_stopped) {
  Watch watch = store_.watch().value();
  watch.stop();
  expect_row(watch.next(), errc::stopped);
}

TEST_F(Provoked, wrong_type_where_a_value_is_not_of_the_type) {
  store_.set("user/1", R"({"id":"1","name":5})").value();
  TypedStore<User> users(store_, "user/");
  const auto read = users.get("1");
  expect_row(read, errc::wrong_type);
  EXPECT_EQ(read.error().key(), "user/1");
}

TEST_F(Provoked, bad_argument_where_an_id_is_none) {
  expect_row(store_.resolve("nonsense"), errc::bad_argument);
}

TEST_F(Provoked, finished_where_a_transaction_is_used_after_its_end) {
  Transaction tx = store_.begin();
  tx.rollback();
  expect_row(tx.get("a"), errc::finished);
}

TEST_F(Provoked, closed_where_the_store_is_used_after_close) {
  store_.close();
  expect_row(store_.get("a"), errc::closed);
}

TEST_F(Provoked, forked_where_a_child_uses_its_parents_store) {
  expect_row(answer_in_child([this] { return store_.set("a", "1").error(); }), errc::forked);
}

TEST_F(Provoked, damaged_where_a_byte_of_the_log_has_changed) {
  store_.set("a", R"("text")").value();
  store_.sync(1).value();
  served_.daemon().stop();
  std::fstream log(served_.path(), std::ios::in | std::ios::out);
  std::stringstream bytes;
  bytes << log.rdbuf();
  log.seekp(static_cast<std::streamoff>(bytes.str().find("text")));
  log << 'T';
  log.close();
  expect_row_of_log(errc::damaged);
}

TEST_F(Provoked, incompatible_where_the_log_is_of_a_later_major) {
  served_.daemon().stop();
  std::string line;
  log::First first;
  first.format = 2;
  first.store = std::string(32, 'a');
  first.dfs = "2.0.0";
  log::append_first(line, first);
  std::ofstream(served_.path()) << line;
  expect_row_of_log(errc::incompatible);
}

TEST_F(Provoked, unsupported_where_the_log_has_a_second_name) {
  served_.daemon().stop();
  std::filesystem::create_hard_link(served_.path(), directory() + "/second.db");
  expect_row_of_log(errc::unsupported);
}

TEST_F(Provoked, system_where_no_descriptor_is_left) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs descriptors itself, to see whether memory can be read";
#endif
  const Error error = answer_in_child([this]() -> Error {
    const ::rlimit none{0, 0};
    test::require(::setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit");
    auto store = Store::open(served_.path(), test::ServedStore::options());
    return store ? Error(errc::absent) : store.error();
  });
  expect_row(error, errc::system);
}

TEST_F(Provoked, no_memory_where_no_address_is_left) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more addresses than that itself";
#endif
  const Error error = answer_in_child([this]() -> Error {
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto little = static_cast<::rlim_t>(pages * ::sysconf(_SC_PAGESIZE) + (600 << 10));
    const ::rlimit limit{little, little};
    test::require(::setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
    auto store = Store::open(served_.path(), test::ServedStore::options());
    return store ? Error(errc::absent) : store.error();
  });
  expect_row(error, errc::no_memory);
}

}  // namespace
}  // namespace dfs
