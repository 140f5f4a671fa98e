"""Files in: every line is accounted for, and each event counts once, whatever the door."""

import gzip
import json
import multiprocessing as mp
import os
import weakref
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from children import PRELOAD, ingest
from layer7.contract import EVENT_EXAMPLES, EventType
from layer7.contract.reading import read_event
from layer7.errors import Layer7Error
from layer7.storage.database.schema import seen
from layer7.storage.home import open_home
from layer7.storage.intake import log, sources
from layer7.storage.intake.bulk import TYPED, Validator, typed_row
from layer7.storage.intake.door import ESSENCE, IDENTITY, as_table, essence, identity
from layer7.storage.intake.identities import Identities
from layer7.storage.intake.ingest import UNPRINTED, Ingest
from strategies import valid_events


def files(home, *paths, at):
    return home.ingest.files(paths, now=lambda: at, progress=lambda *_: None)


def accept(home, events, now):
    readings = [(json.dumps(event), read_event(json.dumps(event), now=now)) for event in events]
    return [receipt.status for receipt in home.inbox.accept(readings, now=now, source="http")]


def test_every_line_is_accounted_for(home, take, make_event):
    events = [
        make_event(),
        make_event(application_id="a2"),
        make_event(),
        make_event(event_type="NEW_TYPE"),
        make_event(user_id=None),
        make_event(application_id="a3", is_admin=True),
        "not json",
        "{}",
    ]
    summary = take(home, events)
    assert summary.as_json() == {
        "erased": 0,
        "accepted": 3,
        "duplicate": 1,
        "quarantined": 3,
        "ignored": 1,
        "by_type": {"APPLICATION_SUBMITTED": 3},
        "unknown_fields": {"is_admin": 1},
        "ignored_types": {"NEW_TYPE": 1},
        "quarantined_codes": {"invalid_json": 1, "missing_field": 2},
        "failed_files": {},
    }
    assert home.quarantine.counts() == {"invalid_json": 1, "missing_field": 2}


def test_every_example_comes_back_from_the_log(home, take, logged, now):
    assert take(home, EVENT_EXAMPLES.values()).accepted == len(EventType)
    rows = {row["event_type"]: row for row in logged(home)}
    # Whoever asks to be forgotten is hidden at once.
    assert set(rows) == set(EventType) - {EventType.ERASURE_REQUESTED}
    row = rows["STATUS_CHANGED"]
    assert (row["application_id"], row["status"]) == ("app_9", "interview")
    assert row["event_time"] == datetime(2025, 1, 11, 15, 40, tzinfo=UTC)
    assert (row["received_at"], row["person"]) == (now, home.keys.person("user_123"))
    assert {name for name, value in rows["CONSENT_CHANGED"].items() if value is not None} == {
        "event_id", "event_type", "person", "bucket", "event_time", "local_hour", "local_weekday",
        "received_at", "purpose", "value",
    }  # fmt: skip


def test_consents_are_kept_as_they_are_taken(home, take):
    take(home, [EVENT_EXAMPLES[EventType.CONSENT_CHANGED]] * 2)
    assert home.consents.of(home.keys.person("user_123")).value("contribute_to_market_insights") == "yes"


def test_names_that_may_be_private_are_counted_without_being_kept(home, take, make_event):
    take(
        home,
        [make_event(**{"anna@example.org": 1, "extra": 2}), make_event(event_type="call me at 555-1234")],
    )
    with home.state.read() as connection:
        kept = {(row.kind, row.name): row.n for row in connection.execute(seen.select())}
    assert kept == {("field", UNPRINTED): 1, ("field", "extra"): 1, ("type", UNPRINTED): 1}


class TestOnce:
    def test_the_same_file_twice(self, any_home, take, logged, make_event):
        events = [make_event(application_id=f"a{at}") for at in range(10)]
        assert take(any_home, events).accepted == 10
        again = take(any_home, events)
        assert (again.accepted, again.duplicate) == (0, 10)
        assert len(logged(any_home)) == 10

    def test_nothing_is_left_of_a_file_that_brought_nothing(self, home, take, make_event):
        take(home, [make_event()])
        take(home, [make_event()])
        listed = home.manifest.paths(home.manifest.live("events"))
        assert [str(path) for path in (home.path / "data").rglob("*.parquet*")] == listed

    def test_overlapping_files(self, home, take, logged, make_event):
        events = [make_event(application_id=f"a{at}") for at in range(30)]
        found = [take(home, part) for part in (events[:20], events[10:], events)]
        assert [summary.accepted for summary in found] == [20, 10, 0]
        assert len(logged(home)) == 30

    def test_two_processes_at_once(self, home, tmp_path, logged, make_event):
        paths = []
        for at in range(2):
            path = tmp_path / f"{at}.jsonl"
            path.write_text(
                "".join(json.dumps(make_event(application_id=f"a{n}")) + "\n" for n in range(at, 4000 + at))
            )
            paths.append(str(path))
        context = mp.get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        running = [
            context.Process(target=ingest, args=(str(home.path), order)) for order in (paths, paths[::-1])
        ]
        for process in running:
            process.start()
        for process in running:
            process.join(60)
        assert [process.exitcode for process in running] == [0, 0]
        assert len(logged(home)) == 4001

    def test_inbox_then_file_and_file_then_inbox(self, any_home, take, logged, make_event, now):
        first, second = make_event(), make_event(application_id="a2")
        assert accept(any_home, [first], now) == ["accepted"]
        assert take(any_home, [first, second]).accepted == 1
        assert any_home.inbox.drain(now=now) == 1
        assert accept(any_home, [first, second], now) == ["duplicate"] * 2
        assert take(any_home, [first, second]).duplicate == 2
        assert len(logged(any_home)) == 2

    def test_another_event_under_the_same_identity(self, any_home, take, logged, make_event, now):
        first, other = make_event(event_id="e"), make_event(event_id="e", application_id="other")
        assert take(any_home, [first, other, first]).quarantined_codes == {"event_id_conflict": 1}
        assert accept(any_home, [other], now) == ["conflict"]
        assert take(any_home, [other]).quarantined_codes == {"event_id_conflict": 1}
        assert [row["application_id"] for row in logged(any_home)] == ["a1"]
        (waiting,) = any_home.quarantine.waiting()
        assert json.loads(waiting.raw) == other

    def test_conflicts_of_columnar_rows_are_kept_as_events(self, home, tmp_path, make_event, now):
        path = tmp_path / "x.parquet"
        rows = [make_event(event_id="e"), make_event(event_id="e", application_id="other")]
        pq.write_table(pa.Table.from_pylist(rows), path)
        assert files(home, path, at=now).quarantined_codes == {"event_id_conflict": 1}
        (waiting,) = home.quarantine.waiting()
        assert json.loads(waiting.raw) == rows[1]


def test_events_that_needed_a_second_look_are_kept_once(home, take, logged, make_event):
    """The engine leaves them in its table, unsure, beside what became of them."""
    events = [make_event(timestamp=f"2026-01-{day:02d}T09:00Z", user_id=f"Zoë {day}") for day in range(1, 20)]
    assert take(home, [*events, make_event()]).accepted == 20
    assert len(logged(home)) == 20


class TestOneIdentity:
    """The same event has the same identity at every door."""

    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(events=st.lists(valid_events(), min_size=20, max_size=60))
    def test_hashes_in_columns_and_in_python_agree(self, events):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        typed = [
            typed_row(read_event(json.dumps(event), now=now).event, at) for at, event in enumerate(events)
        ]
        with duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.register("typed", pa.Table.from_pylist(typed, schema=TYPED))
            found = engine.execute(
                f"SELECT {IDENTITY} FROM (SELECT 'p' AS person, * FROM typed) ORDER BY position"
            )
            assert [row[0] for row in found.fetchall()] == [identity(row, "p") for row in typed]
            rows = [
                {"event_type": row["event_type"], "person": "p", "event_time": row["event_time"]}
                for row in typed
            ]
            for row, said in zip(rows, typed, strict=True):
                row |= {name: said[name] for name in ("application_id", "status") if name in said}
            engine.register("logged", as_table(rows))
            assert [row[0] for row in engine.execute(f"SELECT {ESSENCE} FROM logged").fetchall()] == [
                essence(row) for row in rows
            ]

    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(events=st.lists(valid_events(), min_size=25, max_size=25))
    def test_http_and_lines(self, home, take, logged, events, now):
        nameless = [{name: value for name, value in event.items() if name != "event_id"} for event in events]
        accept(home, nameless, now)
        assert take(home, nameless).accepted == 0
        home.inbox.drain(now=now)
        ids = [row["event_id"] for row in logged(home)]
        assert len(ids) == len(set(ids))

    def test_http_lines_and_parquet(self, home, take, tmp_path, logged, now):
        events = [
            {name: value for name, value in example.items() if name not in {"event_id", "value"}}
            | ({"timestamp": "2025-01-06T09:14:05Z"})
            for event_type, example in EVENT_EXAMPLES.items()
            if event_type
            not in {EventType.CONSENT_CHANGED, EventType.EXPERIMENT_EXPOSED, EventType.ERASURE_REQUESTED}
        ]
        assert set(accept(home, events, now)) == {"accepted"}
        path = tmp_path / "x.parquet"
        names = list(dict.fromkeys(name for event in events for name in event))
        pq.write_table(
            pa.Table.from_pylist([{name: event.get(name) for name in names} for event in events]), path
        )
        assert (files(home, path, at=now).duplicate, take(home, events).duplicate) == (
            len(events),
            len(events),
        )
        home.inbox.drain(now=now)
        assert (files(home, path, at=now).duplicate, take(home, events).duplicate) == (
            len(events),
            len(events),
        )
        assert len(logged(home)) == len(events)


class TestBoundedMemory:
    def test_only_a_few_batches_are_held_at_once(self, home, tmp_path, make_event, now, monkeypatch):
        """However long a file is, memory is that of a few batches; the largest batch has a bound too."""
        monkeypatch.setattr(sources, "_CHUNK", 500)
        monkeypatch.setattr(sources, "_PIECE", 500)
        lines = [json.dumps(make_event(application_id=f"a{at}")) for at in range(60)]
        (tmp_path / "a.jsonl").write_text("\n".join(lines))
        alive, most = weakref.WeakValueDictionary(), []
        making = sources._table

        def counted(*args):
            table = making(*args)
            alive[args[1]] = table
            most.append(len(alive))
            return table

        monkeypatch.setattr(sources, "_table", counted)
        assert files(home, tmp_path / "a.jsonl", at=now).accepted == 60
        assert len(most) > 20
        assert max(most) <= 2 * (os.cpu_count() or 1) + 3


class TestHashes:
    def test_identities_that_share_a_hash_are_told_apart(
        self, any_home, take, logged, make_event, monkeypatch
    ):
        """A met hash is a reason to look, no more: with all hashes met, everything comes out the same."""
        monkeypatch.setattr(Identities, "meets", lambda _, hashes: np.ones(len(hashes), bool))
        monkeypatch.setattr(log, "repeated", lambda hashes: np.ones(len(hashes), bool))
        events = [make_event(event_id=f"e{at}", application_id=f"a{at}") for at in range(20)]
        assert take(any_home, events[:10]).accepted == 10
        again = take(any_home, [*events[5:], events[19], make_event(event_id="e3", application_id="other")])
        assert (again.accepted, again.duplicate, again.quarantined) == (10, 6, 1)
        assert len(logged(any_home)) == 20

    def test_what_another_process_wrote_is_known(self, home, take, make_event):
        events = [make_event(event_id=f"e{at}") for at in range(3)]
        assert take(home, events[:1]).accepted == 1
        assert take(open_home(home.path, home.settings), events[1:2]).accepted == 1
        again = take(home, events)
        assert (again.accepted, again.duplicate) == (1, 2)


class TestBrokenFiles:
    def test_the_others_are_taken_and_the_broken_ones_named(
        self, home, tmp_path, make_event, now, monkeypatch
    ):
        monkeypatch.setattr(sources, "_CHUNK", 1000)
        lines = [json.dumps(make_event(application_id=f"a{at}")) for at in range(50)]
        whole = gzip.compress("\n".join(lines).encode())
        (tmp_path / "a.jsonl.gz").write_bytes(whole[:-20])
        (tmp_path / "b.parquet").write_bytes(b"no parquet")
        (tmp_path / "c.jsonl").write_text(json.dumps(make_event(application_id="last")))
        summary = files(home, tmp_path, at=now)
        assert sorted(name.rsplit("/", 1)[-1] for name in summary.failed_files) == ["a.jsonl.gz", "b.parquet"]
        assert 2 <= summary.accepted < 51
        assert summary.quarantined == 0
        (tmp_path / "a.jsonl.gz").write_bytes(whole)
        again = files(home, tmp_path / "a.jsonl.gz", at=now)
        assert again.accepted + summary.accepted == 51

    def test_a_column_that_the_engine_cannot_read(self, home, tmp_path, make_event, now, monkeypatch):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.Table.from_pylist([make_event()]), path)

        def refuse(*_args):
            raise duckdb.NotImplementedException

        with monkeypatch.context() as patch:
            patch.setattr(Validator, "rows", refuse)
            failed = files(home, path, at=now).failed_files
            assert next(iter(failed.values())).startswith("x.parquet cannot be read")
        assert files(home, path, at=now).accepted == 1

    def test_what_the_state_refuses_ends_the_ingest(self, home, take, make_event, monkeypatch):
        def full(*_args, **_more):
            raise Layer7Error("disk_full", "The disk is full; nothing was changed.")

        monkeypatch.setattr(sources, "_CHUNK", 200)
        monkeypatch.setattr(Ingest, "_append", full)
        with pytest.raises(Layer7Error, match="disk is full"):
            take(home, [make_event(application_id=f"a{at}") for at in range(50)])


class TestAnotherTry:
    def test_what_can_be_taken_now_leaves_the_quarantine(self, home, take, make_event, logged, now):
        early = make_event(timestamp="2026-03-02T13:00:00Z")
        take(home, [early, make_event(user_id=None)])
        assert home.quarantine.counts() == {"missing_field": 1, "timestamp_in_future": 1}
        summary = home.ingest.retry(now=now + timedelta(hours=2))
        assert (summary.accepted, summary.quarantined) == (1, 1)
        assert home.quarantine.counts() == {"missing_field": 1}
        assert len(logged(home)) == 1

    def test_only_those_of_one_fault(self, home, take, make_event, now):
        take(home, [make_event(timestamp="2026-03-02T13:00:00Z"), make_event(user_id=None)])
        assert home.ingest.retry(now=now + timedelta(hours=2), code="missing_field").accepted == 0
        assert home.quarantine.counts() == {"missing_field": 1, "timestamp_in_future": 1}

    def test_columnar_rows_can_be_tried_again(self, home, tmp_path, make_event, now):
        path = tmp_path / "x.parquet"
        late = {"status": "interview", "days_to_response": None}
        rows = [make_event(timestamp="2026-03-02T13:00:00Z", outcome=late), make_event(event_id="x")]
        pq.write_table(
            pa.Table.from_pylist([{"event_id": None, "outcome": None} | row for row in rows]), path
        )
        assert files(home, path, at=now).quarantined_codes == {"timestamp_in_future": 1}
        assert home.ingest.retry(now=now + timedelta(hours=2)).accepted == 1
