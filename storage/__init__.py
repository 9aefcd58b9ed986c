"""Where incidents are kept: the only SQL, for SQLite and PostgreSQL alike; rows never leave it."""
