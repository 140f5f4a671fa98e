"""A sum over the bytes of each file, so that a changed one is found; files of before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("checksum", sa.Text(), nullable=True))
