"""Alembic's entry: works on the connection that ``tables.migrate`` hands over, inside its transaction."""

from alembic import context

from soundforge.tables import Row, is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    include_object=is_ours,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
