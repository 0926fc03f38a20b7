"""alembic runs this with the open connection that `open_catalogue` gives it."""

from alembic import context

from btfer.catalogue.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
