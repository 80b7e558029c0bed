# Clients that find the store, and start its daemon where they may.
dfs_process_test(start_test ROOT)
