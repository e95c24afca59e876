"""The SQL store: SQLite or PostgreSQL, by one URL."""
