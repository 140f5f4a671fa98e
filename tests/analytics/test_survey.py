"""Segments and the market from small tables: by hand, by laws, and nothing said of nothing."""

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest

from decided_trials import effect, experiment
from layer7.analytics.applications.employers import employer_moments
from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.clusters import design_effect
from layer7.analytics.making import Making
from layer7.analytics.market.insights import nothing, rate_of
from layer7.analytics.market.moments import (
    answer_moments,
    first_and_last,
    month_moments,
    skill_moments,
    window,
)
from layer7.analytics.market.months import seasons
from layer7.analytics.release.contributions import segment_of
from layer7.analytics.segments.cohorts import segments
from layer7.analytics.segments.delays import segment_fates
from layer7.analytics.segments.habits import habits
from layer7.analytics.segments.membership import kinds, memberships, named
from layer7.analytics.segments.strategies import habit_moments, person_moments
from layer7.contract.evidence import Lineage, Period

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
MOMENTS = ("submitted_at", "created_at", "interview_at", "offer_at", "rejected_at", "posted_at")
TEXTS = (
    *("person", "application_id", "job_id", "company", "title", "seniority", "location", "industry"),
    *("channel", "category", "company_type", "max_stage", "strategy_mode", "closed"),
)  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in TEXTS]
    + [(name, MOMENT) for name in MOMENTS]
    + [("bucket", pa.int16()), ("fit_score", pa.float64()), ("salary", pa.float64())]
    + [("tailoring_applied", pa.bool_()), ("skills", pa.list_(pa.string()))]
)
PROFILE = pa.schema(
    [(name, pa.string()) for name in ("person", "event_type", "event_id", "profile_seniority")]
    + [(name, pa.list_(pa.string())) for name in ("profile_target_roles", "profile_locations")]
    + [("profile_industries", pa.list_(pa.string())), ("profile_years_experience", pa.float64())]
    + [("event_time", MOMENT)]
)
MAKING = {
    "window": Period(start="2026-01-01", end="2026-06-01"),
    "as_of": "2026-06-01",
    "lineage": Lineage(run_id="1"),
}


def sent(day, person="p1", *, interview=False, rejected=False, offer_after=None, **more):
    at = START + timedelta(days=day)
    stage = "offer" if offer_after is not None else "interview" if interview else "submitted"
    row = {
        "person": person, "bucket": 0, "application_id": f"{person} {day} {len(more)}", "submitted_at": at,
        "created_at": at, "max_stage": stage, "title": "Senior Data Engineer", "seniority": "Senior",
        "location": "Berlin, DE", "industry": "Energy", "channel": "referral", "fit_score": 70.0,
        "interview_at": at + timedelta(days=1) if stage != "submitted" else None,
        "rejected_at": at + timedelta(days=2) if rejected else None,
        "offer_at": None if offer_after is None else at + timedelta(days=offer_after),
    }  # fmt: skip
    return row | more


def table(rows, schema=SCHEMA):
    return ibis.memtable(
        pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)
    )


def night(unseen=0.0):
    return Outlook(AS_OF, ibis.memtable(pa.table({"age": list(range(900)), "unseen": [unseen] * 900})), None)


def profile(person, **more):
    return {
        "person": person, "event_type": "PROFILE_UPDATED", "event_id": "e", "event_time": START, **more
    }  # fmt: skip


def test_what_a_person_says_counts_else_what_she_applies_to():
    applications = table(
        [
            sent(0),
            sent(1, title="Data Engineer II", seniority="Lead"),
            sent(2, location="12 Main St, Austin, US"),
            sent(3, location="Austin, US", industry=None),
            sent(0, "p2"),
            sent(0, "p3", title=None, seniority=None, location=None, industry=None),
        ]
    )
    said = table(
        [
            profile("p2", profile_seniority="mid", profile_years_experience=3.0),
            profile("p2", profile_seniority="entry", event_time=START - timedelta(days=1)),
        ],
        PROFILE,
    )
    rows = {row["person"]: row for row in memberships(applications, said).to_pyarrow().to_pylist()}
    assert rows["p1"] == {
        "person": "p1", "bucket": 0, "level": "senior", "role": "data engineer", "years": None,
        "location": "Austin, US", "industry": "Energy", "declared": False,
    }  # fmt: skip
    assert (rows["p2"]["level"], rows["p2"]["years"], rows["p2"]["role"]) == ("mid", 1, "data engineer")
    members, known = kinds(memberships(applications, said).to_pyarrow())
    assert [kind.segment_id for kind in known] == [
        "senior_data-engineer", "mid_data-engineer_2-5yrs", "location_austin-us", "location_berlin-de",
        "industry_energy",
    ]  # fmt: skip
    public = segment_of(memberships(applications, said)).to_pyarrow()
    rows = {row["person"]: row for row in named(members, known, public).to_pylist()}
    assert rows["p3"]["profile"] is None
    assert (rows["p1"]["segment"], rows["p2"]["level"]) == ("senior_data-engineering", "mid")


def contrasted():
    rows = []
    for person in ("p1", "p2"):
        rows += [sent(day, person, tailoring_applied=True, interview=day == 0) for day in range(4)]
        rows += [
            sent(day, person, tailoring_applied=False, interview=person == "p2" and day == 5)
            for day in range(4, 8)
        ]
    return rows


def test_sums_of_a_contrast_by_hand():
    applications = table(contrasted())
    members, _known = kinds(memberships(applications, table([], PROFILE)).to_pyarrow())
    found = habit_moments(applications, ibis.memtable(members), night()).to_pyarrow().to_pylist()
    (row,) = (
        row for row in found if (row["family"], row["habit"], row["scheme"]) == ("tailored", "yes", "profile")
    )
    # p1: R = 1 x 4 / 8, S = 0; p2: R = 1 x 3 / 8, S = 1 x 3 / 8.
    assert (row["n"], row["k"], row["people"], row["usual"]) == (8, 2, 2, 0)
    assert row["r"] == pytest.approx(7 / 8, abs=1e-5)
    assert row["s"] == pytest.approx(3 / 8, abs=1e-5)
    assert row["rr"] == pytest.approx(1 / 4 + 9 / 64, abs=1e-5)
    shuffled = table(contrasted()[::-1])
    again = habit_moments(shuffled, ibis.memtable(members), night()).to_pyarrow().to_pylist()
    assert sorted(map(str, again)) == sorted(map(str, found))


def test_weeks_to_an_offer_to_the_end_of_a_search_and_to_the_end_of_the_log():
    applications = table([sent(0), sent(20, offer_after=10), sent(0, "p2"), sent(120, "p3"), sent(500, "p4")])
    members = pa.table(
        {"person": ["p1", "p2", "p3", "p4"]}
        | {scheme: pa.array([0] * 4, pa.int32()) for scheme in ("profile", "location", "industry")}
    )
    found = person_moments(applications, ibis.memtable(members), night()).to_pyarrow().to_pylist()
    told = sorted((row["week"], row["offer"], row["ended"]) for row in found)
    assert (4, True, False) in told
    assert (8, False, True) in told
    assert (4, False, False) in told
    assert first_and_last(applications, night()) == (
        int(START.timestamp()),
        int((START + timedelta(days=120)).timestamp()),
    )


def test_fates_are_counted_by_segment_and_their_delays_move_only_their_own_rates():
    rows = [sent(day, f"p{day % 20}", interview=day % 9 == 0, industry=f"i{day % 2}") for day in range(120)]
    log = table(rows)
    members, known = kinds(memberships(log, table([], PROFILE)).to_pyarrow())
    placed = ibis.memtable(members)
    counted = segment_fates(log, placed).to_pyarrow()
    assert sum(row["n"] for row in counted.to_pylist() if row["scheme"] == "industry") == 120
    assert {row["segment"] for row in counted.to_pylist() if row["scheme"] == "profile"} == {0}
    people = person_moments(log, placed, night(0.2)).to_pyarrow()
    habit = habit_moments(log, placed, night(0.2)).to_pyarrow()
    late = np.array([2.0 if kind.segment_id == "industry_i1" else 1.0 for kind in known])
    plain, own = (
        {each.segment_id: each for each in segments(known, people, habit, making=_making(), unseen=it).shown}
        for it in (None, late)
    )
    hidden = 0.2 * sum(not row["interview_at"] for row in rows if row["industry"] == "i1")
    ratio = (60 - hidden) / (60 - 2 * hidden)
    trials = [each["industry_i1"].evidence["avg_interview_rate"].effective_n for each in (plain, own)]
    assert own["industry_i1"].avg_interview_rate > plain["industry_i1"].avg_interview_rate
    assert trials[0] / trials[1] == pytest.approx(ratio, rel=0.2)
    assert own["location_berlin-de"] == plain["location_berlin-de"]
    nowhere = person_moments(
        log, placed.mutate(profile=ibis.null("int32"), location=ibis.null("int32")), night(0.2)
    )
    found = segments(
        known[:0],
        nowhere.mutate(industry=ibis.null("int32")).to_pyarrow(),
        habit,
        making=_making(),
        unseen=late[:0],
    )
    assert found.shown == ()


def _making():
    return Making(**MAKING, rng=np.random.default_rng(1))


def market_log(people=400, days=100, seed=3, effect=0.693):
    """Good people use referrals more often; a referral doubles the odds; industries do not matter."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        good = rng.normal()
        for at in range(rng.poisson(40)):
            referral = rng.random() < 1 / (1 + np.exp(1 - good))
            chance = 1 / (1 + np.exp(2.6 - 0.8 * good - effect * referral))
            rows.append(
                sent(
                    int(rng.integers(days)), f"p{person:04}", interview=bool(rng.random() < chance),
                    channel="referral" if referral else "board", application_id=f"{person}-{at}",
                    job_id=f"j{rng.integers(3000)}", company=f"c{rng.integers(300)}",
                    industry=f"i{person % 3}", skills=["SQL", "Spark"] if at % 2 else ["SQL"],
                    salary=float(50_000 + 10_000 * (at % 2)), rejected=bool(rng.random() < 0.3),
                )
            )  # fmt: skip
    return table(rows)


@pytest.fixture(scope="module")
def log():
    return market_log()


def test_a_habit_of_the_good_is_compared_within_persons(log):
    members, known = kinds(memberships(log, table([], PROFILE)).to_pyarrow())
    placed = ibis.memtable(members)
    people = person_moments(log, placed, night()).to_pyarrow()
    moments = habit_moments(log, placed, night()).to_pyarrow()
    found = segments(known, people, moments, making=_making())
    assert found.suppressed == 0
    whole = next(each for each in found.shown if each.segment_id == "senior_data-engineer")
    assert whole.user_count == 400
    low, high = whole.interval
    assert low < whole.avg_interview_rate < high
    assert whole.avg_applications_to_interview == pytest.approx(1 / whole.avg_interview_rate)
    assert whole.avg_time_to_offer_weeks is None
    assert whole.time_to_offer.needed == 10
    (referral,) = (each for each in whole.successful_strategies if "referral" in each.strategy)
    low, high = referral.odds_ratio_interval
    assert low < 2 < high
    assert referral.raw_odds_ratio > 2.4
    assert referral.basis == "within_person"
    assert "predict" in referral.method
    (board,) = whole.common_pitfalls
    assert board.odds_ratio < 1
    assert "lower" in board.negative_impact
    assert not {each.segment_id for each in found.shown if each.user_count < 10}


def test_what_an_experiment_has_proven_comes_before_what_goes_with_success(log):
    members, known = kinds(memberships(log, table([], PROFILE)).to_pyarrow())
    placed = ibis.memtable(members)
    sums = [each(log, placed, night()).to_pyarrow() for each in (person_moments, habit_moments)]
    found = segments(
        known, *sums, making=_making(), experiments=[experiment(effect("senior", 0.02, 0.01, 0.03))]
    )
    whole = next(each for each in found.shown if each.segment_id == "senior_data-engineer")
    bases = [each.basis for each in whole.successful_strategies]
    assert bases == ["randomised", "within_person"]
    placed_by = next(each for each in found.shown if each.criteria.seniority is None)
    assert "randomised" not in {each.basis for each in placed_by.successful_strategies}


def test_without_an_effect_nothing_is_said(log):
    del log
    null = market_log(effect=0.0, seed=5)
    members, _known = kinds(memberships(null, table([], PROFILE)).to_pyarrow())
    moments = habit_moments(null, ibis.memtable(members), night()).to_pyarrow()
    assert habits(moments, correlation=0.05) == {}


def test_fit_within_a_band_does_not_pass_for_the_habit():
    """At 66 points one of ten is invited, at 78 half, tailored or not; at 78 she tailors more."""
    rows = [
        sent(
            number,
            fit_score=fit,
            tailoring_applied=done,
            interview=at < came,
            application_id=f"{fit} {done} {at}",
        )
        for number, (fit, done, n, came) in enumerate(
            [(66.0, False, 20, 2), (66.0, True, 10, 1), (78.0, False, 10, 5), (78.0, True, 20, 10)]
        )
        for at in range(n)
    ]
    applications = table(rows)
    members, _known = kinds(memberships(applications, table([], PROFILE)).to_pyarrow())
    found = habit_moments(applications, ibis.memtable(members), night()).to_pyarrow().to_pylist()
    (row,) = (
        row for row in found if (row["family"], row["habit"], row["scheme"]) == ("tailored", "yes", "profile")
    )
    assert row["r"] == pytest.approx(row["s"], abs=1e-4)


def test_employers_are_summed_by_their_own_expectation():
    """One person, rate 1/4: at the first employer 1 of 2 came, at the second 0 of 2."""
    rows = [
        sent(day, company=company, company_type="ngo", interview=day == 0)
        for day, company in enumerate(("A", "a ", "B", "B"))
    ]
    (found,) = employer_moments(table(rows), night()).to_pyarrow().to_pylist()
    assert {name: found[name] for name in ("habit", "k", "m", "v", "kk", "km", "mm")} == pytest.approx(
        {"habit": "ngo", "k": 1, "m": 1, "v": 0.75, "kk": 1, "km": 0.5, "mm": 0.5}
    )


def test_the_market_is_counted(log):
    start, end = int(START.timestamp()) - 86_400, int(AS_OF.timestamp())
    rows = window(log, night(), start=start, end=end)
    answers = answer_moments(rows).to_pyarrow().to_pylist()
    whole = next(row for row in answers if row["dimension"] == "all")
    parts = [row for row in answers if row["dimension"] == "industry"]
    for name in ("n", "k", "trials"):
        assert whole[name] == sum(row[name] for row in parts)
    assert whole["people"] == 400
    rate = rate_of(whole)
    assert rate.low < rate.value < rate.high
    assert rate.effective_n <= rate.n
    assert design_effect(whole) >= 1
    skills = {row["skill"]: row for row in skill_moments(rows).to_pyarrow().to_pylist()}
    assert skills["SQL"]["postings"] == skills["SQL"]["of"] == whole["postings"]
    assert 0 < skills["Spark"]["postings"] < skills["SQL"]["postings"]
    assert 50_000 <= skills["SQL"]["pay"] / skills["SQL"]["paid"] <= 60_000


def test_seasons_wait_for_two_years(log):
    found = seasons(month_moments(log, night()).to_pyarrow())
    assert (found.months, found.best, found.worst) == ((), (), ())
    assert found.missing == "24 months of applications; there are 4."
    assert [month.month for month in found.trend] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert all(month.interval[0] < month.interview_rate < month.interval[1] for month in found.trend)


def test_nothing_is_said_of_nothing():
    empty = table([])
    members, known = kinds(memberships(empty, table([], PROFILE)).to_pyarrow())
    placed = ibis.memtable(members)
    found = segments(
        known,
        person_moments(empty, placed, night()).to_pyarrow(),
        habit_moments(empty, placed, night()).to_pyarrow(),
        making=_making(),
    )
    assert (found.shown, found.suppressed) == ((), 0)
    said = nothing(_making(), contributors=0)
    assert said.ghosting_rate is None
    assert "there are none" in said.missing["ghosting_rate"]
    assert first_and_last(empty, night()) == (None, None)


@pytest.mark.parametrize("outcome", [{}, {"interview": True}])
def test_all_silent_and_all_interviews_are_told_without_nan(outcome):
    applications = table([sent(day, f"p{day % 20}", **outcome) for day in range(60)])
    members, known = kinds(memberships(applications, table([], PROFILE)).to_pyarrow())
    placed = ibis.memtable(members)
    found = segments(
        known,
        person_moments(applications, placed, night()).to_pyarrow(),
        habit_moments(applications, placed, night()).to_pyarrow(),
        making=_making(),
    )
    for each in found.shown:
        low, high = each.interval
        assert 0 <= low < high <= 1
        assert low <= each.avg_interview_rate <= high
        assert "NaN" not in each.model_dump_json()
