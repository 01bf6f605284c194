"""Streams: config, records, transports, sources, the scoring worker, the grouper and the relay."""
