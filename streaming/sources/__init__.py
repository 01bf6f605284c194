"""Where events come from when nobody else writes them to the log: files, pipes, a simulator."""
