#include "daemon/opening.hpp"

#include <algorithm>
#include <string_view>

#include "common/log/encode.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "common/os/random.hpp"
#include "common/wire/commit_id.hpp"
#include "daemon/faults.hpp"
#include "daemon/fitness.hpp"
#include "daemon/hand_lines.hpp"
#include "daemon/index_loader.hpp"
#include "daemon/log_reader.hpp"
#include "daemon/side_file.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

index::StoreId id_from(const std::string& hex) {
  index::StoreId id{};
  if (const auto parsed = wire::parse_store_id(hex)) {
    std::transform(parsed->begin(), parsed->end(), id.begin(),
                   [](std::byte b) { return static_cast<std::uint8_t>(b); });
  }
  return id;
}

/// The id and base that the first line of a log names; nothing where it is none.
log::First first_of(LogReader& reader) {
  log::Lines lines(reader.bytes(), reader);
  if (lines.at_end()) return {};
  lines.next();
  log::Line line;
  log::decode(lines.text(), line);
  return line.kind == log::LineKind::first ? line.first : log::First();
}

Result<void> make_index(OpenedStore& store, const OpeningParts& parts, std::uint64_t log_bytes) {
  store.generation.reset();
  auto control = ControlMemory::make(id_from(store.store_id), parts.mark);
  if (!control) return std::move(control).error();
  store.control = std::move(*control);
  store.budget = std::make_unique<MemoryBudget>(memory_limit_of(parts.options.memory_limit));
  index::NewGeneration first;
  first.number = 1;
  first.seed = os::random_number();
  first.store = id_from(store.store_id);
  // A guess at the number of keys, from the size of a common line; the table grows or stays larger.
  first.expected_keys = log_bytes / 256;
  auto generation = Generation::make(store.control->page(), first, *store.budget,
                                     MemoryBudget::For::current, parts.mark);
  if (!generation) return std::move(generation).error();
  store.generation = std::move(*generation);
  return {};
}

std::string new_log_image(const std::string& store_id) {
  std::string image;
  log::First first;
  first.store = store_id;
  first.dfs = kVersion;
  log::append_first(image, first);
  log::Start start;
  start.after = 0;
  start.next = 1;
  start.time_ms = os::wall_clock_ms();
  log::append_start(image, start);
  return image;
}

/// Writes a new log whole under another name, then puts it in place: by a link where nothing
/// stands, by a rename where an empty file does, whose owner and mode it keeps.
Result<os::File> make_log(const std::string& path, const os::File* empty,
                          const std::string& image) {
  const std::string fresh_path = path + ".new";
  if (auto gone = os::remove(fresh_path); !gone) return std::move(gone).error();
  auto fresh =
      os::File::open(fresh_path, {.write = true, .create = true, .exclusive = true, .mode = 0666});
  if (!fresh) return fresh;
  const auto made = [&]() -> Result<void> {
    if (auto r = fresh->write_at(image, 0); !r) return r;
    if (empty != nullptr) {
      auto status = empty->status();
      if (!status) return std::move(status).error();
      if (auto r = fresh->set_owner(status->uid, status->gid); !r) return r;
      if (auto r = fresh->set_mode(status->mode); !r) return r;
    }
    if (auto r = fresh->sync_all(); !r) return r;
    if (auto locked = fresh->try_lock(); !locked) return std::move(locked).error();
    if (empty != nullptr) return os::rename(fresh_path, path);
    if (auto r = os::link(fresh_path, path); !r) return r;
    return os::remove(fresh_path);
  }();
  if (!made) {
    static_cast<void>(os::remove(fresh_path));
    return made.error();
  }
  // Before the first acknowledgement the name must be durable too.
  if (auto synced = os::sync_directory_of(path); !synced) return std::move(synced).error();
  fresh->rename_to(path);
  return fresh;
}

Result<void> load_go_file(OpenedStore& store, const OpeningParts& parts, std::string_view bytes) {
  auto go = log::read_go_file(bytes);
  if (!go) return std::move(go).error();
  store.store_id = os::random_hex(16);
  if (auto made = make_index(store, parts, bytes.size()); !made) return made;
  IndexLoader loader(*store.generation, go->base, bytes, parts.pulse);
  for (log::Record& record : go->records) {
    record.in_base = true;
    if (auto added = loader.record(record); !added) return added;
  }
  if (auto loaded = loader.finish(); !loaded) return loaded;
  store.generation->index().publish(go->base);
  std::string image;
  log::append_go_conversion(image, *go, store.store_id, kVersion, os::wall_clock_ms());
  store.go = std::make_unique<GoConversion>(std::move(image), go->base);
  store.start.last = go->base;
  store.start.next = go->base + 1;
  store.start.floors.floor = go->floor;
  store.records = go->records.size();
  store.notices.push_back(
      parts.options.store + ": a file of the Go library, " + std::to_string(go->records.size()) +
      " records; served as it is, written anew by the first commit (the old one stays as " +
      os::name_of(parts.options.store) + ".original)");
  if (go->torn) {
    store.notices.push_back(parts.options.store + ": its last line is torn (from byte " +
                            std::to_string(go->good_end) + ") and does not count");
  }
  return {};
}

/// Cuts what recovery says, keeping it aside; every step may be done again.
Result<void> cut(const os::File& file, const log::Recovery& found, std::string_view bytes,
                 HandLines& hand, OpenedStore& store) {
  const bool torn = found.kind == log::RecoveryKind::cut;
  const std::string where = "at byte " + std::to_string(found.good_end);
  if (!found.hand_written.empty()) {
    const std::uint64_t end = torn ? found.bad_offset : bytes.size();
    auto kept = hand.keep(bytes.substr(found.good_end, end - found.good_end), found.last());
    if (!kept) return std::move(kept).error();
    store.notices.push_back(file.path() + ": " + std::to_string(found.hand_written.size()) +
                            " lines written by hand are cut out " + where + " and kept in " +
                            *kept + " until they are committed");
  }
  if (torn) {
    auto aside = keep_torn(file, bytes.substr(found.good_end),
                           std::max(found.missing_sequence, found.last() + 1));
    if (!aside) return std::move(aside).error();
    store.notices.push_back(file.path() + ": line " + std::to_string(found.bad_line) + " (byte " +
                            std::to_string(found.bad_offset) + "): " + found.reason + "; cut " +
                            where + ", " + std::to_string(bytes.size() - found.good_end) +
                            " bytes kept in " + *aside);
  }
  pass(StopPoint::kept_aside);
  if (auto r = file.truncate(found.good_end); !r) return r;
  pass(StopPoint::cut);
  return {};
}

/// Reads the log until nothing is left to cut, and loads it.
Result<log::Recovery> recover_log(OpenedStore& store, const os::File& file,
                                  const OpeningParts& parts) {
  std::uint64_t next = 0;
  for (int round = 0;; ++round) {
    auto reader = LogReader::start(file);
    if (!reader) return std::move(reader).error();
    const std::string_view bytes = (*reader)->bytes();
    const log::First first = first_of(**reader);
    store.store_id = first.store;
    if (auto made = make_index(store, parts, bytes.size()); !made) return std::move(made).error();
    IndexLoader loader(*store.generation, first.base, bytes, parts.pulse);
    HandLines hand(file, loader);
    hand.find(first.store);
    log::RecordVisitor& visitor = hand.any() ? static_cast<log::RecordVisitor&>(hand) : loader;
    log::Recovery found = log::recover(bytes, **reader, visitor);
    // What was not read looks like damage, and what was not loaded is no store.
    if (auto read = (*reader)->finish(); !read) return std::move(read).error();
    if (auto loaded = loader.finish(); !loaded) return std::move(loaded).error();
    if (found.kind == log::RecoveryKind::go_file) {
      if (auto loaded = load_go_file(store, parts, bytes); !loaded)
        return std::move(loaded).error();
      store.notices.insert(store.notices.end(), hand.notices().begin(), hand.notices().end());
      return found;
    }
    if (found.kind == log::RecoveryKind::empty) return found;
    if (!found.usable()) return found.error(file.path());
    next = std::max(next, found.next);
    if (found.good_end == bytes.size()) {
      store.generation->index().publish(found.last());
      for (const std::uint64_t line : found.edited_lines) {
        store.notices.push_back(file.path() + ": line " + std::to_string(line) +
                                " was edited by hand (no checksum) and is accepted");
      }
      found.next = next;
      auto work = hand.finish(found);
      if (!work) return std::move(work).error();
      store.start.hand = std::move(*work);
      store.notices.insert(store.notices.end(), hand.notices().begin(), hand.notices().end());
      return found;
    }
    if (round > 1)
      return Error(errc::system, file.path() + " does not keep what is cut off; check the disk");
    if (auto done = cut(file, found, bytes, hand, store); !done) return std::move(done).error();
  }
}

}  // namespace

Result<OpenedStore> open_store(const OpeningParts& parts) {
  OpenedStore store;
  const std::string& path = parts.options.store;
  bool fresh = false;
  auto there = os::status_of(path);
  if (!there && there.error() != errc::absent) return std::move(there).error();
  // Whatever was not finished. Of a new log it may be the first of two names.
  if (auto gone = os::remove(path + ".new"); !gone) return std::move(gone).error();
  if (!there) {
    if (auto good = check_file_system(os::directory_of(path)); !good)
      return std::move(good).error();
  }
  auto file =
      there ? open_log(path, *there) : make_log(path, nullptr, new_log_image(os::random_hex(16)));
  if (!file) return std::move(file).error();
  if (auto good = check_log(*file, store.notices); !good) return std::move(good).error();
  if (auto locked = lock_log(*file); !locked) return std::move(locked).error();
  fresh = !there;
  if (there && there->size == 0) {
    auto made = make_log(path, &*file, new_log_image(os::random_hex(16)));
    if (!made) return std::move(made).error();
    file = std::move(made);
    fresh = true;
  }

  auto found = recover_log(store, *file, parts);
  if (!found) return std::move(found).error();
  pass(StopPoint::reread);
  auto status = file->status();
  if (!status) return std::move(status).error();
  store.log = std::make_unique<LogFile>(std::move(*file), status->size);
  if (!store.go) {
    store.start.last = found->last();
    store.start.next = fresh ? 1 : found->next;
    store.start.floors = {found->floor, found->restored};
    store.gaps = found->gaps;
    store.records = found->records;
    if (!fresh) {
      std::string line;
      log::Start start;
      start.after = store.start.last;
      start.next = store.start.next;
      start.watermark = store.start.last;
      start.time_ms = os::wall_clock_ms();
      log::append_start(line, start);
      if (auto r = store.log->append(line); !r) return std::move(r).error();
      if (auto r = store.log->sync(); !r) return std::move(r).error();
    }
    if (store.start.next > store.start.last + 1) store.gaps.add(store.start.last, store.start.next);
  }
  store.control->page().durable.store(store.start.last, std::memory_order_release);
  index::make_current(store.control->page(), 1);
  return store;
}

}  // namespace dfs::daemon
