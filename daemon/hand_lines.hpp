// Lines that a person wrote behind the last good one. From before they are cut out of the log until
// their commits are on disk they stand in a file of their own beside it, `.byhand-AFTER-STORE`.
//
// AFTER is the last commit before them, and while the file stands nothing but its lines is
// committed. So the commits behind that one tell how far a daemon that was killed had come: the
// next one commits the rest, and none twice. Where they tell anything else, somebody has been at
// work meanwhile; then nothing of the file is committed, and each start says so.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/log/recovery.hpp"
#include "common/os/file.hpp"

namespace dfs::daemon {

/// What the writer is to commit before anything else.
struct HandWork {
  std::vector<log::HandWritten> lines;
  std::string file;  ///< to be removed once their commits are on disk; empty without any
};

/// What lies beside the log, compared with its records as they are recovered. Threads: one.
class HandLines final : public log::RecordVisitor {
 public:
  /// Passes the records on to `next`, which outlives it, as the log does.
  HandLines(const os::File& log, log::RecordVisitor& next) : log_(log), next_(next) {}

  /// Looks for the files of the store with that id. What cannot be looked at is a notice.
  void find(const std::string& store_id);
  /// Without any there is nothing to compare.
  [[nodiscard]] bool any() const { return !files_.empty(); }
  Result<void> record(const log::Record& record) override;

  /// Keeps lines that stand behind the commit `after` and are about to be cut out; the file's path.
  /// Found where they were not cut, or were written again behind the same commit, they are the same
  /// lines.
  Result<std::string> keep(std::string_view bytes, std::uint64_t after);
  /// What is still to be committed. Files all of whose lines are committed are removed, the others
  /// told of. Requires: every record of the log was seen, and none is left to be cut.
  Result<HandWork> finish(const log::Recovery& found);
  /// What an operator must hear.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

 private:
  struct HandFile {
    std::string path;
    std::uint64_t after = 0;
    std::uint64_t number = 1;  ///< several behind one commit
    std::string bytes;
    std::vector<log::HandWritten> lines;
    std::size_t committed = 0;  ///< so many of them are
    bool alone = true;          ///< and behind them nothing else is
  };
  [[nodiscard]] std::string path_of(std::uint64_t after, std::uint64_t number) const;
  [[nodiscard]] Result<HandFile> read(const std::string& name) const;
  void compare(HandFile& file, const log::Record& record) const;
  /// An erasure of what is not there takes no commit.
  void pass_over_nothing(HandFile& file) const;
  [[nodiscard]] static bool is_of(const HandFile& file, const log::Recovery& found);
  void tell_of(const HandFile& file, bool known);

  const os::File& log_;
  log::RecordVisitor& next_;
  std::string store_;                              // as much of its id as a name has
  std::vector<HandFile> files_;                    // in the order in which they were made
  std::map<std::string, bool, std::less<>> live_;  // of the keys that they erase
  std::vector<std::string> notices_;
};

}  // namespace dfs::daemon
