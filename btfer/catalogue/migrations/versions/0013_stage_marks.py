"""Among a million photos: those that came last, and where each stage left off."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_IN_THEIR_ORDER = """
    UPDATE photo SET number = arrived.number
    FROM (SELECT sha256, row_number() OVER (ORDER BY at, sha256) AS number FROM photo) AS arrived
    WHERE arrived.sha256 = photo.sha256
"""


def upgrade() -> None:
    op.add_column("photo", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    op.execute(_IN_THEIR_ORDER)
    op.create_index("photo_number", "photo", ["number"], unique=True)
    op.create_index("pair_verdict_at", "pair_verdict", ["at"])
    op.create_table(
        "stage_mark",
        sa.Column("stage", sa.String(), primary_key=True),
        sa.Column("settings", sa.String(), primary_key=True),
        sa.Column("version", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
    )
