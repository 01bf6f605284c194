"""What a change of a config would do, found by running history through the old and the new one."""
