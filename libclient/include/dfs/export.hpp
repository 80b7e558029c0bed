// What of dfs is visible outside the shared library: what stands in a public header. All else is
// compiled hidden.
#pragma once

#define DFS_API [[gnu::visibility("default")]]
