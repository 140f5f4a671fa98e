"""Small applications tables, written by hand."""

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from layer7.analytics import Outlook

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
TEXTS = ("strategy_mode", "category", "title", "seniority", "max_stage", "closed")
MOMENTS = (
    "created_at", "sent_at", "submitted_at", "interview_at", "offer_at", "rejected_at", "ghosted_at",
)  # fmt: skip
NUMBERS = ("answer_days", "interview_days", "rejection_days", "fit_score", "resume_score")
APPLICATION = pa.schema(
    [("person", pa.string()), ("bucket", pa.int16()), ("application_id", pa.string())]
    + [(name, MOMENT) for name in MOMENTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [(name, pa.string()) for name in TEXTS]
    + [("local_hour", pa.int8())]
)
EVENT = pa.schema(
    [
        ("person", pa.string()),
        ("bucket", pa.int16()),
        ("event_type", pa.string()),
        ("event_time", MOMENT),
        ("before_score", pa.float64()),
        ("after_score", pa.float64()),
        ("user_accepted", pa.bool_()),
    ]
)


def application(day, *, person="a0", interview=None, rejection=None, offer=None, sent=True, **more):
    """An application sent some days after 2026-01-01 (noon), with answers after so many days, if any."""
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)

    def after(days):
        return None if days is None else at + timedelta(days=days)

    stage = "submitted" if sent else "draft"
    if interview is not None or offer is not None:
        stage = "interview" if offer is None else "offer"
    answers = [days for days in (interview, rejection, offer) if days is not None]
    row = {
        "person": person, "bucket": 0, "application_id": "x", "created_at": at, "max_stage": stage,
        "submitted_at": at if sent else None, "sent_at": at if sent else None,
        "interview_at": after(interview if interview is not None else offer), "offer_at": after(offer),
        "rejected_at": after(rejection), "closed": "open" if rejection is None else "rejected",
        "interview_days": interview, "rejection_days": rejection,
        "answer_days": min(answers) if answers else None,
    }  # fmt: skip
    return row | more


def resume(day, before, after, *, person="a0", accepted=True, kind="RESUME_REWRITTEN"):
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    return {
        "person": person, "bucket": 0, "event_type": kind, "event_time": at,
        "before_score": before, "after_score": after, "user_accepted": accepted,
    }  # fmt: skip


def table(rows, schema):
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(full, schema=schema))


@pytest.fixture
def build():
    """Give makers of applications and events, of tables of them, and a night of a simple curve."""

    class Build:
        application = staticmethod(application)
        resume = staticmethod(resume)
        as_of = AS_OF

        @staticmethod
        def applications(*rows):
            return table(rows, APPLICATION)

        @staticmethod
        def events(*rows):
            return table(rows, EVENT)

        @staticmethod
        def night(unseen=0.5, days=20, ghosted_after=30):
            curve = ibis.memtable(pa.table({"age": list(range(days)), "unseen": [unseen] * days}))
            return Outlook(AS_OF, curve, ghosted_after)

    return Build
