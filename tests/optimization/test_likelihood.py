"""How likely an interview is: learned terms, what persons add, and which challenger comes into use."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy import special

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.cells.chances import SCALES, TEXTS, chance_rows, to_chances
from layer7.errors import Layer7Error
from layer7.nightly.measuring import counted
from layer7.optimization.likelihood import (
    LikelihoodModel,
    content,
    contest,
    judging,
    own_table,
    own_terms,
    restored,
    version_of,
)
from layer7.optimization.likelihood.judging import cut_of, scores, verdict
from layer7.optimization.likelihood.telling import terms_of, usual_chance, verdict_of
from layer7.simulation import SCENARIOS, simulate
from layer7.simulation.scoreboard.log import replay
from layer7.statistics import Interval, fit_silence

NONE = LikelihoodModel()
END = 1_900_000_000


@pytest.fixture(scope="module")
def market():
    """400 people in 12 weeks: applications as a night takes them, and the end of the log."""
    history = simulate(
        SCENARIOS["default"], people=400, weeks=12, start=date(2026, 1, 5), rng=np.random.default_rng(8)
    )
    with replay(history) as log:
        found = log.at(log.end).applications
        night = outlook(fit_silence(counted(found, log.end)), log.end)
        rows = chance_rows(found, night).to_pyarrow()
    return to_chances(rows, {}), int(log.end.timestamp())


@pytest.fixture(scope="module")
def judged(market):
    chances, end = market
    return contest(chances, trained_to=end, champion=NONE)


def rows_of(n, *, people=1, event=0.0, **more):
    """Applications by hand, a day apart."""
    columns = {
        "person": [f"p{at % people}" for at in range(n)],
        "bucket": [0] * n,
        "seconds": [END - (n - at) * 86_400 for at in range(n)],
        "event": [event] * n,
        "seen": [1.0] * n,
        **{name: [None] * n for name in (*TEXTS, "company", "tailored", *SCALES)},
    } | more
    kinds = {name: pa.string() for name in ("person", *TEXTS, "company", "tailored")}
    table = pa.table({name: pa.array(c, kinds.get(name, pa.float64())) for name, c in columns.items()})
    return table.sort_by([("person", "ascending"), ("seconds", "ascending")])


def test_the_planted_terms_are_found(judged):
    """The market plants 0.2 per 10 points of fit, -0.35 per log applicant, 4.0 and 0.7 for channels."""
    model = judged.served
    assert model.slopes["fit_score"][0] == pytest.approx(0.2, abs=0.06)
    assert model.slopes["applicants"][0] == pytest.approx(-0.35, abs=0.15)
    channels = {key: effect.value for key, effect in model.effects["channel"].items()}
    assert channels["referral"] - channels["easy_apply"] == pytest.approx(np.log(4 / 0.7), abs=0.5)


def test_it_is_adopted_calibrated_and_orders_better_than_the_fit_score(judged):
    assert judged.adopted, judged.reason
    told = judged.result.kept
    assert told.ratio_interval.low < 1 < told.ratio_interval.high
    assert judged.result.order.interval.low > 0
    assert judged.result.order.new > 0.62
    assert judged.loss.interval.low > 0


def test_the_same_again_is_not_worse_and_one_that_is_worse_is_refused(market, judged):
    chances, end = market
    again = contest(chances, trained_to=end, champion=judged.tested)
    assert again.adopted
    assert again.loss.value == pytest.approx(0.0, abs=1e-9)
    wrong = replace(judged.tested, slopes={name: (-v, e) for name, (v, e) in judged.tested.slopes.items()})
    assert contest(chances, trained_to=end, champion=wrong).loss.value > 0.01
    gain = replace(again.loss, interval=Interval(-0.02, 0.01, 0.95))
    adopted, reason = verdict(again.result, gain, None)
    assert not adopted
    assert reason.startswith("that it is worse than the model in use cannot be excluded")
    surely = replace(again.result.order, value=0.05, interval=Interval(0.01, 0.09, 0.95))
    assert verdict(again.result, replace(gain, value=0.001), surely)[0]
    assert not verdict(again.result, replace(gain, value=-0.001), surely)[0]


def test_a_market_that_changes_after_the_cut_is_not_promised_to(market):
    chances, end = market
    rng = np.random.default_rng(1)
    rows, cut = chances.attempts, cut_of(chances)
    lost = (chances.sent >= cut) & (rng.random(len(rows)) < 0.6)
    fewer = replace(chances, attempts=replace(rows, events=np.where(lost, 0.0, rows.events)))
    found = contest(fewer, trained_to=end, champion=NONE)
    assert not found.adopted
    assert found.reason.startswith("not calibrated") or "worse" in found.reason


def test_own_terms_follow_what_a_person_has_shown(market, judged):
    chances, _ = market
    own = own_terms(judged.served, chances)
    rate = own.events / np.maximum(own.n, 1)
    many = own.n >= 40
    assert np.corrcoef(own.value[many], rate[many])[0, 1] > 0.7
    assert own_table(own, chances).num_rows == chances.people.size


def test_whoever_has_sent_nothing_is_promised_what_everybody_is(judged, market):
    chances, _ = market
    nobody = np.zeros(0, dtype=np.int64)
    empty = replace(chances, attempts=chances.attempts.take(nobody), sent=chances.sent[nobody])
    promised = scores(judged.served, empty, chances)
    assert promised.whole == pytest.approx(judged.served.intercept + judged.served.offset(chances))


def test_a_model_survives_being_kept(judged):
    again = restored(content(judged.served))
    assert version_of(again) == version_of(judged.served)
    job = {"fit_score": 72.0, "channel": "Referral", "applicants": 30.0, "title": None, "other": "x"}
    assert [term.name for term in again.terms(job)] == ["fit_score", "applicants", "channel"]


def test_terms_of_rows_and_of_jobs_add_up_alike(market, judged):
    """The sum that a job is shown is the one that was tested."""
    chances, _ = market
    model, rows = judged.served, chances.attempts
    late = np.flatnonzero(model.period(chances.sent) == 0)[:20]
    offset = model.offset(chances)
    for at in late.tolist():
        job = {
            name: chances.keys[name][codes[at]]
            for name, codes in rows.levels.items()
            if name in chances.keys and codes[at] >= 0 and not name.endswith("_band")
        }
        for name, scale in SCALES.items():
            value = scale.usual + scale.unit * rows.numbers[name][at]
            job[name] = np.expm1(value) if scale.take is not None else value
        assert sum(term.value for term in model.terms(job)) == pytest.approx(offset[at], abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (rows_of(0), "cannot tell yet"),
        (rows_of(1), "cannot tell yet"),
        (rows_of(300, seen=[0.0] * 300), "cannot tell yet"),
        (rows_of(300, event=1.0), "cannot tell yet: 1 people"),
        (rows_of(500, people=25, company=["one"] * 500, fit_score=[60.0] * 500), "cannot tell yet"),
    ],
    ids=["empty", "one application", "all silent", "all interviews", "one employer, constant scores"],
)
def test_bad_logs_give_a_clear_answer(rows, why):
    found = contest(to_chances(rows, {}), trained_to=END, champion=NONE)
    assert not found.adopted
    assert why in found.reason
    assert np.isfinite(special.expit(found.served.intercept))
    assert all(np.isfinite(term.log_odds) for term in terms_of(found.served))
    assert verdict_of(found, version="m1", champion="m0").reason == found.reason


def test_before_any_log_a_better_fit_is_likelier_and_the_rate_is_a_usual_one():
    good, bad = ({term.name: term.value for term in NONE.terms({"fit_score": fit})} for fit in (90.0, 40.0))
    assert good["fit_score"] > 0 > bad["fit_score"]
    assert 0.03 < usual_chance(NONE) < 0.08


def test_levels_of_few_people_have_no_effect_of_their_own():
    rows = rows_of(600, people=30, title=["cook" if at % 30 < 5 else "waiter" for at in range(600)])
    assert to_chances(rows, {}).keys["title"] == ("waiter",)


def test_a_learner_that_gives_no_numbers_is_not_adopted(market, judged, monkeypatch):
    """A model without numbers cannot be judged: the stage ends with an error, and the one in use stays."""
    nowhere = {name: (np.nan, error) for name, (_, error) in judged.served.slopes.items()}
    found = (replace(judged.served, slopes=nowhere), None)
    monkeypatch.setattr(judging, "trained", lambda *_, **__: found)
    chances, end = market
    with pytest.raises(Layer7Error):
        contest(chances, trained_to=end, champion=NONE)
