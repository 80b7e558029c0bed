// Errors and results inside dfs are the public ones: one vocabulary from the kernel to the caller.
//
// The public headers named here hold nothing but the standard library, so the lowest folder may see
// them; no other file of common/ or daemon/ includes anything of libclient/.
//
// The doctrine: our own bug is an assertion (assert.hpp). A refusal that the caller must know is an
// errc that says what to do. Where the world failed, errno becomes an Error once, in common/os, and
// goes up unchanged.
#pragma once

#include <dfs/error.hpp>   // IWYU pragma: export
#include <dfs/result.hpp>  // IWYU pragma: export
