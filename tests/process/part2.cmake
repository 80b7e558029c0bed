# What was acknowledged is on disk, reading makes no system call, and whatever fails is survived.
dfs_test(model_test model_test.cpp LIBS dfs_daemon LABELS unit)
