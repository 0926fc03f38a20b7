"""The plan's version moves from the query to each sighting; the list of what was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sighting", sa.Column("plan", sa.String(), nullable=False, server_default=""))
    op.execute(
        "UPDATE sighting SET plan = (SELECT plan FROM query WHERE query.id = sighting.query)"
    )
    op.drop_column("query", "plan")
    op.create_table(
        "withdrawal",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
