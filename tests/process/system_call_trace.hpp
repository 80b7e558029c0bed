// The system calls of some processes, in the order in which they happened, as strace(1) wrote them
// down. A traced process does not go on before its call is written, so what caused what stands
// before it.
#pragma once

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dfs::test {

/// One line of a trace. A call that others interrupt is two events: entered, returned.
struct SystemCall {
  int thread = 0;
  std::string name;
  std::string arguments;  ///< as text, with paths behind descriptors
  bool entered = false;   ///< this event is its beginning
  bool returned = false;  ///< this event is its end, with a result
  std::int64_t result = 0;
};

/// Reads what `strace -f -y -o FILE` wrote.
class SystemCallTrace {
 public:
  explicit SystemCallTrace(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("no trace at " + path);
    for (std::string line; std::getline(file, line);) add(line);
  }
  [[nodiscard]] const std::vector<SystemCall>& calls() const { return calls_; }

  /// What stands before a command that is to be traced into `path`.
  [[nodiscard]] static std::vector<std::string> command(const std::string& path,
                                                        const std::string& calls) {
    return {"strace",         "-f", "-y",         "-qq", "-s", "64", "-o", path, "-e",
            "trace=" + calls, "-e", "signal=none"};
  }

 private:
  void add(std::string_view line) {
    SystemCall call;
    char* rest = nullptr;
    call.thread = static_cast<int>(std::strtol(std::string(line.substr(0, 12)).c_str(), &rest, 10));
    const std::size_t at = line.find_first_not_of("0123456789 ");
    if (at == std::string_view::npos) return;
    line.remove_prefix(at);
    constexpr std::string_view kResumed = " resumed>";
    if (line.starts_with("<... ")) {
      const std::size_t end = line.find(kResumed);
      if (end == std::string_view::npos) return;
      call.name = line.substr(5, end - 5);
      call.arguments = std::exchange(unfinished_[call.thread], {});
      call.arguments += line.substr(end + kResumed.size());
    } else {
      const std::size_t open = line.find('(');
      if (open == std::string_view::npos) return;  // an exit, a signal
      call.name = line.substr(0, open);
      call.entered = true;
      constexpr std::string_view kUnfinished = " <unfinished ...>";
      if (line.ends_with(kUnfinished)) {
        line.remove_suffix(kUnfinished.size());
        call.arguments = line.substr(open + 1);
        unfinished_[call.thread] = call.arguments;
        calls_.push_back(std::move(call));
        return;
      }
      call.arguments = line.substr(open + 1);
    }
    const std::size_t equals = call.arguments.rfind(") ");
    const std::size_t result = call.arguments.rfind("= ");
    if (equals != std::string::npos && result != std::string::npos && result > equals) {
      call.result = std::strtoll(call.arguments.c_str() + result + 2, nullptr, 0);
      call.returned = true;
      call.arguments.resize(equals);
    }
    calls_.push_back(std::move(call));
  }

  std::vector<SystemCall> calls_;
  std::map<int, std::string> unfinished_;
};

}  // namespace dfs::test
