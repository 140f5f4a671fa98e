"""To how many people jobs were shown: kept up between reads, also where several rankings ask at once."""

from datetime import UTC, datetime

import pytest

from layer7.storage.database import schema
from layer7.storage.services.shown import FRESH, Shown

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SINCE = "2026-02-16T00:00:00+00:00"


@pytest.fixture
def exposed(home):
    with home.state.write() as connection:
        for person, job in (("a", "j1"), ("b", "j1"), ("a", "j2")):
            connection.execute(schema.exposures.insert().values(job=job, person=person, at=AT.isoformat()))
    return home


def test_counts_are_read_once_kept_up_and_read_anew(exposed):
    shown = Shown()
    with exposed.state.read() as connection:
        asked = {"since": SINCE, "at": AT}
        assert shown.counts(connection, ["j1", "j2", "j3"], **asked) == {"j1": 2, "j2": 1}
        shown.add(["j3", "a job that nobody asked for"])
        assert shown.counts(connection, ["j3"], **asked) == {"j3": 1}
        assert shown.counts(connection, ["j3"], since=SINCE, at=AT + FRESH) == {}


def test_who_asks_while_another_reads_loses_nothing(exposed):
    """Another ranking asks, and answers, in the middle of this one's read; then this one answers."""
    shown = Shown()

    class Slow:
        def __init__(self, connection):
            self.connection, self.asked = connection, 0

        def execute(self, query):
            self.asked += 1
            if self.asked == 1:
                assert shown.counts(self, ["j2"], since=SINCE, at=AT) == {"j2": 1}
            return self.connection.execute(query)

    with exposed.state.read() as connection:
        slow = Slow(connection)
        assert shown.counts(slow, ["j1"], since=SINCE, at=AT) == {"j1": 2}
        assert shown.counts(slow, ["j1", "j2"], since=SINCE, at=AT) == {"j1": 2, "j2": 1}
    assert slow.asked == 2
