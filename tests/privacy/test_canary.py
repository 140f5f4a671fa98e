"""No id of a person and none of her words lie open in a home folder, by whatever door they came."""

import base64
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from canaries import PERSON, WORDS, leaks, private_events
from layer7.contract.reading import read_event
from layer7.storage.warehouse import warehouse
from layer7.storage.warehouse.reading import Horizon
from nights import MEASURED, night


def broken_events() -> list[dict | str]:
    """Give events that are refused, with canaries wherever somebody could have put them."""
    event = private_events()[0]
    exposed = next(item for item in private_events() if item["event_type"] == "EXPERIMENT_EXPOSED")
    return [
        event | {"timestamp": WORDS},
        event | {"event_type": 5},
        event | {"event_type": WORDS},
        event | {WORDS: WORDS, PERSON: 1},
        event | {"context": {"category": WORDS, "fit_score": PERSON, WORDS: 1}},
        event | {"user_id": f"{PERSON}\u200b"},
        exposed | {"counterfactual_decisions": {WORDS: 5, PERSON: [WORDS]}},
        {"specversion": WORDS, "id": "1", "source": "s", "type": "t", "data": event},
        {"specversion": "1.0", "id": "1", "source": "s", "type": WORDS, "data": {"user_id": PERSON}},
        json.dumps(event)[:-1],
        f'{{"user_id": "{PERSON}", "user_id": "{PERSON}"}}',
        WORDS,
    ]


@pytest.fixture
def used(home, tmp_path, now):
    """A home that has seen every door, a night, and a look at what waits."""
    events, broken = private_events(), broken_events()
    lines = [
        item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in (*events, *broken)
    ]
    home.inbox.accept(
        [(line, read_event(line, now=now)) for line in lines[: len(lines) // 2]], now=now, source="http"
    )
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.jsonl").write_text("\n".join(lines))
    (outside / "b.json").write_text(json.dumps([item for item in broken if isinstance(item, dict)], indent=1))
    (outside / "c.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode())[:-30])
    names = list(dict.fromkeys(name for event in events for name in event if name != "value"))
    rows = [
        {name: event.get(name) for name in names} | {"event_id": f"p{at}"} for at, event in enumerate(events)
    ]
    rows.append(rows[0] | {"application_id": "another", "event_id": "p1"})
    rows.append(rows[0] | {"timestamp": WORDS})
    pq.write_table(pa.Table.from_pylist(rows), outside / "d.parquet")
    home.ingest.files([outside], now=lambda: now, progress=lambda *_: None)
    home.inbox.accept([(line, read_event(line, now=now)) for line in lines], now=now, source="http")
    home.warehouse.fold(Horizon(now.date(), now), at=now, progress=lambda _: None)
    return home


def test_nothing_lies_open(used, now, monkeypatch):
    assert used.quarantine.counts()["event_id_conflict"] >= 1
    assert sum(used.quarantine.counts().values()) > 10
    # What waits in the inbox is looked at too, and what was deleted from it afterwards.
    assert used.inbox.waiting() > 0
    assert leaks(used.path) == []
    used.inbox.drain(now=now)
    monkeypatch.setattr(warehouse, "_WORTH_SORTING", 0)
    used.warehouse.fold(Horizon(now.date(), now), at=now, progress=lambda _: None)
    used.warehouse.compact(at=now, progress=lambda _: None)
    used.ingest.retry(now=now)
    assert leaks(used.path) == []


def test_a_part_of_a_score_that_she_alone_has_is_told_to_nobody(home, now):
    """The name of a part is a text that a writer chose; what few people have says who they are."""
    name = "grew_up_in_atlantis"
    example = private_events()[1]
    parts = {"resume_score_components": {name: 50, "keywords": 60}}
    for day in range(1, 4):
        event = example | {"application_id": f"a{day}", "timestamp": f"2025-01-0{day}T09:00:00Z"}
        line = json.dumps(event | {"context": event["context"] | parts})
        home.inbox.accept([(line, read_event(line, now=now))], now=now, source="http")
    run = night(home, now.date(), now=now, only=(*MEASURED, "propose"))
    said = json.dumps(run.report)
    assert "No part is told by 50 people or more" in said
    assert name not in said


def test_the_search_finds_what_lies_open(used):
    """Else it would prove nothing."""
    for number, form in enumerate(
        (WORDS.encode(), PERSON.encode().hex().encode(), base64.b64encode(WORDS.encode()))
    ):
        (used.path / f"{number}.txt").write_bytes(b"before " + form + b" after")
    assert {name for name, _ in leaks(used.path)} == {"0.txt", "1.txt", "2.txt"}


def test_the_person_herself_can_read_all_of_it(used):
    assert any(WORDS in item.raw for item in used.quarantine.waiting(limit=100))
