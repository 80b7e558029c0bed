// What /proc tells of processes and locks: for messages and refusals, never for what must be right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/os/file.hpp"

namespace dfs::os {

/// All of a file below /proc or /sys, which have no size to go by; empty where it cannot be read.
[[nodiscard]] std::string read_proc(const std::string& path);

/// What a process does at the moment, in words that fit behind "it is": "stopped by a signal (kill
/// -CONT 12 lets it go on)", "waiting for a disk (dfs-writer in fdatasync)"; the call only where
/// the kernel tells. (Since when, it does not: its clock of a thread's last run is another one on
/// each processor, seconds apart in a virtual machine.) Empty where /proc shows no such process.
[[nodiscard]] std::string state_of_process(std::int32_t pid);

/// Whether a process is ending: its memory is gone, or it is, while what else it has goes.
[[nodiscard]] bool is_exiting(std::int32_t pid);

/// The process that took a flock on the file; 0 where it has ended and others keep its lock.
/// Nothing where no lock is seen: nobody holds one, or a process of another pid name space does.
[[nodiscard]] std::optional<std::int32_t> lock_holder(const FileStatus& file);

/// The service of the system's own service manager that this process runs in: `nginx.service`.
/// Empty in a login session, a user's service, a container, and without systemd.
[[nodiscard]] std::string system_service();
/// The same, from the text of /proc/PID/cgroup.
[[nodiscard]] std::string system_service_in(std::string_view control_groups);

}  // namespace dfs::os
