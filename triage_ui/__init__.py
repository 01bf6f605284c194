"""The board and the REST API."""
