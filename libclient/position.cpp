#include <dfs/position.hpp>

#include "common/wire/commit_id.hpp"

namespace dfs {

Result<Position> Position::parse(std::string_view text) {
  const auto id = wire::parse_commit_id(text);
  if (!id) {
    return Error(errc::bad_argument,
                 "no position: 32 hex digits, '-' and a number are one, as in what text() prints");
  }
  return Position(id->store, id->sequence);
}

std::string Position::text() const { return wire::to_text(wire::CommitId{store_, sequence_}); }

}  // namespace dfs
