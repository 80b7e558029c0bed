# Many processes, kill -9, successors.
dfs_process_test(bank_test)
dfs_process_test(compaction_test)
dfs_process_test(watch_test)
dfs_process_test(history_test)
dfs_process_test(kill_client_test)
dfs_process_test(kill_daemon_test)
dfs_process_test(second_daemon_test)
