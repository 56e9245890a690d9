"""Runs the migrations on the connection that `records.database.prepare` hands over, inside its transaction."""

from alembic import context

from records.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="records_version",
    transactional_ddl=True,
)
context.run_migrations()
