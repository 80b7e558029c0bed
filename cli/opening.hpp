// Opening the store that a command is about, with the rights that the command needs.
#pragma once

#include <dfs/store.hpp>

#include "cli/command.hpp"

namespace dfs::cli {

enum class Purpose : std::uint8_t {
  ask,         ///< About a daemon that runs; starts none.
  ask_writer,  ///< The same, through the queue, so with the right to write.
  read,        ///< Never creates a store.
  change,      ///< Changes what is there; never creates a store.
  create,      ///< Makes the store where there is none.
};

/// Opens the store at `common.address`. bad_argument where there is no address.
[[nodiscard]] Result<Store> open_store(const Common& common, Purpose purpose);

}  // namespace dfs::cli
