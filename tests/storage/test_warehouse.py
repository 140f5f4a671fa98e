"""The applications table is the same however the nights cut the log, and whatever way they take."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete

from layer7.storage.database.schema import meta
from layer7.storage.warehouse import warehouse
from layer7.storage.warehouse.reading import Horizon

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATE = date(2026, 3, 1)
WAYS = {"beside": (10**9, 1.0), "buckets": (0, 0.0), "both": (40, 0.0)}


@pytest.fixture
def way(request, monkeypatch):
    """Let nights write beside the large files, or bucket by bucket, or now so and now so."""
    small, share = WAYS[request.param]
    monkeypatch.setattr(warehouse, "_SMALL", small)
    monkeypatch.setattr(warehouse, "_BASE_SHARE", share)


every_way = pytest.mark.parametrize("way", WAYS, indirect=True)
uses_way = pytest.mark.usefixtures("way")


def random_events(seed, count=160):
    dice = Random(seed)
    found = []
    for at in range(count):
        kind = dice.choice(
            ("APPLICATION_CREATED", "APPLICATION_SUBMITTED", "STATUS_CHANGED", "STATUS_CHANGED")
        )
        event = {
            "event_id": f"e{at}",
            "event_type": kind,
            "user_id": f"u{dice.randint(1, 6)}",
            "timestamp": (START + timedelta(hours=dice.randint(0, 240))).isoformat(),
            "application_id": f"a{dice.randint(1, 12)}",
            "job_id": f"j{at}",
            "resume_version_id": "r",
            "context": {"fit_score": dice.randint(0, 100)},
        }
        if kind == "STATUS_CHANGED":
            event["outcome"] = {"status": dice.choice(("interview", "offer", "rejected", "ghosted"))}
        found.append(event)
    return found


def fold(home, day=LATE, *, known_at=None):
    return home.warehouse.fold(
        Horizon(day, known_at or START + timedelta(days=99)), at=START, progress=lambda _: None
    )


def table(home):
    with home.warehouse.open() as tables:
        found = tables.read("applications")
        rows = [] if found is None else found.to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: (row["person"], row["application_id"]))


def anew(home):
    """Fold the whole log again, as if no table had been there."""
    with home.state.write() as connection:
        connection.execute(delete(meta).where(meta.c.key == "applications"))
    fold(home)
    return table(home)


@every_way
@uses_way
@pytest.mark.parametrize("seed", range(2))
def test_nights_give_the_same_as_one_go(home, take, seed):
    dice = Random(seed)
    events = random_events(seed)
    nights = [dice.choices(events, k=30) for _ in range(3)] + [events]
    for night in nights:
        take(home, night)
        fold(home)
    by_nights = table(home)
    assert len({(row["person"], row["application_id"]) for row in by_nights}) == len(by_nights) > 40
    assert anew(home) == by_nights


@every_way
@uses_way
def test_a_past_day_gives_its_past_table_and_the_way_back_the_present(home, take):
    events = random_events(7, 120)
    past = [
        event for event in events if datetime.fromisoformat(event["timestamp"]).date() <= date(2026, 1, 5)
    ]
    take(home, past)
    fold(home, date(2026, 1, 5))
    expected = table(home)
    take(home, events)
    fold(home)
    present = table(home)
    assert present != expected
    fold(home, date(2026, 1, 5))
    assert table(home) == expected
    fold(home, date(2026, 1, 6))
    fold(home)
    assert table(home) == present


@every_way
@uses_way
def test_what_was_received_later_is_not_known(home, take):
    """Also after a look back: the files it leaves out have to be folded again on the way forward."""
    events = random_events(3, 120)
    take(home, events[:60], at=START + timedelta(days=20))
    fold(home, known_at=START + timedelta(days=21))
    first = table(home)
    take(home, events, at=START + timedelta(days=30))
    fold(home, known_at=START + timedelta(days=31))
    present = table(home)
    fold(home, known_at=START + timedelta(days=21))
    assert table(home) == first
    fold(home, known_at=START + timedelta(days=31))
    assert table(home) == present


def test_a_night_without_news_folds_nothing(home, take, make_event):
    assert fold(home) == 0
    assert table(home) == []
    take(home, [make_event()])
    assert (fold(home), fold(home), fold(home, LATE + timedelta(days=1))) == (1, 0, 0)
    assert len(table(home)) == 1


def test_events_of_other_kinds_only(home, take, make_event):
    take(home, [make_event(event_type="ERASURE_REQUESTED")])
    assert (fold(home), fold(home)) == (1, 0)
    assert table(home) == []


def test_an_event_that_lies_ahead_is_folded_when_its_day_comes(home, take, make_event):
    take(home, [make_event(timestamp="2026-01-05T00:00:00Z"), make_event(application_id="a2")])
    fold(home, date(2026, 1, 4))
    assert table(home) == []
    fold(home, date(2026, 1, 5))
    assert [row["application_id"] for row in table(home)] == ["a1"]
    fold(home, date(2026, 1, 10))
    assert [row["application_id"] for row in table(home)] == ["a1", "a2"]


def test_a_log_that_was_emptied_empties_the_table(home, take, make_event, now):
    take(home, [make_event()])
    fold(home)
    with home.state.write() as connection:
        home.manifest.publish(connection, gone=home.manifest.live("events"), at=now)
    fold(home, date(2026, 1, 20))
    assert table(home) == []


class TestCompaction:
    def compact(self, home):
        return home.warehouse.compact(at=START, progress=lambda _: None)

    @pytest.fixture(autouse=True)
    def eager(self, monkeypatch):
        monkeypatch.setattr(warehouse, "_WORTH_SORTING", 0)

    def test_the_log_stays_the_same_and_is_sorted_by_bucket(self, home, take, logged):
        for part in (random_events(1), random_events(2, 200)):
            take(home, part)
        before = logged(home)
        assert self.compact(home) == 0
        fold(home)
        folded = table(home)
        assert self.compact(home) == len(before)
        assert logged(home) == before
        assert sorted(file.bucket for file in home.manifest.live("events")) == sorted(
            {row["bucket"] for row in before}
        )
        assert (fold(home), table(home)) == (0, folded)
        assert self.compact(home) == 0

    def test_what_comes_afterwards_is_still_told_apart(self, home, take, logged):
        events = random_events(1)
        take(home, events[:100])
        fold(home)
        self.compact(home)
        assert take(home, events).accepted == 60
        fold(home)
        self.compact(home)
        assert len(logged(home)) == 160
        by_nights = table(home)
        assert anew(home) == by_nights

    def test_news_that_lie_ahead_stay_news(self, home, take, make_event):
        take(home, [make_event(timestamp="2026-01-05T00:00:00Z"), make_event(application_id="a2")])
        fold(home, date(2026, 1, 5))
        self.compact(home)
        fold(home, date(2026, 1, 10))
        assert [row["application_id"] for row in table(home)] == ["a1", "a2"]


class TestDerived:
    def test_a_table_is_replaced_as_a_whole(self, any_home, now):
        def replace(values):
            rows = pa.table({"person": ["p"] * len(values), "bucket": [1] * len(values), "x": values})
            return any_home.warehouse.replace("measures", rows, at=now)

        assert (replace([1, 2]), replace([3])) == (2, 1)
        assert any_home.warehouse.rows_of("measures", "p", 1) == [{"person": "p", "bucket": 1, "x": 3}]
        assert any_home.warehouse.rows_of("measures", "q", 1) == []

    def test_a_table_that_was_not_made_is_none(self, home):
        with home.warehouse.open() as tables:
            assert (tables.read("measures"), tables.read("applications")) == (None, None)
        assert home.warehouse.rows_of("measures", "p", 1) == []


@every_way
@uses_way
def test_files_written_before_a_field_was_known_are_read(home, take, monkeypatch):
    """An older version wrote a log without applicants and parts of the resume score; it folds as ever."""
    take(home, random_events(3))
    with closing(home.engine()) as engine:
        for path in home.manifest.paths(home.manifest.live("events")):
            older = engine.execute(
                f"SELECT * EXCLUDE (applicants, resume_score_components) FROM read_parquet('{path}')"
            ).to_arrow_table()
            pq.write_table(older, path)
    fold(home)
    before = table(home)
    assert before
    assert all(row["applicants"] is row["resume_score_components"] is None for row in before)
    monkeypatch.setattr(warehouse, "_WORTH_SORTING", 0)
    assert home.warehouse.compact(at=START, progress=lambda _: None) > 0
    assert anew(home) == before
