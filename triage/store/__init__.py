"""The store: SQLite on one machine, PostgreSQL in production; one contract suite for both."""
