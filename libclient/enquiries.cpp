#include "libclient/enquiries.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace dfs::client {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::int32_t Enquiries::process() const {
  const auto peer = os::peer_of(socket_.get());
  return peer ? peer->pid : 0;
}

Result<Enquiries::Answer> Enquiries::ask(wire::AdminKind kind, std::uint64_t argument,
                                         os::Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (ended_) return Error(errc::daemon_gone, "the daemon has closed the connection");
  Question question;
  question.serial = next_serial_++;
  const auto packet = wire::encode(wire::AdminRequest{kind, question.serial, argument, {}});
  if (auto sent = os::send_packet(socket_.get(), text_of(packet), {}, deadline); !sent) {
    if (sent.error() == errc::timeout) return sent.error();
    return Error(errc::daemon_gone, std::string(sent.error().text()));
  }
  open_.push_back(&question);
  while (!question.answered && !ended_ && !deadline.passed()) {
    if (!receiving_) {
      receive(lock, deadline);
    } else {
      received_.wait_for(lock, deadline.left());
    }
  }
  std::erase(open_, &question);
  // Whoever waits still needs a receiver.
  if (!receiving_ && !open_.empty()) received_.notify_all();
  if (!question.answered) {
    if (ended_) return Error(errc::daemon_gone, "the daemon has closed the connection");
    return Error(errc::timeout, "the daemon has not answered in time");
  }
  if (question.answer.status == wire::AdminStatus::refused) {
    return Error(question.code, std::move(question.answer.text));
  }
  return std::move(question.answer);
}

void Enquiries::receive(std::unique_lock<std::mutex>& lock, os::Deadline deadline) {
  receiving_ = true;
  lock.unlock();
  auto packet = os::receive_packet(socket_.get(), deadline);
  lock.lock();
  receiving_ = false;
  if (packet) {
    deliver(std::move(*packet));
  } else if (packet.error().code() != errc::timeout) {
    ended_ = true;
  }
  received_.notify_all();
}

void Enquiries::deliver(os::Packet packet) {
  if (packet.end) {
    ended_ = true;
    return;
  }
  const auto answer = wire::decode_admin_answer(std::as_bytes(std::span(packet.bytes)));
  if (!answer) {
    ended_ = true;  // not a daemon that we understand: nothing it sends counts
    return;
  }
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Question* question) {
    return question->serial == answer->serial;
  });
  if (found == open_.end()) return;  // whoever asked has given up
  Question& question = **found;
  question.answer.status = answer->status;
  question.answer.number = answer->number;
  question.answer.text += answer->text;
  question.code = answer->code;
  if (answer->descriptor && !packet.descriptors.empty()) {
    question.answer.descriptor = std::move(packet.descriptors.front());
  }
  question.answered = !answer->more;
}

}  // namespace dfs::client
