#include "common/log/base_part.hpp"

#include <utility>

#include "common/base/assert.hpp"

namespace dfs::log {

BasePart::BasePart(std::string& out, const First& first) : out_(out), sequence_(first.base) {
  DFS_ASSERT(sequence_ > 0, "a log that says it has a base has one");
  append_first(out_, first);
}

void BasePart::add(Record record) {
  DFS_ASSERT(!record.erased, "a base has live keys only");
  record.in_base = true;
  record.commit_records = 1;
  record.watermark.reset();
  append_record(out_, record);
  ++records_;
}

void BasePart::end(Base base) {
  base.records = records_;
  base.sequence = sequence_;
  append_base(out_, base);
}

}  // namespace dfs::log
