#include "common/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace dfs {

void assertion_failed(std::string_view expression, std::string_view why, std::string_view file,
                      int line) noexcept {
  std::fprintf(stderr, "dfs: %.*s:%d: %.*s does not hold: %.*s\n", static_cast<int>(file.size()),
               file.data(), line, static_cast<int>(expression.size()), expression.data(),
               static_cast<int>(why.size()), why.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace dfs
