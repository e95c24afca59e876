"""Alembic revisions, one folder for each set of tables."""
