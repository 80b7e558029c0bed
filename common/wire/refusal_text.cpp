// The texts of refusals: what, where, and what to do, from the figures that crossed the queue.
#include <algorithm>
#include <string>
#include <system_error>

#include "common/wire/reply.hpp"

namespace dfs::wire {

namespace {

/// As much of a key as helps a person to know it again.
constexpr std::size_t kShownKeyBytes = 64;

std::string quoted(std::string_view key) {
  std::size_t shown = std::min(key.size(), kShownKeyBytes);
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(key[at]) & 0xc0) == 0x80;
  };
  while (shown < key.size() && shown > 0 && continues(shown)) --shown;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : key.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  text += shown < key.size() ? "...\"" : "\"";
  return text;
}

/// `key "a"`, or where the key did not come along, its place in the request.
std::string named(const Refusal& refusal) {
  if (!refusal.key.empty()) {
    return (refusal.subject == Subject::range ? "the range from " : "key ") + quoted(refusal.key);
  }
  const std::string place = std::to_string(std::uint64_t{refusal.index} + 1);
  switch (refusal.subject) {
    case Subject::request:
      return "the request";
    case Subject::read:
      return "the key of read " + place;
    case Subject::range:
      return "range " + place + " of the transaction";
    case Subject::check:
      return "the key of check " + place;
    case Subject::write:
      return "the key of write " + place;
  }
  return "a part of the request";
}

std::string figure(std::uint64_t number, std::string_view unit) {
  std::string text = std::to_string(number);
  text += ' ';
  text += unit;
  return text;
}

std::string at_byte(const Refusal& refusal) { return " at byte " + std::to_string(refusal.offset); }

std::string key_text(const Refusal& refusal) {
  switch (refusal.rule) {
    case Rule::key_empty:
      return named(refusal) + " is empty; a key has 1 to " + figure(kMaxKeyBytes, "bytes");
    case Rule::key_has_nul:
      return named(refusal) + " has a NUL" + at_byte(refusal) + "; keys are text without NUL";
    case Rule::key_not_utf8:
      return named(refusal) + " is not UTF-8" + at_byte(refusal) +
             "; encode binary keys as text, in hex for example";
    case Rule::version_exhausted:
      return named(refusal) + " has had its last version, " + std::to_string(kMaxVersion) +
             "; use another key";
    default:
      return named(refusal) + " breaks a rule for keys; mend it";
  }
}

std::string value_text(const Refusal& refusal) {
  if (refusal.rule == Rule::value_too_deep) {
    return "the value of " + named(refusal) + " is nested deeper than " +
           figure(refusal.limit, "levels") + at_byte(refusal) + "; make it flatter";
  }
  return "the value of " + named(refusal) + " is not JSON" + at_byte(refusal) +
         "; a text needs its quotes";
}

std::string size_text(const Refusal& refusal) {
  switch (refusal.rule) {
    case Rule::key_too_long:
      return named(refusal) + " is longer than " + figure(refusal.limit, "bytes") +
             "; use a shorter key";
    case Rule::value_too_long:
      return "the value of " + named(refusal) + " is longer than " +
             figure(refusal.limit, "bytes") + "; split it over several keys";
    case Rule::value_too_deep:
      return value_text(refusal);
    case Rule::commit_records:
      return "the commit has more than " + figure(refusal.limit, "records") +
             "; split it into several commits";
    default:
      return "the commit has more than " + figure(refusal.limit, "bytes of keys and values") +
             "; split it into several commits";
  }
}

std::string transaction_text(const Refusal& refusal) {
  if (refusal.rule == Rule::commit_records) {
    return "the transaction read more than " + figure(refusal.limit, "keys or ranges") +
           "; read ranges rather than single keys, or less";
  }
  return named(refusal) + " takes more than " + figure(refusal.limit, "steps") +
         " to check; read less, or write sooner";
}

std::string memory_text(const Refusal& refusal) {
  const std::string text =
      "the store is full: " + figure(refusal.limit, "bytes") + " of memory are its limit; ";
  const std::string bytes = std::to_string(refusal.offset);
  switch (static_cast<Relief>(refusal.index)) {
    case Relief::letting_go:
      return text + "snapshots of old generations keep " + bytes +
             " of them (dfsctl clients says whose): let them go, delete, or raise memory_limit";
    case Relief::compacting:
      return text + "garbage takes " + bytes +
             " of them: compact (dfsctl compact), delete, or raise memory_limit";
    case Relief::erasing:
      return text + "live records take " + bytes + " of them: delete some, or raise memory_limit";
    default:
      return text + "delete or compact, or raise memory_limit";
  }
}

std::string full_text(const Refusal& refusal) {
  switch (refusal.rule) {
    case Rule::memory_limit:
      return memory_text(refusal);
    case Rule::disk_full: {
      std::string text = "the log could not be appended to";
      if (refusal.system_errno != 0) {
        text += ": " + std::generic_category().message(refusal.system_errno);
      }
      text += "; nothing was written; make room on its file system and try again";
      if (static_cast<Relief>(refusal.index) == Relief::compacting) {
        text +=
            " (about " + std::to_string(refusal.offset) + " of the log's " +
            figure(refusal.limit, "bytes") +
            " are garbage, which a compaction frees where there is room for a copy of the rest)";
      }
      return text;
    }
    case Rule::received_bytes_uid:
      return "this user's programs have " + figure(refusal.limit, "bytes") +
             " under way, their limit; wait for replies before sending more";
    default:
      return "the daemon has " + figure(refusal.limit, "bytes") +
             " under way, its limit; wait for replies before sending more";
  }
}

std::string busy_text(const Refusal& refusal) {
  if (refusal.rule == Rule::partial_requests) {
    return "this program is sending more than " + figure(refusal.limit, "large requests") +
           " at once; wait for some to end";
  }
  if (refusal.rule == Rule::none) return std::string(describe(errc::busy));
  return full_text(refusal);
}

std::string unsupported_text(const Refusal& refusal) {
  const std::string number = std::to_string(refusal.limit);
  switch (refusal.rule) {
    case Rule::unknown_kind:
      return "the daemon does not know requests of kind " + number + "; upgrade the daemon";
    case Rule::unknown_field:
      return "the daemon does not know field " + number + " of a request; upgrade the daemon";
    case Rule::unknown_flag:
      return "the daemon does not know all of a request's flags (" + number +
             "); upgrade the daemon";
    default:
      return std::string(describe(errc::unsupported));
  }
}

std::string text_of(const Refusal& refusal) {
  switch (refusal.code) {
    case errc::version_mismatch:
      return refusal.version == 0
                 ? named(refusal) + " is absent; read it again and decide again"
                 : named(refusal) + " has version " + std::to_string(refusal.version) +
                       ", not the expected one; read it again and decide again";
    case errc::transaction_conflict:
      return named(refusal) + " has changed since the transaction read it; begin anew";
    case errc::transaction_too_large:
      return transaction_text(refusal);
    case errc::bad_key:
      return key_text(refusal);
    case errc::bad_value:
      return value_text(refusal);
    case errc::too_large:
      return size_text(refusal);
    case errc::store_full:
      return full_text(refusal);
    case errc::busy:
      return busy_text(refusal);
    case errc::unsupported:
      return unsupported_text(refusal);
    case errc::bad_argument:
      if (refusal.rule == Rule::malformed) {
        return "the daemon could not read the request: it breaks off or goes wrong" +
               at_byte(refusal) + "; library and daemon may be of different builds";
      }
      return std::string(describe(refusal.code));
    case errc::system:
      return "the daemon could not do it: " + std::generic_category().message(refusal.system_errno);
    default:
      return std::string(describe(refusal.code));
  }
}

}  // namespace

Error to_error(const Refusal& refusal) {
  Error error(refusal.code, text_of(refusal));
  if (!refusal.key.empty()) error = error.with_key(refusal.key);
  if (refusal.version != 0) error = error.with_version(refusal.version);
  if (refusal.limit != 0) error = error.with_limit(refusal.limit);
  if (refusal.system_errno != 0) error = error.with_errno(refusal.system_errno);
  const bool is_place = refusal.code != errc::store_full;
  if (refusal.offset != 0 && is_place) error = error.with_place(0, refusal.offset);
  return error;
}

}  // namespace dfs::wire
