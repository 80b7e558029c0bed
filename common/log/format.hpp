// The format of the log: what its writer and its readers agree on. docs/log-format.md explains it.
//
//   log      = first [base-part] { line }
//   line     = ( record | start | mark | stop | other-control ) newline
//   base-part= { base-record newline } base newline        there when first says "base" above 0
//   first    = ["dfs",{"format":1,"store":HEX32,"base":S,"needs":[TEXT,...],"dfs":TEXT SEAL}]
//   base     = ["base",{"records":N,"s":S,"floor":V,"restored":V,"gaps":[[S,S],...],"t":T SEAL}]
//   start    = ["start",{"after":S,"next":S,"w":S,"t":T SEAL}]
//   mark     = ["mark",{"w":S SEAL}]
//   stop     = ["stop",{"w":S SEAL}]
//   record   = {"k":TEXT,"v":V,"d":false,"val":JSON,"s":S[,"n":N][,"w":S][,"t":T][,"by":TEXT] SEAL}
//            | {"k":TEXT,"v":V,"d":true,"s":S[,"n":N][,"w":S][,"t":T][,"by":TEXT] SEAL}
//   SEAL     = ,"c":"xxxxxxxx"     CRC-32C of the line's bytes before it, lower-case hex
//
// No white space between tokens, members in this order, no others. A base record has no n, w, by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/limits.hpp"

namespace dfs::log {

/// The number in the first line. A log with another one is of another major version.
inline constexpr std::uint64_t kFormat = 1;

/// Sequences, like versions, stay integers that a JSON number keeps everywhere.
inline constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 53;

/// Milliseconds since 1970; 48 bits are what a record in shared memory has for it.
inline constexpr std::uint64_t kMaxTimeMs = (std::uint64_t{1} << 48) - 1;

/// Digits of a store's id: 128 random bits in hex.
inline constexpr std::size_t kStoreIdDigits = 32;

/// `by`: a uid, a slash, and an origin.
inline constexpr std::size_t kMaxByBytes = 10 + 1 + kMaxOriginBytes;

/// Features that a log may need (`needs`) and how long the list may be.
inline constexpr std::size_t kMaxNeeds = 64;

/// The seal without its closing brackets: `,"c":"xxxxxxxx"`.
inline constexpr std::string_view kSealStart = ",\"c\":\"";
inline constexpr std::size_t kSealDigits = 8;
inline constexpr std::size_t kSealBytes = kSealStart.size() + kSealDigits + 1;

/// What a record adds to its key and value at most: names, punctuation, eight numbers, `by`
/// escaped, seal, newline.
inline constexpr std::size_t kMaxRecordOverhead = 256 + 6 * kMaxByBytes;
static_assert(kMaxValueBytes + 6 * kMaxKeyBytes + kMaxRecordOverhead <= kMaxLineBytes,
              "what passes the limits of key and value fits a line");

}  // namespace dfs::log
