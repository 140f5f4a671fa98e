"""The log is what Layer 4 would have written, and nothing of the truth."""

import hashlib
import json
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from layer7.contract.events import EVENT_MODELS
from layer7.contract.vocabulary import EventType
from layer7.errors import Layer7Error
from layer7.simulation import EVENT_SCHEMA, Market, events, simulate, to_events

START = date(2026, 3, 2)


def run(**change):
    market = Market(**change)
    return simulate(market, people=150, weeks=10, start=START, rng=np.random.default_rng(8))


@pytest.fixture(scope="module")
def history():
    return run()


@pytest.fixture(scope="module")
def log(history):
    return to_events(history)


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def only(log, event_type):
    return log.filter(pc.equal(log["event_type"], event_type))


def test_the_contract_accepts_the_events(log):
    dice = np.random.default_rng(1)
    for row in log.take(pa.array(dice.integers(0, log.num_rows, 3_000))).to_pylist():
        EVENT_MODELS[EventType(row["event_type"])].model_validate_json(json.dumps(without_nulls(row)))


def test_an_event_says_what_its_interface_requires(log):
    required = {
        "APPLICATION_SUBMITTED": ("application_id", "job_id", "resume_version_id", "context"),
        "STATUS_CHANGED": ("application_id", "job_id", "resume_version_id", "context", "outcome"),
        "MODE_CHANGED": ("to_mode", "reason", "metrics"),
        "RESUME_REWRITTEN": (
            "resume_version_id",
            "before_score",
            "after_score",
            "score_delta",
            "user_accepted",
        ),
        "SUGGESTION_EDITED": ("suggestion_type", "suggested_content", "final_content"),
        "PROFILE_UPDATED": ("profile",),
    }
    for event_type, columns in required.items():
        rows = only(log, event_type)
        assert rows.num_rows > 0
        for name in EVENT_SCHEMA.names:
            if name in columns:
                assert rows[name].null_count == 0, (event_type, name)
        if event_type != "STATUS_CHANGED":
            assert rows["outcome"].null_count == rows.num_rows


def test_identities_are_unique_and_do_not_depend_on_batches(history, log):
    assert len(pc.unique(log["event_id"])) == log.num_rows
    assert pc.all(
        pc.match_substring_regex(log["event_id"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    ).as_py()
    small = pa.Table.from_batches(list(events(history, rows=777)), schema=EVENT_SCHEMA)
    assert small.equals(log)


def test_the_same_seed_gives_the_same_log(log):
    assert to_events(run()).equals(log)


def test_a_seed_keeps_its_log(log):
    """The scoreboard's rows are of the markets that its seeds gave when they were measured."""
    text = json.dumps(
        [
            log[name].to_pylist()
            for name in ("event_id", "event_type", "user_id", "application_id", "timestamp")
        ]
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "bce824cacab9a425"


def test_events_come_in_the_order_of_the_log(log):
    instants = [datetime.fromisoformat(t).timestamp() for t in log["timestamp"].to_pylist()]
    assert instants == sorted(instants)


def test_times_carry_the_local_offset(history, log):
    """New York changes to summer time on 8 March 2026, Berlin on 29 March, Kolkata never."""
    zone = dict(zip(*(history.people[c].to_pylist() for c in ("user_id", "timezone")), strict=True))
    seen = {}
    for user, time in zip(log["user_id"].to_pylist(), log["timestamp"].to_pylist(), strict=True):
        seen.setdefault((zone[user], time[:10]), set()).add(time[19:])
    assert seen["America/New_York", "2026-03-07"] == {"-05:00"}
    assert seen["America/New_York", "2026-03-09"] == {"-04:00"}
    assert seen["Europe/Berlin", "2026-03-28"] == {"+01:00"}
    assert seen["Europe/Berlin", "2026-03-30"] == {"+02:00"}
    assert all(offsets == {"+05:30"} for (z, _), offsets in seen.items() if z == "Asia/Kolkata")


def test_nothing_is_logged_before_it_happens_or_after_the_end(history, log):
    a = history.applications
    sent = dict(zip(a["application_id"].to_pylist(), a["submitted_at"].to_pylist(), strict=True))
    for row in only(log, "STATUS_CHANGED").to_pylist():
        waited = datetime.fromisoformat(row["timestamp"]).astimezone(UTC) - sent[row["application_id"]]
        # An hour's grace: the clock may have changed between sending and hearing.
        assert waited.total_seconds() / 86_400 >= row["outcome"]["days_to_response"] - 1 / 23
    assert max(t[:10] for t in log["timestamp"].to_pylist()) <= "2026-05-10"


def test_days_to_response_is_the_true_delay(history, log):
    a = history.applications
    truth = dict(zip(a["application_id"].to_pylist(), a["interview_days"].to_pylist(), strict=True))
    rows = [
        r for r in only(log, "STATUS_CHANGED").to_pylist() if r["outcome"]["response_type"] == "phone_screen"
    ]
    assert rows
    for row in rows:
        assert row["outcome"]["days_to_response"] == pytest.approx(truth[row["application_id"]], abs=6e-5)


def test_the_log_counts_what_the_truth_counts(history, log):
    a = history.applications
    assert only(log, "APPLICATION_CREATED").num_rows == a.num_rows
    assert only(log, "APPLICATION_SUBMITTED").num_rows == pc.sum(a["submitted"]).as_py()
    end = np.datetime64(START, "s") + np.timedelta64(70, "D")
    logged = a["decision_logged_local"].to_numpy()
    answers = only(log, "STATUS_CHANGED")["outcome"].combine_chunks()
    decided = pc.is_in(answers.field("status"), pa.array(["rejected", "offer"]))
    assert pc.sum(decided).as_py() == np.sum(~np.isnat(logged) & (logged < end))


def test_some_answers_never_reach_the_log():
    """One rejection of ten and 3 % of interviews; within four binomial standard deviations."""
    history = simulate(Market(), people=800, weeks=10, start=START, rng=np.random.default_rng(3))
    a = history.applications
    for days, logged, lost in (
        ("interview_days", "interview_logged_local", 0.03),
        ("decision_days", "decision_logged_local", 0.10),
    ):
        happened = ~np.isnan(a[days].to_numpy())
        missing = np.isnat(a[logged].to_numpy()[happened])
        assert abs(missing.mean() - lost) < 4 * np.sqrt(lost * (1 - lost) / happened.sum())


def test_a_batch_of_no_rows_is_refused(history):
    with pytest.raises(Layer7Error, match="at least 1"):
        next(events(history, rows=0))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"exploration_share": 0.5}, "POLICY_DECISION"),
        ({"tailored_at_random": True}, "EXPERIMENT_EXPOSED"),
    ],
)
def test_the_contract_accepts_what_a_coin_decided(change, kind):
    assert only(to_events(run()), kind).num_rows == 0
    found = only(to_events(run(**change)), kind)
    assert found.num_rows > 50
    for row in found.slice(0, 200).to_pylist():
        EVENT_MODELS[EventType(kind)].model_validate_json(json.dumps(without_nulls(row)))
