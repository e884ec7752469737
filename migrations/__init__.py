"""How do the tables come to be? Alembic's migrations, one head, the same files for SQLite and PostgreSQL."""
