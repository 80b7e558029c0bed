#include "cli/merge_patch.hpp"

#include <unordered_map>

#include "cli/json_text.hpp"

namespace dfs::cli {

namespace {

// Both have at most kMaxValueDepth levels, so the recursion ends.
Result<void> merge(std::string_view target, std::string_view patch, std::string& out);

Result<void> append_member(const Member& member, std::string_view target, std::string_view patch,
                           std::string& out) {
  if (out.back() != '{') out += ',';
  out += member.quoted_name;
  out += ':';
  return merge(target, patch, out);
}

Result<void> merge_members(std::string_view target, std::string_view patch, std::string& out) {
  auto changes = members(patch);
  if (!changes) return std::move(changes).error();
  auto have = members(target.starts_with('{') ? target : "{}");
  if (!have) return std::move(have).error();
  std::unordered_map<std::string_view, std::string_view> to_do;
  for (const Member& change : *changes) to_do.emplace(change.name, change.value);

  out += '{';
  for (const Member& member : *have) {
    const auto change = to_do.find(member.name);
    if (change == to_do.end()) {
      if (out.back() != '{') out += ',';
      out += member.quoted_name;
      out += ':';
      out += member.value;
      continue;
    }
    const std::string_view value = change->second;
    to_do.erase(change);
    if (value == "null") continue;
    if (auto merged = append_member(member, member.value, value, out); !merged) return merged;
  }
  for (const Member& change : *changes) {
    if (change.value == "null" || !to_do.contains(change.name)) continue;
    if (auto merged = append_member(change, {}, change.value, out); !merged) return merged;
  }
  out += '}';
  return {};
}

Result<void> merge(std::string_view target, std::string_view patch, std::string& out) {
  if (patch.starts_with('{')) return merge_members(target, patch, out);
  out += patch;
  return {};
}

}  // namespace

Result<std::string> merge_patch(std::string_view target, std::string_view patch) {
  std::string out;
  out.reserve(target.size() + patch.size());
  if (auto merged = merge(target, patch, out); !merged) return std::move(merged).error();
  return out;
}

}  // namespace dfs::cli
