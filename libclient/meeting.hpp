// Where it matters what another thread, or a daemon, does meanwhile. A test program that compiles
// what meets here once more, with DFS_MEETINGS, says what that is, so that the order is the test's;
// in the library every call here is nothing.
#pragma once

#include <cstdint>

namespace dfs::client {

enum class Meeting : std::uint8_t {
  fetches,  ///< A thread is about to ask for a generation that it holds.
  drops,    ///< A mapping that nobody held is about to go.
  sends,    ///< A commit is about to look for the connection, or for those before it.
  gathers,  ///< One more record of a commit was found in the feed, or all of them.
};

#ifdef DFS_MEETINGS
void meet(Meeting meeting);
#else
inline void meet(Meeting /*meeting*/) {}
#endif

}  // namespace dfs::client
