"""What dedup has computed: hashes of each photo's views, what comparing two pictures found, hashes of level faces."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "photo_hash",
        sa.Column("photo", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("wholes", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["photo"], ["photo.sha256"]),
        sa.PrimaryKeyConstraint("photo", "kind"),
    )
    op.create_table(
        "comparison",
        sa.Column("one", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("difference", sa.Float(), nullable=False),
        sa.Column("same_scene", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("one", "other", "version"),
    )
    op.create_table(
        "face_hash",
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("face", "version"),
    )
    with op.batch_alter_table("pair_verdict") as pairs:
        pairs.add_column(
            sa.Column("asked_by", sa.String(), nullable=False, server_default="calibrate")
        )
