"""Runs the migrations on the connection that `masking.database.prepare` hands over, inside its transaction."""

from alembic import context

from masking.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="masking_version",
    transactional_ddl=True,
)
context.run_migrations()
