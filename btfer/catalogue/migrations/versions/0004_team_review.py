"""Several reviewers: verdicts known on every machine, adjudication, leases; hints on faces."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("face", sa.Column("hints", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column(
        "verdict", sa.Column("final", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("verdict", sa.Column("uid", sa.String(), nullable=False, server_default=""))
    sqlite = op.get_bind().dialect.name == "sqlite"
    fresh = "lower(hex(randomblob(16)))" if sqlite else "replace(gen_random_uuid()::text, '-', '')"
    op.execute(f"UPDATE verdict SET uid = {fresh}")
    op.execute("UPDATE verdict SET final = true WHERE reviewer = 'withdrawal'")
    op.create_index("verdict_uid", "verdict", ["uid"], unique=True)
    op.create_table(
        "review_plan",
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("reviewers_per_image", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round"),
    )
    op.create_table(
        "lease",
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("round", "subject", "reviewer"),
    )
