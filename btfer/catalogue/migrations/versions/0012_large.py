"""Among a million photos: the copies of one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    kept = sa.text("keeper != ''")
    op.create_index(
        "verdict_keeper", "verdict", ["keeper"], sqlite_where=kept, postgresql_where=kept
    )
