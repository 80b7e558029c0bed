// Stop points and planted faults, for the tests of what must survive them. They exist in the test
// binary alone (dfsd-faults, built with DFS_FAULTS); in dfsd every call here is nothing.
//
// DFS_FAULT names them, separated by commas: `kill@appended:17` kills the process at the 17th pass
// of a point, `stop@taken:1` stops it there (SIGSTOP), `hold@taken:1` stops only the thread that
// passes, until the pipe that DFS_HOLD names was opened to write and closed, `no-sync` leaves every
// fdatasync of the log out.
#pragma once

#include <cstdint>

namespace dfs::daemon {

enum class StopPoint : std::uint8_t {
  taken,          ///< A request's word says taken; nothing is prepared.
  prepared,       ///< The batch's replies stand in their rings; nothing is in the log.
  torn,           ///< Its lines but for the end of the last are in the log.
  appended,       ///< Its lines are in the log, unsynced.
  synced,         ///< Synced; not published.
  published,      ///< Published; no reply released.
  kept_aside,     ///< Recovery: the side file is synced; nothing is cut.
  cut,            ///< Recovery: the log is cut, unsynced.
  reread,         ///< Recovery: the cut log was read again; no start line yet.
  hand_removed,   ///< The file of lines by hand is gone; the directory is not synced.
  base_written,   ///< Compaction: the base is in the new file, unsynced.
  caught_up,      ///< Compaction: a round of the old log is in the new file, unsynced.
  before_rename,  ///< Hand-over: the new file is whole and synced; the old one has the name.
  renamed,        ///< Hand-over: the new one has it; the directory is not synced.
  switched,       ///< Hand-over: the new generation is current.
  punched,        ///< The pages of a generation are gone.
};

#ifdef DFS_FAULTS
/// Ends or stops the process or the thread here if DFS_FAULT says so.
void pass(StopPoint point);
/// True if the next pass of this point will.
[[nodiscard]] bool is_due(StopPoint point);
/// True if the fdatasync that was about to happen is planted out.
[[nodiscard]] bool sync_is_planted_out();
#else
inline void pass(StopPoint /*point*/) {}
[[nodiscard]] inline bool is_due(StopPoint /*point*/) { return false; }
[[nodiscard]] inline bool sync_is_planted_out() { return false; }
#endif

}  // namespace dfs::daemon
