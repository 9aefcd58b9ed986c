"""Alembic runs this file: it runs the migrations on the connection of `storage.migrations`."""

from alembic import context

from storage.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by building it anew
    compare_type=True,
)
context.run_migrations()
