"""Every person's months add up to the whole, and rates carry their evidence."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics import (
    finish,
    month_facts,
    performance_moments,
    range_facts,
    range_moments,
    to_contract,
)
from layer7.analytics.performance.judging import SUMS
from layer7.statistics import effective_rate

APPLY = "APPLY_MODE"


def _by_period(table):
    return {(row["person"], row["period"]): row for row in table.to_pylist()}


def judged(applications, events, night):
    return performance_moments(month_facts(applications, events).to_pyarrow(), night)


@pytest.fixture
def log(build):
    make = build.application
    applications = build.applications(
        make(0, interview=3.5, strategy_mode=APPLY, category="reach", resume_score=60),
        make(5, rejection=8, strategy_mode=APPLY, category="target", resume_score=64),
        make(40, strategy_mode="RETHINK_TARGETS", resume_score=70),
        make(85, category="target", resume_score=None),
        make(86, offer=2, category="target"),
        make(87, sent=False, strategy_mode=APPLY, category="target"),
        make(88, person="b1", sent=False),
    )
    events = build.events(
        build.resume(-2, 55, 58),
        build.resume(41, 70, 90, accepted=False),
        build.resume(50, 71, 73.25, accepted=None, kind="SCORE_CHANGED"),
        build.resume(51, 1, 2, kind="PLAN_GENERATED"),
    )
    return applications, events


def test_by_hand(build, log):
    rows = _by_period(finish(judged(*log, build.night())))
    assert set(rows) == {
        *(("a0", period) for period in ("2025-12", "2026-01", "2026-02", "2026-03", "all")),
        *(("b1", period) for period in ("2026-03", "all")),
    }
    whole = rows["a0", "all"]
    counted = {name: whole[name] for name in ("total_applications", "interview_requests", "offers", "drafts")}
    assert counted == {"total_applications": 5, "interview_requests": 2, "offers": 1, "drafts": 1}
    assert (whole["rejections"], whole["ghosted"], whole["pending"]) == (1, 1, 1)
    assert (whole["fastest_response_days"], whole["avg_days_to_response"]) == (2, 4.5)
    assert (whole["resume_score_start"], whole["resume_score_current"]) == (55, 73.25)
    assert whole["score_improvement"] == 18.25
    assert (whole["rewrites_accepted"], whole["rewrites_rejected"]) == (1, 1)
    assert (whole["applications_target"], whole["interviews_target"]) == (3, 1)
    assert (whole["applications_apply_mode"], whole["interviews_apply_mode"]) == (2, 1)
    assert rows["a0", "2026-02"]["resume_score_current"] == 73.25
    assert rows["a0", "2025-12"]["interview_rate"] is None


def test_a_refused_rewrite_leaves_the_score_as_it_was(build):
    events = build.events(build.resume(0, 60, 90, accepted=False))
    (row, _) = finish(judged(build.applications(), events, build.night())).to_pylist()
    assert (row["resume_score_start"], row["resume_score_current"]) == (60, 60)


def test_rates_are_those_of_the_statistics(build, log):
    whole = _by_period(finish(judged(*log, build.night(unseen=0.5))))["a0", "all"]
    rate = effective_rate(2, 5, 0.5)  # of the two silent ones only the younger is within the curve
    got = tuple(whole[f"interview_rate{end}"] for end in ("", "_low", "_high", "_n_eff"))
    assert got == pytest.approx((rate.value, rate.low, rate.high, rate.n))
    assert whole["interview_rate_safety"] is None
    assert whole["offer_rate"] == 0.5


def _random_log(build, seed, size=400):
    rng = np.random.default_rng(seed)
    modes = (APPLY, "IMPROVE_RESUME_FIRST", "RETHINK_TARGETS", None)
    rows = []
    for _ in range(size):
        kind = rng.integers(5)
        answers = {1: {"interview": 4.0}, 2: {"rejection": 2.5}, 3: {"offer": 9.0}}.get(kind, {})
        more = {
            "strategy_mode": modes[rng.integers(4)],
            "category": ("reach", "safety", None)[rng.integers(3)],
        }
        score = None if rng.random() < 0.2 else float(rng.integers(40, 100))
        rows.append(
            build.application(
                int(rng.integers(90)), person=f"p{rng.integers(8)}", sent=kind != 4, resume_score=score,
                **answers, **more,
            )
        )  # fmt: skip
    return rows


def test_months_add_up_to_the_whole_and_order_does_not_matter(build):
    rows, night, none = _random_log(build, 3), build.night(), build.events()
    found = _by_period(judged(build.applications(*rows), none, night))
    for name in SUMS:
        months, whole = Counter(), {}
        for (person, period), row in found.items():
            if period == "all":
                whole[person] = row[name]
            else:
                months[person] += row[name]
        assert whole == pytest.approx(dict(months))
    again = _by_period(judged(build.applications(*rows[::-1]), none, night))
    assert set(again) == set(found)
    for key, row in found.items():
        assert again[key] == pytest.approx(row, nan_ok=True)


def test_any_range_is_the_same_expression(build):
    rows, night = _random_log(build, 4), build.night()
    applications, none = build.applications(*rows), build.events()
    month = _by_period(finish(judged(applications, none, night)))
    start, end = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    facts = range_facts(applications, none, start=start, end=end).to_pyarrow()
    found = finish(range_moments(facts, night, pa.repeat("February", facts.num_rows))).to_pylist()
    assert found
    for row in found:
        held = month[row["person"], "2026-02"]
        left_out = {"period", "first_month"}
        assert {k: v for k, v in row.items() if k not in left_out} == pytest.approx(
            {k: v for k, v in held.items() if k not in left_out}
        )


def test_the_contract_says_value_interval_and_n(build, log):
    rows = _by_period(finish(judged(*log, build.night())))
    said = to_contract(rows["a0", "all"], as_of=build.as_of, user_id="user_1")
    assert (said.user_id, said.total_applications, said.interview_requests) == ("user_1", 5, 2)
    assert (said.period.start, said.period.end) == ("2025-12-01", "2026-04-01T00:00:00+00:00")
    assert said.strategy_distribution == {APPLY: 2, "RETHINK_TARGETS": 1}
    assert said.evidence["interview_rate"].n == 5
    assert said.evidence[f"interview_rate_by_mode.{APPLY}"].events == 1
    assert set(said.interview_rate_by_category) == {"reach", "target"}
    month = to_contract(rows["a0", "2026-03"], as_of=build.as_of)
    assert (month.period.start, month.period.end) == ("2026-03-01", "2026-04-01")
    drafts = to_contract(rows["b1", "all"], as_of=build.as_of)
    assert (drafts.interview_rate, drafts.evidence["interview_rate"].needed, drafts.drafts) == (None, 1, 1)


def test_a_night_without_applications_gives_no_rows(build):
    table = finish(judged(build.applications(), build.events(), build.night()))
    assert table.num_rows == 0
