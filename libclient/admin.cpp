#include <dfs/admin.hpp>

#include <utility>

#include "libclient/core.hpp"

namespace dfs {

namespace {

Result<std::string> text_of(Result<client::Enquiries::Answer> answer) {
  if (!answer) return std::move(answer).error();
  return std::move(answer->text);
}

}  // namespace

Admin::Admin(const Store& store) : core_(store.core_) {}
Admin::~Admin() = default;

Result<std::string> Admin::info() const {
  return text_of(core_->ask(wire::AdminKind::info, 0, core_->deadline({})));
}

Result<std::string> Admin::clients() const {
  return text_of(core_->ask(wire::AdminKind::clients, 0, core_->deadline({})));
}

Result<std::string> Admin::settings() const {
  return text_of(core_->ask(wire::AdminKind::settings, 0, core_->deadline({})));
}

Result<void> Admin::ping() const {
  if (auto answer = settings(); !answer) return std::move(answer).error();
  return {};
}

Result<void> Admin::ping_writer() const {
  wire::CommitRequest nothing;
  if (auto answer = core_->commit(nothing, {}); !answer) return std::move(answer).error();
  return {};
}

Result<void> Admin::compact(std::chrono::milliseconds timeout) const {
  auto answer = core_->ask(wire::AdminKind::compact, 0, os::Deadline::after(timeout));
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> Admin::stop() const {
  const os::Deadline deadline = core_->deadline({});
  auto answer = core_->ask(wire::AdminKind::stop, 0, deadline);
  if (!answer) return std::move(answer).error();
  return core_->wait_for_end(deadline);
}

}  // namespace dfs
