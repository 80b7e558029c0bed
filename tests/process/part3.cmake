# Clients that find the store, and start its daemon where they may.
dfs_process_test(start_test ROOT)
if(TARGET dfsctl AND NOT DFS_SANITIZE)
  dfs_process_test(start_refusal_test ROOT)
  target_link_libraries(start_refusal_test PRIVATE dfs_wire)
  target_compile_definitions(start_refusal_test PRIVATE DFSCTL="$<TARGET_FILE:dfsctl>")
  add_dependencies(start_refusal_test dfsctl)
endif()
