"""Which of two copies has see-through letters over it: the other one stays."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("comparison", sa.Column("marked", sa.String(), nullable=False, server_default=""))
