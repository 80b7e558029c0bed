#include "cli/opening.hpp"

namespace dfs::cli {

Result<Store> open_store(const Common& common, Purpose purpose) {
  if (common.address.empty()) {
    return Error(errc::bad_argument,
                 "which store? Say -s ADDRESS before the command (dfsctl -s users.db ...), or set "
                 "DFS_STORE");
  }
  Options options;
  options.create = purpose == Purpose::create;
  options.read_only = purpose == Purpose::read || purpose == Purpose::ask;
  if (purpose == Purpose::ask || purpose == Purpose::ask_writer) {
    options.autostart = Autostart::never;
  }
  options.origin = "dfsctl";
  return Store::open(common.address, std::move(options));
}

}  // namespace dfs::cli
