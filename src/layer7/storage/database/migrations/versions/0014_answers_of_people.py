"""Answers about a person are hers: sealed, and found by her pseudonym; earlier ones are let go."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM answers")
    op.add_column("answers", sa.Column("person", sa.Text(), nullable=True))
