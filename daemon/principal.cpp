#include "daemon/principal.hpp"

#include <algorithm>

#include "common/os/account.hpp"

namespace dfs::daemon {

Result<Principal> parse_principal(const std::string& text) {
  Principal principal;
  principal.text = text;
  principal.group = text.starts_with('@');
  const std::string name = principal.group ? text.substr(1) : text;
  auto id = principal.group ? os::group_id(name) : os::user_id(name);
  if (!id) return std::move(id).error();
  principal.id = *id;
  return principal;
}

Result<std::vector<Principal>> parse_principals(const std::string& text) {
  std::vector<Principal> principals;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    auto principal = parse_principal(text.substr(from, to - from));
    if (!principal) return std::move(principal).error();
    principals.push_back(std::move(*principal));
    from = to + 1;
  }
  return principals;
}

std::string principals_text(const std::vector<Principal>& principals) {
  std::string text;
  for (const Principal& principal : principals) {
    if (!text.empty()) text += ',';
    text += principal.text;
  }
  return text;
}

}  // namespace dfs::daemon
