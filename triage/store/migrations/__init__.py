"""Alembic's scripts. ``migrate.migrate`` runs them."""
