"""Real parts for the tests: a Kafka broker, a PostgreSQL server, a browser, the data folder."""
