"""Laws of reading a spreadsheet, whatever is in it."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.spreadsheets import (
    SENT,
    STORY,
    accepted,
    by_application,
    read,
    table,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


days = st.sampled_from(["", "2024-03-01", "2024-03-02", "2024-03-05", "2024-02-28", "?"])
waiting = st.fixed_dictionaries(
    {
        "sent": st.sampled_from([SENT, "2024-03-02"]),
        "company": st.sampled_from(["A", "B, Inc.", "Ünder"]),
        "title": st.sampled_from(["t", "T ", "x"]),
        "status": st.sampled_from(["waiting", "ghosted", ""]),
    }
)
answered = st.tuples(
    waiting,
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["no", "interview", "interview, then no", "offer", "?"]),
            "answered": days,
            "met": days,
            "offer": st.sampled_from(["", "yes", "no"]),
        }
    ),
).map(lambda pair: {**pair[0], **pair[1]})
logs = st.lists(waiting | answered, min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows=logs, data=st.data())
def test_sorting_a_spreadsheet_changes_no_event(folder, rows, data):
    shuffled = data.draw(st.permutations(rows))
    assert read(folder, table(rows), STORY).events == read(folder, table(shuffled), STORY).events


@settings(max_examples=60, deadline=None)
@given(rows=logs, more=st.lists(waiting, max_size=4))
def test_adding_rows_only_adds_events(folder, rows, more):
    """Also rows that nothing tells apart from those before, as long as no answer to them is older."""
    more = [*more, *({**row, "company": "C"} for row in rows)]
    before, after = (read(folder, table(log), STORY) for log in (rows, more + rows))
    assert {json.dumps(event["event_id"]) for event in before.events} <= {
        json.dumps(event["event_id"]) for event in after.events
    }
    assert after.applications == before.applications + len(more)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(waiting, min_size=1, max_size=6), status=st.sampled_from(["no", "interview", "offer"]))
def test_an_answer_keeps_its_application(folder, rows, status):
    later = [{**rows[0], "status": status, "answered": "2024-03-05"}, *rows[1:]]
    before, after = (by_application(read(folder, table(log), STORY)) for log in (rows, later))
    assert before.keys() == after.keys()
    assert sum(len(events) for events in after.values()) == len(rows) + (2 if status == "offer" else 1)


@settings(max_examples=100, deadline=None)
@given(rows=logs, noise=st.text(max_size=40))
def test_whatever_people_write_every_event_is_accepted(folder, rows, noise):
    noise = re.sub("[\ud800-\udfff]", "", noise).replace('"', '""')
    rows[0] = {**rows[0], "company": noise, "days": noise, "title": noise}
    reading = read(folder, table(rows), STORY)
    accepted(reading)
    assert reading.applications + sum(not problem.kept for problem in reading.problems) == reading.rows
