# Many processes, kill -9, successors.
dfs_process_test(bank_test THREADS)
dfs_process_test(compaction_test THREADS)
dfs_process_test(compaction_killed_test THREADS)
dfs_process_test(compaction_memory_test THREADS)
dfs_process_test(watch_test)
dfs_process_test(endurance_test)
dfs_process_test(history_test THREADS)
dfs_process_test(isolation_test THREADS)
dfs_process_test(kill_client_test)
dfs_process_test(kill_daemon_test THREADS)
dfs_process_test(kill_at_random_test THREADS)
dfs_process_test(kill_compacting_test THREADS)
dfs_process_test(second_daemon_test)
dfs_process_test(resent_test)
dfs_process_test(given_back_test LIBS dfs_index dfs_wire)

# Once more with compaction going on all the time: switches, deletions and keys made again under all
# that these claim.
foreach(name bank_test history_test isolation_test model_daemon_test)
  if(TARGET ${name} AND NOT DFS_SANITIZE)
    add_test(NAME compacting.${name} COMMAND ${name})
    set_tests_properties(compacting.${name} PROPERTIES
      TIMEOUT 600 PROCESSORS 2 LABELS "process;${DFS_BUILD_LABEL}"
      ENVIRONMENT "RC_PARAMS=seed=20231119;DFS_TEST_DAEMON_OPTIONS=--compaction-interval 1ms --compaction-garbage 1 --feed-retention 0s")
  endif()
endforeach()
