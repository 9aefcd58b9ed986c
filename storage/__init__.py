"""The store of incidents: the only SQL, on SQLite and PostgreSQL. Rows never leave the package."""
