"""When should a person rethink her targets, and after how many applications in general (spec 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.contract.vocabulary import StrategyMode
from layer7.statistics.people.alarm import Operating, count_rule, operating, posterior_rule
from layer7.statistics.people.person_rates import Cohort, chance_below, fit_cohort, more_without_event
from layer7.statistics.rates.estimate import LEAST_FOLDS, Estimate, error_over_folds

COUNT = "rethink_targets_threshold"
RATE = "rethink_targets_rate"

BY = 120
"""Matured applications by which an alarm should have come."""

FALSE_ALARMS = 0.05
"""Most of those at twice the threshold or above who may be alarmed."""

CERTAINTIES = tuple(round(0.70 + 0.01 * step, 2) for step in range(26))
USUAL_CERTAINTY = 0.80
COUNTS = (*range(10, 100, 5), *range(100, 201, 10))
LEAST_PEOPLE = 50
LEAST_INTERVIEWS = 20
DRAWS = 100
SURE = 0.95
BELOW_COHORT = 0.5
"""Nobody is told to rethink for having what others have: at most this share of the cohort's mean counts."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RethinkCount:
    """What a night says of the count of applications, and of the rule beside it.

    Args:
        answer: in one sentence.
        cohort: how people's rates differ; None while there is not enough data.
        threshold: rate below which targets are rethought here.
        certainty: probability from which on a person is told to rethink.
        current: what the rule in force does to these people; None without a cohort.
        posterior: what the rule on the probability does; None as above.
        better: the better count; None where none is proven.
        best: what the rule with the better count does.
        gain: right alarms less wrong ones, more per person by the better count: mean and 95 % interval.
        probability: that this gain is above 0.
        loss: expected loss, should it be below 0.
        people: people whose outcomes were read.
        needed: about how many more people are needed; None when enough.
    """

    answer: str
    threshold: float
    certainty: float
    people: int
    cohort: Cohort | None = None
    current: Operating | None = None
    posterior: Operating | None = None
    better: int | None = None
    best: Operating | None = None
    gain: tuple[float, float, float] | None = None
    probability: float | None = None
    loss: float | None = None
    needed: int | None = None


def rethink_count(people: pa.Table, *, count: int, rate: float, rng: np.random.Generator) -> RethinkCount:
    """Judge the rule "so many applications and a rate below so much" on the people of the log.

    People's true rates follow a beta law, fitted on effective applications. Over that law, the chance that
    the rule ever alarms by 120 matured applications is computed exactly. The better count is the smallest
    that alarms at most 5 % of those at twice the threshold or above; it is recommended if the rule in force
    alarms more than that, and P(more right alarms, less wrong ones) is at least 95 %.

    Args:
        people: rows of :func:`layer7.analytics.optimizing.rethinking.target_moments`.
        count: applications in force.
        rate: interview rate in force.
        rng: the dice for the uncertainty of the law.
    """
    n, k, seen = _counts(people, "")
    if n.size < LEAST_PEOPLE or k.sum() < LEAST_INTERVIEWS:
        needed = max(LEAST_PEOPLE - n.size, int(LEAST_INTERVIEWS - k.sum()), 1)
        return RethinkCount(
            answer=f"Not enough data: how people differ is told by {LEAST_PEOPLE} people and "
            f"{LEAST_INTERVIEWS} interviews; there are {n.size} and {k.sum():.0f}.",
            threshold=rate,
            certainty=USUAL_CERTAINTY,
            people=int(n.size),
            needed=needed,
        )
    cohort = fit_cohort(k, seen)
    threshold = min(rate, BELOW_COHORT * cohort.mean)
    share = min(max(float(seen.sum() / n.sum()), 0.05), 1.0)
    certainty = _certainty(cohort, threshold)
    current = operating(count_rule(count, rate), cohort, threshold, by=_raw(share), seen=share)
    found = RethinkCount(
        answer="",
        threshold=threshold,
        certainty=certainty,
        people=int(n.size),
        cohort=cohort,
        current=current,
        posterior=operating(posterior_rule(cohort, threshold, sure=certainty), cohort, threshold, by=BY),
    )
    return _with_better(found, (cohort, current), (count, rate, share), cohort.draws(DRAWS, rng))


def _raw(share: float) -> int:
    """Applications sent by the time that BY of them have matured."""
    return min(round(BY / share), 2 * BY)


def _counts(people: pa.Table, name: str) -> tuple[Floats, Floats, Floats]:
    n, k, unseen = (
        people[f"{what}{name}"].to_numpy().astype(np.float64) for what in ("n", "interviews", "unseen")
    )
    return n, k, np.maximum(n - unseen, k)


def _certainty(cohort: Cohort, threshold: float) -> float:
    """The least certainty, from 70 % on, that keeps false alarms at or below 5 %."""
    for sure in CERTAINTIES:
        rule = posterior_rule(cohort, threshold, sure=sure)
        if operating(rule, cohort, threshold, by=BY).false_alarm <= FALSE_ALARMS:
            return sure
    return CERTAINTIES[-1]


def _with_better(
    found: RethinkCount,
    law: tuple[Cohort, Operating],
    ruled: tuple[int, float, float],
    cohorts: Sequence[Cohort],
) -> RethinkCount:
    count, rate, share = ruled
    cohort, current = law
    by = _raw(share)
    tried = {
        least: operating(count_rule(least, rate), cohort, found.threshold, by=by, seen=share)
        for least in COUNTS
        if least <= by
    }
    fit = [least for least, each in tried.items() if each.false_alarm <= FALSE_ALARMS]
    better = fit[0] if fit else None
    words = (
        f"the rule ({count} applications and a rate below {rate:.1%}) alarms {current.false_alarm:.0%} of "
        "people who do well enough"
    )
    if current.false_alarm <= FALSE_ALARMS:
        return replace(found, answer=f"No move from {count}: {words}.")
    if better is None:
        return replace(found, answer=f"No move from {count}: {words}; no other count spares them.")
    gains = _gains((count, better), (rate, share, found.threshold), cohorts)
    low, high = (float(end) for end in np.quantile(gains, (0.025, 0.975)))
    probability, loss = float((gains > 0).mean()), float(np.maximum(-gains, 0.0).mean())
    if probability < SURE:
        return replace(
            found, answer=f"No move from {count}: another count is not proven to be right more often."
        )
    return replace(
        found,
        answer=f"{words[0].upper()}{words[1:]}; {better} applications would alarm "
        f"{tried[better].false_alarm:.0%} of them and find {tried[better].detection:.0%} of those below "
        f"{found.threshold:.1%}.",
        better=better,
        best=tried[better],
        gain=(float(gains.mean()), low, high),
        probability=probability,
        loss=loss,
    )


def _gains(counts: tuple[int, int], ruled: tuple[float, float, float], cohorts: Sequence[Cohort]) -> Floats:
    rate, share, threshold = ruled
    found = []
    for cohort in cohorts:
        now, then = (
            operating(count_rule(least, rate), cohort, threshold, by=_raw(share), seen=share)
            for least in counts
        )
        found.append((then.right - then.wrong) - (now.right - now.wrong))
    return np.array(found)


def states(people: pa.Table, found: RethinkCount) -> pa.Table:
    """Say of each person whether to rethink her targets now.

    Args:
        people: rows of :func:`layer7.analytics.optimizing.rethinking.target_moments`.
        found: what the night says of the rule.

    Returns:
        ``person``, ``bucket``, ``state`` (``rethink``, ``not_yet``, ``fine``, or ``cannot_tell`` while
        there is no cohort), ``probability`` that the rate is below ``threshold``, ``certainty`` that is
        asked for, ``more_needed`` (about so many more applications without an interview; null but for
        ``not_yet``), and the counts since targets were last rethought: ``n``, ``interviews``,
        ``effective_n``.
    """
    n, k, seen = _counts(people, "_since")
    columns = {
        "person": people["person"],
        "bucket": people["bucket"],
        "n": pa.array(n.astype(np.int64)),
        "interviews": pa.array(k.astype(np.int64)),
        "effective_n": pa.array(seen),
        "threshold": pa.array(np.full(n.size, found.threshold)),
        "certainty": pa.array(np.full(n.size, found.certainty)),
    }
    if found.cohort is None:
        nothing = pa.nulls(n.size, pa.float64())
        word = pa.array(["cannot_tell"] * n.size, pa.string())
        return pa.table(
            columns | {"state": word, "probability": nothing, "more_needed": pa.nulls(n.size, pa.int64())}
        )
    chance = chance_below(found.cohort, k, seen, found.threshold)
    more = more_without_event(found.cohort, k, seen, found.threshold, sure=found.certainty)
    words = np.where(
        chance > found.certainty, "rethink", np.where(chance < 1 - found.certainty, "fine", "not_yet")
    )
    return pa.table(
        columns
        | {
            "state": pa.array(words.tolist(), pa.string()),
            "probability": pa.array(chance),
            "more_needed": pa.array(more.astype(np.int64), mask=words != "not_yet"),
        }
    )


@dataclass(frozen=True, slots=True)
class SwitchEffect:
    """What came after a change to a mode, against what was to be expected.

    Args:
        mode: the mode changed to.
        people: changes with applications after them.
        ratio: interviews after it over those expected of these people; None where nothing is expected.
        claim: ``predicts`` where the ratio's interval leaves out 1, else ``no effect proven``.
        plain: the sketch's ratio of plain rates after and before, which luck alone moves; None where unknown.
    """

    mode: StrategyMode
    people: int
    ratio: Estimate | None
    claim: str
    plain: float | None


def switch_effects(switches: pa.Table, cohort: Cohort | None) -> tuple[SwitchEffect, ...]:
    """Compare what came after each change of mode with the shrunk expectation of the same people.

    Whoever is switched after bad luck does better afterwards without any effect. So the expectation of a
    person is not her rate before, but her posterior mean (a + k) / (a + b + n), which has seen the luck.
    The ratio is Σ interviews after / Σ expectation · effective applications after, its error over folds of
    people. It is a comparison within people, and still no experiment: it predicts.

    Args:
        switches: rows of :func:`layer7.analytics.optimizing.rethinking.switch_moments`.
        cohort: how people's rates differ; None while it cannot be told.
    """
    mode = np.array(switches["to_mode"].to_pylist(), dtype=object)
    return tuple(_effect(word, switches.filter(pa.array(mode == str(word))), cohort) for word in StrategyMode)


def _effect(word: StrategyMode, rows: pa.Table, cohort: Cohort | None) -> SwitchEffect:
    before, after = _counts_of(rows, "before"), _counts_of(rows, "after")
    plain = None
    if before[0].sum() and before[1].sum() > 0 and after[0].sum():
        plain = float((after[0].sum() / after[1].sum()) / (before[0].sum() / before[1].sum()))
    if cohort is None or not rows.num_rows:
        return SwitchEffect(word, rows.num_rows, None, "no effect proven", plain)
    a, b = cohort.shape
    expected = (a + before[0]) / (a + b + before[1]) * after[1]
    fold = rows["fold"].to_numpy().astype(np.int64)
    seen, hoped = (np.bincount(fold, weights=values) for values in (after[0], expected))
    filled = np.bincount(fold) > 0
    if filled.sum() < LEAST_FOLDS or hoped.sum() < 1:
        return SwitchEffect(word, rows.num_rows, None, "no effect proven", plain)
    value = float(seen.sum() / hoped.sum())
    error = max(error_over_folds((seen - value * hoped)[filled]) / float(hoped.sum()), 1e-12)
    ratio = Estimate(value, error, int(filled.sum()))
    proven = 1.0 not in ratio.interval()
    return SwitchEffect(word, rows.num_rows, ratio, "predicts" if proven else "no effect proven", plain)


def _counts_of(rows: pa.Table, when: str) -> tuple[Floats, Floats]:
    n, k, unseen = (
        rows[f"{what}_{when}"].to_numpy().astype(np.float64) for what in ("n", "interviews", "unseen")
    )
    return k, np.maximum(n - unseen, k)
