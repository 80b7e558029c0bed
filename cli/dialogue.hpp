// What is said to, and asked of, the person who looks on: standard error, never standard output.
#pragma once

#include <string_view>

namespace dfs::cli {

/// One line on standard error.
void notice(std::string_view text);

/// Asks a question that is answered by yes (or Enter) or no. Without a terminal at both ends nobody
/// is asked, and the answer is no.
[[nodiscard]] bool ask(std::string_view question);

}  // namespace dfs::cli
