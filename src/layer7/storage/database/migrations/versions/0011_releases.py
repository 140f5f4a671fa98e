"""Releases: what others may see of each week, and who took part in it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("rho_micro", sa.Integer(), nullable=False),
        sa.Column("noisy", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_releases")),
    )
    op.create_table(
        "participations",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.CheckConstraint("turn BETWEEN 1 AND 13", name=op.f("turn_of_a_year")),
        sa.ForeignKeyConstraint(["epoch"], ["releases.epoch"], name=op.f("fk_participations_epoch_releases")),
        sa.PrimaryKeyConstraint("person", "epoch", name=op.f("pk_participations")),
    )
    for table, verb in (("releases", "UPDATE"), ("releases", "DELETE"), ("participations", "UPDATE")):
        act = (
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
            if op.get_bind().dialect.name == "sqlite"
            else "FOR EACH ROW EXECUTE FUNCTION layer7_append_only()"
        )
        op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {act}")
