// What transactions of several processes saw and did, and whether it could have happened one after
// the other, in an order that keeps to the clock: strict serializability.
//
// Lists are only appended to, so the order of their writers can be read off them; sets are only
// inserted into, so whoever read one came before whoever inserted what it did not see. From these
// and from the clock follows who came before whom; a circle means that there is no such order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace dfs::test {

using Ids = std::vector<std::uint64_t>;

/// One transaction. It touches a list or a set once, reading before it writes.
struct HistoryEntry {
  bool committed = false;
  std::uint64_t begin_ns = 0;  ///< before its snapshot was taken
  std::uint64_t end_ns = 0;    ///< after its outcome was known
  std::map<int, Ids> lists_read;
  std::map<int, std::uint64_t> appended;  ///< list to id; each id is used once
  std::map<int, Ids> sets_read;
  std::map<int, std::uint64_t> inserted;  ///< set to id
};

inline void print(std::ostream& out, const HistoryEntry& entry) {
  const auto ids = [&out](char kind, const std::map<int, Ids>& read) {
    for (const auto& [number, seen] : read) {
      out << ' ' << kind << ' ' << number << ' ' << seen.size();
      for (const std::uint64_t id : seen) out << ' ' << id;
    }
  };
  const auto writes = [&out](char kind, const std::map<int, std::uint64_t>& written) {
    for (const auto& [number, id] : written) out << ' ' << kind << ' ' << number << ' ' << id;
  };
  out << (entry.committed ? 1 : 0) << ' ' << entry.begin_ns << ' ' << entry.end_ns;
  ids('l', entry.lists_read);
  ids('s', entry.sets_read);
  writes('a', entry.appended);
  writes('i', entry.inserted);
  out << '\n';
}

/// What `print` wrote on one line.
inline HistoryEntry parse_history_entry(const std::string& line) {
  std::istringstream in(line);
  HistoryEntry entry;
  in >> entry.committed >> entry.begin_ns >> entry.end_ns;
  char kind = 0;
  int number = 0;
  while (in >> kind >> number) {
    if (kind == 'l' || kind == 's') {
      Ids& seen = (kind == 'l' ? entry.lists_read : entry.sets_read)[number];
      std::size_t count = 0;
      in >> count;
      seen.resize(count);
      for (std::uint64_t& id : seen) in >> id;
    } else {
      in >> (kind == 'a' ? entry.appended : entry.inserted)[number];
    }
  }
  return entry;
}

/// Threads: one.
class HistoryCheck {
 public:
  explicit HistoryCheck(const std::vector<HistoryEntry>& history)
      : history_(history), after_(history.size()) {}

  /// What cannot have happened, or nothing. The last entry must have read everything.
  [[nodiscard]] std::optional<std::string> anomaly() {
    order_lists();
    order_sets();
    order_by_clock();
    if (!found_) find_circle();
    return found_;
  }
  [[nodiscard]] std::size_t edges() const { return edges_; }

 private:
  void report(const std::string& what) {
    if (!found_) found_ = what;
  }
  void comes_before(std::size_t first, std::size_t second) {
    if (first == second) return;
    after_[first].push_back(second);
    ++edges_;
  }

  void order_lists() {
    std::map<std::pair<int, std::uint64_t>, std::size_t> writers;
    for (std::size_t t = 0; t < history_.size(); ++t) {
      for (const auto& [list, id] : history_[t].appended) writers[{list, id}] = t;
    }
    const HistoryEntry& last = history_.back();
    for (const auto& [list, whole] : last.lists_read) {
      std::vector<std::size_t> order;  // the writer of each element
      for (const std::uint64_t id : whole) {
        const auto writer = writers.find({list, id});
        if (writer == writers.end() || !history_[writer->second].committed) {
          return report("element " + std::to_string(id) + " was never committed");
        }
        if (std::find(order.begin(), order.end(), writer->second) != order.end()) {
          return report("element " + std::to_string(id) + " is there twice");
        }
        order.push_back(writer->second);
      }
      for (std::size_t i = 1; i < order.size(); ++i) comes_before(order[i - 1], order[i]);
      for (std::size_t t = 0; t < history_.size(); ++t) order_reader(t, list, whole, order);
    }
    for (const auto& [place, writer] : writers) {
      if (!history_[writer].committed) continue;
      const auto whole = last.lists_read.find(place.first);
      if (whole == last.lists_read.end() || std::find(whole->second.begin(), whole->second.end(),
                                                      place.second) == whole->second.end()) {
        return report("element " + std::to_string(place.second) + " was committed and is lost");
      }
    }
  }
  void order_reader(std::size_t reader, int list, const Ids& whole,
                    const std::vector<std::size_t>& order) {
    const HistoryEntry& entry = history_[reader];
    const auto read = entry.lists_read.find(list);
    if (!entry.committed || read == entry.lists_read.end()) return;
    const Ids& seen = read->second;
    if (seen.size() > whole.size() || !std::equal(seen.begin(), seen.end(), whole.begin())) {
      return report("a list was read that never was");
    }
    if (!seen.empty()) comes_before(order[seen.size() - 1], reader);
    if (seen.size() < order.size()) comes_before(reader, order[seen.size()]);
  }

  void order_sets() {
    for (std::size_t reader = 0; reader < history_.size(); ++reader) {
      if (!history_[reader].committed) continue;
      for (const auto& [set, seen] : history_[reader].sets_read) {
        std::size_t found = 0;
        for (std::size_t writer = 0; writer < history_.size(); ++writer) {
          const auto inserted = history_[writer].inserted.find(set);
          if (inserted == history_[writer].inserted.end()) continue;
          const bool saw = std::binary_search(seen.begin(), seen.end(), inserted->second);
          if (saw && !history_[writer].committed) {
            return report("member " + std::to_string(inserted->second) + " was never committed");
          }
          if (!history_[writer].committed) continue;
          found += saw ? 1 : 0;
          saw ? comes_before(writer, reader) : comes_before(reader, writer);
        }
        if (found != seen.size()) return report("a member was read that nobody inserted");
      }
    }
  }

  /// Whoever had ended before another began comes before it. One more node for each end keeps the
  /// edges few: ends are in a row, each behind its transaction, and whoever begins follows the last
  /// end before.
  void order_by_clock() {
    std::vector<std::size_t> by_end;
    for (std::size_t t = 0; t < history_.size(); ++t) {
      if (history_[t].committed) by_end.push_back(t);
    }
    std::sort(by_end.begin(), by_end.end(), [this](std::size_t a, std::size_t b) {
      return history_[a].end_ns < history_[b].end_ns;
    });
    const std::size_t first_end = history_.size();
    after_.resize(first_end + by_end.size());
    for (std::size_t i = 0; i < by_end.size(); ++i) {
      comes_before(by_end[i], first_end + i);
      if (i > 0) comes_before(first_end + i - 1, first_end + i);
    }
    for (std::size_t t = 0; t < history_.size(); ++t) {
      if (!history_[t].committed) continue;
      const auto later = std::partition_point(by_end.begin(), by_end.end(), [&](std::size_t other) {
        return history_[other].end_ns < history_[t].begin_ns;
      });
      const auto ended = static_cast<std::size_t>(later - by_end.begin());
      if (ended > 0) comes_before(first_end + ended - 1, t);
    }
  }

  /// Takes away, again and again, what nothing comes before; what is left has a circle.
  void find_circle() {
    std::vector<std::size_t> before(after_.size(), 0);
    for (const auto& next : after_) {
      for (const std::size_t t : next) ++before[t];
    }
    std::vector<std::size_t> free;
    for (std::size_t t = 0; t < after_.size(); ++t) {
      if (before[t] == 0) free.push_back(t);
    }
    std::size_t taken = 0;
    while (!free.empty()) {
      const std::size_t t = free.back();
      free.pop_back();
      ++taken;
      for (const std::size_t next : after_[t]) {
        if (--before[next] == 0) free.push_back(next);
      }
    }
    if (taken < after_.size()) {
      report(std::to_string(after_.size() - taken) +
             " transactions and ends of such come before and behind each other");
    }
  }

  const std::vector<HistoryEntry>& history_;
  std::vector<std::vector<std::size_t>> after_;
  std::size_t edges_ = 0;
  std::optional<std::string> found_;
};

}  // namespace dfs::test
