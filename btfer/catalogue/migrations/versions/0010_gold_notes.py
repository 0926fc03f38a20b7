"""What a person wrote beside an answer on a hidden gold picture, and whether they were unsure."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("gold_answer", sa.Column("note", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "gold_answer", sa.Column("unsure", sa.Boolean(), nullable=False, server_default=sa.false())
    )
