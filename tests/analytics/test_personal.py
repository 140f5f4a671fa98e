"""What a person does, counted by hand."""

import ibis
import pyarrow as pa

from layer7.analytics.optimizing.personal import UNSAID, personal_moments, tastes

SCHEMA_MORE = {"location": pa.string(), "company_size": pa.string()}


def wide(build, *rows):
    """Applications with the columns of taste, which the shared tables do not have."""
    table = build.applications(*rows).to_pyarrow()
    for name, kind in SCHEMA_MORE.items():
        table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
    return ibis.memtable(table)


def decision(person, kind):
    return {"person": person, "bucket": 0, "event_type": f"SUGGESTION_{kind}"}


def test_a_person_by_hand(build):
    found = personal_moments(
        wide(
            build,
            build.application(0, fit_score=61.0, rejection=3),
            build.application(80, fit_score=100.0, interview=1),  # too young for a wait, as of day 90
            build.application(85, fit_score=None),
            build.application(5, sent=False),
        ),
        build.events(decision("a0", "ACCEPTED"), decision("a0", "EDITED"), decision("b0", "REJECTED")),
        build.as_of,
    ).to_pyarrow()
    a, b = sorted(found.to_pylist(), key=lambda row: row["person"])
    assert (a["n"], a["recent"], a["answers"]) == (3, 2, 1)
    assert (a["fit_12"], a["fit_20"]) == (1, 1)
    assert round(a["log_days"], 3) == 1.253
    assert (a["accepted"], a["edited"], a["rejected"]) == (1, 1, 0)
    assert a["last"] - a["first"] == 85 * 86_400
    assert (b["n"], b["rejected"], b["first"]) == (0, 1, None)


def test_tastes_by_hand(build):
    rows = [
        build.application(1, location="Remote, DE", company_size="11-50"),
        build.application(2, location="Berlin (hybrid)"),
        build.application(3, location="Berlin"),
        build.application(4),
    ]
    found = tastes(wide(build, *rows), build.as_of).to_pyarrow().to_pylist()
    told = {(row["field"], row["level"]): row["n"] for row in found}
    assert told["arrangement", "remote"] == told["arrangement", "hybrid"] == told["arrangement", UNSAID] == 1
    assert told["company_size", "11-50"] == 1
    assert sum(n for (field, _), n in told.items() if field == "location") == 3


def test_an_empty_log_has_nobody(build):
    assert personal_moments(wide(build), build.events(), build.as_of).to_pyarrow().num_rows == 0
