# What was acknowledged is on disk, reading makes no system call, and whatever fails is survived.
dfs_test(model_test model_test.cpp LIBS dfs_daemon LABELS unit)
dfs_process_test(hostile_test LIBS dfs_wire Boost::json)
dfs_process_test(reply_room_test LIBS dfs_wire)

# What is traced is what is installed: a sanitizer has system calls of its own.
if(NOT DFS_SANITIZE)
  add_executable(sequence_writer sequence_writer.cpp)
  target_link_libraries(sequence_writer PRIVATE dfs_options dfs)
  dfs_process_test(durable_test)
  target_compile_definitions(durable_test PRIVATE SEQUENCE_WRITER="$<TARGET_FILE:sequence_writer>")
  add_dependencies(durable_test sequence_writer)
  add_executable(quiet_reader quiet_reader.cpp)
  target_link_libraries(quiet_reader PRIVATE dfs_options dfs)
  dfs_process_test(syscall_test)
  target_compile_definitions(syscall_test PRIVATE QUIET_READER="$<TARGET_FILE:quiet_reader>")
  add_dependencies(syscall_test quiet_reader)

  # These trace, fill, cut and measure the daemon that is installed, not one that a sanitizer made.
  dfs_process_test(edited_log_test)
  dfs_process_test(limits_test)
  dfs_process_test(model_daemon_test)
  dfs_process_test(seed_test)
  dfs_process_test(seed_defect_test)
  dfs_process_test(service_test)
  dfs_process_test(config_test)
  dfs_process_test(full_disk_test ROOT)
  dfs_process_test(power_cut_test ROOT)
endif()
