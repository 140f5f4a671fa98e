"""Consent: who recorded it, under which notice, from which event; a record is never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("actor", "policy_version"):
        op.add_column("consents", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("consents", sa.Column("event_id", sa.Text()))
    op.create_index(
        op.f("ix_consents_person_consents_event_id"), "consents", ["person", "event_id"], unique=True
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    act = (
        "BEGIN SELECT RAISE(ABORT, 'consents only grows'); END"
        if sqlite
        else "FOR EACH ROW EXECUTE FUNCTION layer7_append_only()"
    )
    op.execute(f"CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents {act}")
