"""What a person wrote beside a verdict, and whether they were unsure and ask for a second person's vote."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("verdict", sa.Column("note", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "verdict", sa.Column("unsure", sa.Boolean(), nullable=False, server_default=sa.false())
    )
