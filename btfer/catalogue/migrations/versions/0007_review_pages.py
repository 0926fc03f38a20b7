"""How each page was judged (time, pictures never seen, guidelines), and answers on hidden gold pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "review_page",
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("unseen", sa.Integer(), nullable=False),
        sa.Column("guidelines", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("reviewer", "round", "at"),
    )
    op.create_table(
        "gold_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("photo", sa.String(), nullable=False),
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expression", sa.String(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["photo"], ["photo.sha256"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uid"),
    )
    op.create_index("ix_gold_answer_reviewer", "gold_answer", ["reviewer"])
