"""Searches whose answer was suspicious; what a source states of a picture's size, and the copy that it keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "search", sa.Column("state", sa.String(), nullable=False, server_default="answered")
    )
    op.add_column("sighting", sa.Column("copy_url", sa.String(), nullable=False, server_default=""))
    op.add_column("sighting", sa.Column("width", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sighting", sa.Column("height", sa.Integer(), nullable=False, server_default="0"))
