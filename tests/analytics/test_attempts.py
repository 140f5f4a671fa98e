"""Attempts of every metric, by hand: when each began, succeeded, and was settled."""

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from layer7.analytics.trials.attempts import STEPS, attempts
from layer7.errors import Layer7Error
from layer7.experiments.metrics import METRICS

T0 = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = pa.timestamp("us", tz="UTC")
DAY = 86_400


def day(number):
    return None if number is None else T0 + timedelta(days=number)


def table(rows, names):
    columns = {"person": pa.array([row[0] for row in rows])}
    for at, name in enumerate(names, start=1):
        columns[name] = pa.array([day(row[at]) for row in rows], STAMP)
    return columns


@pytest.fixture
def log():
    """Ann gets an offer and is rejected in the end; Bob is rejected; Cy has a draft and silence."""
    names = ("created_at", "submitted_at", "interview_at", "offer_at", "rejected_at")
    rows = [
        ("ann", 0, 1, 4, 9, 12), ("bob", 0, 2, None, None, 5), ("cy", 3, None, None, None, None),
        ("cy", None, 3, None, None, None),
    ]  # fmt: skip
    columns = table(rows, names)
    columns["answer_days"] = pa.array([3.0, 3.0, None, None])
    told = table([("ann", 1), ("ann", 2), ("bob", 3)], ("event_time",))
    told["event_type"] = pa.array(["SUGGESTION_ACCEPTED", "SUGGESTION_REJECTED", "MODE_CHANGED"])
    return ibis.memtable(pa.table(columns)), ibis.memtable(pa.table(told))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("interview_rate", [("ann", 1, 4, 4), ("bob", 2, None, 5), ("cy", 3, None, None)]),
        ("offer_rate", [("ann", 4, 9, 4)]),
        ("response_rate", [("ann", 1, 4, 1), ("bob", 2, 5, 2), ("cy", 3, None, 3)]),
        ("rejection_rate", [("ann", 1, 12, 1), ("bob", 2, 5, 2), ("cy", 3, None, 3)]),
        ("jobs_applied_rate", [("ann", 0, 1, 0), ("bob", 0, 2, 0), ("cy", 3, 3, 3), ("cy", 3, None, 3)]),
        ("suggestion_acceptance", [("ann", 1, 1, 1), ("ann", 2, None, 2)]),
        ("days_to_response", [("ann", 4, 4, 4), ("bob", 5, 5, 5)]),
    ],
)
def test_attempts_by_hand(log, name, expected):
    found = attempts(*log, name).to_pyarrow().to_pylist()
    start = int(T0.timestamp())
    said = [
        (
            row["person"],
            *(None if row[k] is None else (row[k] - start) / DAY for k in ("began", "happened", "settled")),
        )
        for row in found
    ]
    order = {None: 99}
    assert sorted(said, key=lambda row: [row[0], *(order.get(v, v) for v in row[1:])]) == expected
    values = {row["value"] for row in found}
    assert values == ({3.0} if name == "days_to_response" else {1.0})


def test_every_metric_of_the_catalogue_has_attempts(log):
    assert set(STEPS) == {name for name, each in METRICS.items() if not each.is_tallied}
    with pytest.raises(Layer7Error):
        attempts(*log, "happiness")
