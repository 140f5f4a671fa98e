"""Which habits go with success or failure in which segments, as far as it may be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from layer7.analytics.segments.membership import SCHEMES
from layer7.analytics.segments.strategies import FIT_BANDS, NOT_DONE
from layer7.contract.analytics import CommonPitfall, SuccessfulStrategy
from layer7.contract.evidence import Period
from layer7.privacy.least import about_enough
from layer7.statistics import bayesian_fdr
from layer7.statistics.arrays import FloatArray
from layer7.statistics.many.mixture import Mixture
from layer7.statistics.many.sparse_levels import Levels, sparse_levels
from layer7.statistics.rates.intervals import wilson_bounds
from layer7.statistics.within.contrasts import mantel_haenszel

LEAST_RATIO = 1.1
"""Least odds ratio (or its inverse) that is worth saying."""

FDR = 0.10
LEAST_PROBABILITY = 0.8
"""Of each habit besides: where many are certain, their average would let in what is hardly likely."""

LEVEL = 0.95
FEWEST = 5
"""Interviews that must be expected on either side for a habit to be compared. Those that came do not decide:
of rare habits, only those that chance had favoured would be looked at."""

METHOD = (
    "the same person's applications with and without it, alike in {fixed} (Mantel-Haenszel), shrunk towards "
    "the other segments; within persons, so it predicts and does not prove"
)
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "tailored": "tailored resume",
        "early": "applied within two days of posting",
        "channel": "applied through {}",
        "category": "applied to {} jobs",
        "company_type": "applied to companies of type {}",
        "fit": "applied to jobs with fit score {}",
    }
)
_FIXED: Mapping[str, str] = MappingProxyType(
    {
        "tailored": "channel and fit",
        "early": "channel and fit",
        "channel": "fit and tailoring",
        "category": "channel and tailoring",
        "company_type": "channel and fit",
        "fit": "channel and tailoring",
    }
)


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit in one segment, compared.

    Args:
        family: what kind of habit.
        words: what these people do, in words.
        people: who have any such application.
        usual: of whom most applications are so.
        n: such applications.
        rate: their interview rate, with its interval after it.
        ratio: odds ratio within persons, shrunk, with its interval after it.
        raw: odds ratio between all applications; None when it cannot be told.
        probability: that the odds ratio has this sign and at least the least size.
    """

    family: str
    words: str
    people: int
    usual: int
    n: int
    rate: tuple[float, float, float]
    ratio: tuple[float, float, float]
    raw: float | None
    probability: float


def habits(moments: pa.Table, *, correlation: float) -> Mapping[int, tuple[Habit, ...]]:
    """Compare every habit in every segment, and keep what may be shown.

    Log odds ratios within persons are shrunk across the segments of a scheme, habit by habit, and towards
    none as far as most habits of the scheme have none. Of all habits in all segments, those are kept whose
    probability of an odds ratio above 1.1 (or below its inverse) is so high that on average at most a tenth
    of what is kept is false.

    Args:
        moments: rows of :func:`layer7.analytics.segments.strategies.habit_moments`, and if known the
            variance that their segments ``shared``
            (:func:`layer7.analytics.applications.employers.with_shared`).
        correlation: of two applications of one person, for the intervals of the rates.

    Returns:
        The habits by segment; a segment without any is left out.
    """
    columns = _with_rest({name: np.asarray(moments[name].to_pylist()) for name in moments.column_names})
    contrasts = [_contrasts(columns, scheme) for scheme in SCHEMES]
    found = [
        item
        for scheme in contrasts
        for own, shrunk in zip(scheme, sparse_levels([each.levels for each in scheme]), strict=True)
        for item in _told(own.own, shrunk, correlation)
    ]
    found = [item for item in found if item[1].probability >= LEAST_PROBABILITY]
    shown = bayesian_fdr([1 - habit.probability for _, habit in found], FDR)
    kept: dict[int, list[Habit]] = {}
    for (segment, habit), may in zip(found, shown, strict=True):
        if may:
            kept.setdefault(segment, []).append(habit)
    return MappingProxyType({segment: tuple(each) for segment, each in kept.items()})


def _with_rest(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add what a segment's other applications of known kind came to."""
    keys = [
        f"{segment} {family}" for segment, family in zip(columns["segment"], columns["family"], strict=True)
    ]
    _, place = np.unique(keys, return_inverse=True)
    rest = {
        f"rest_{name}": np.bincount(place, columns[name])[place] - columns[name] for name in ("k", "trials")
    }
    return dict(columns) | rest


@dataclass(frozen=True, slots=True, eq=False)
class _Contrast:
    """One habit in the segments that have enough interviews with and without it."""

    own: Mapping[str, Any]
    levels: Levels


def _contrasts(columns: Mapping[str, Any], scheme: str) -> list[_Contrast]:
    """All habits of a scheme that can be compared somewhere."""
    here = (columns["scheme"] == scheme) & (columns["habit"] != NOT_DONE)
    found = []
    for family, level in sorted({*zip(columns["family"][here], columns["habit"][here], strict=True)}):
        rows = here & (columns["family"] == family) & (columns["habit"] == level)
        contrast = _contrast({name: values[rows] for name, values in columns.items()})
        found += [] if contrast is None else [contrast]
    return found


def _contrast(own: Mapping[str, Any]) -> _Contrast | None:
    found = mantel_haenszel(own["r"], own["s"], rr=own["rr"], ss=own["ss"], rs=own["rs"])
    enough = found.known & (_fewer_expected(own) >= FEWEST)
    if not enough.any():
        return None
    told = {name: values[enough] for name, values in own.items()}
    error = np.maximum(found.error[enough], _least_error(told))
    shared = float(own["shared"].max()) if "shared" in own else 0.0
    return _Contrast(told, Levels(found.value[enough], error, shared))


def _least_error(own: Mapping[str, Any]) -> FloatArray:
    """The error of a log odds ratio were all applications independent and alike (Woolf, 1955).

    From a dozen people on, the error between them is now and then far too small, and such contrasts would
    be the first to be shown.
    """
    k, rest_k = own["k"], own["rest_k"]
    missed, rest_missed = own["trials"] - k, own["rest_trials"] - rest_k
    cells = np.maximum(np.stack((k, rest_k, missed, rest_missed)), 0.5)
    return np.asarray(np.sqrt((1 / cells).sum(axis=0)), dtype=np.float64)


def _fewer_expected(own: Mapping[str, Any]) -> FloatArray:
    """Interviews to expect with or without a habit, whichever is fewer, if it does nothing."""
    trials, rest = own["trials"], own["rest_trials"]
    rate = (own["k"] + own["rest_k"]) / np.maximum(trials + rest, 1e-300)
    return np.asarray(rate * np.minimum(trials, rest), dtype=np.float64)


def _told(own: Mapping[str, Any], shrunk: Mixture, correlation: float) -> list[tuple[int, Habit]]:
    """One habit in all segments of a scheme."""
    ends = np.exp(np.stack((shrunk.mean, *shrunk.interval(LEVEL))))
    least = np.log(LEAST_RATIO)
    chances = np.maximum(shrunk.above(least), 1 - shrunk.above(-least))
    rates, raw = _rates(own, correlation), _raw(own)
    family = str(own["family"][0])
    words = _SAID[family].format(spoken(family, str(own["habit"][0])))
    return [
        (
            int(own["segment"][at]),
            Habit(
                family,
                words,
                people=int(own["people"][at]),
                usual=int(own["usual"][at]),
                n=int(own["n"][at]),
                rate=_three(rates[:, at]),
                ratio=_three(ends[:, at]),
                raw=None if np.isnan(raw[at]) else float(raw[at]),
                probability=float(chances[at]),
            ),
        )
        for at in range(len(ends[0]))
    ]


def _three(values: FloatArray) -> tuple[float, float, float]:
    value, low, high = (float(number) for number in values)
    return value, min(low, value), max(high, value)


def _rates(own: Mapping[str, Any], correlation: float) -> FloatArray:
    """Interview rates with Wilson's interval on what one person's applications amount to."""
    k, trials = own["k"], np.maximum(own["trials"], own["k"])
    each = trials / np.maximum(own["people"], 1)
    design = 1 + np.maximum(each - 1, 0) * correlation
    low, high = wilson_bounds(k / design, trials / design, LEVEL)
    return np.stack((k / np.maximum(trials, 1e-300), low, high))


def _raw(own: Mapping[str, Any]) -> FloatArray:
    """Odds ratios between all applications; NaN inside this module where they cannot be told."""
    missed, rest_missed = own["trials"] - own["k"], own["rest_trials"] - own["rest_k"]
    known = (missed > 0) & (own["rest_k"] > 0)
    up, down = own["k"] * rest_missed, own["rest_k"] * missed
    return np.where(known, up / np.where(known, down, 1.0), np.nan)


def spoken(family: str, level: str) -> str:
    """Say a level in words.

    Example:
        >>> spoken("channel", "easy_apply"), spoken("fit", "3")
        ('easy apply', '80 or more')
    """
    if family != "fit":
        return level.replace("_", " ")
    place = int(level)
    if place == 0:
        return f"below {FIT_BANDS[0]}"
    if place == len(FIT_BANDS):
        return f"{FIT_BANDS[-1]} or more"
    return f"{FIT_BANDS[place - 1]} to {FIT_BANDS[place] - 1}"


def strategies(found: Sequence[Habit], window: Period) -> tuple[SuccessfulStrategy, ...]:
    """Give the habits that go with success, the strongest first.

    Args:
        found: the habits of one segment.
        window: the time that the data are from.
    """
    good = [habit for habit in about_enough(found, lambda habit: habit.people).shown if habit.ratio[0] > 1]
    return tuple(
        SuccessfulStrategy(
            strategy=habit.words,
            success_rate=habit.rate[0],
            sample_size=habit.n,
            interval=habit.rate[1:],
            **_common(habit, window),
        )
        for habit in sorted(good, key=lambda habit: -habit.ratio[0])
    )


def pitfalls(found: Sequence[Habit], people: int, window: Period) -> tuple[CommonPitfall, ...]:
    """Give the habits that go with failure, those of most people first.

    Args:
        found: the habits of one segment.
        people: people in the segment.
        window: the time that the data are from.
    """
    bad = [habit for habit in about_enough(found, lambda habit: habit.people).shown if habit.ratio[0] < 1]
    told = [
        CommonPitfall(
            pattern=f"most applications: {habit.words}",
            negative_impact=_harm(habit),
            frequency=min(habit.usual / max(people, 1), 1.0),
            **_common(habit, window),
        )
        for habit in bad
    ]
    return tuple(sorted(told, key=lambda item: (-item.frequency, item.pattern)))


def _harm(habit: Habit) -> str:
    value, low, high = habit.ratio
    return (
        f"goes with odds of an interview {100 * (1 - value):.0f} % lower than the same people's other "
        f"applications (odds ratio {value:.2f}, {low:.2f} to {high:.2f})"
    )


def _common(habit: Habit, window: Period) -> dict[str, Any]:
    apart = abs(np.log(habit.ratio[0])) / np.log(LEAST_RATIO)
    return {
        "n": habit.n,
        "level": LEVEL,
        "window": window,
        "method": METHOD.format(fixed=_FIXED[habit.family]),
        "odds_ratio": habit.ratio[0],
        "odds_ratio_interval": habit.ratio[1:],
        "raw_odds_ratio": habit.raw,
        "basis": "within_person",
        "probability": habit.probability,
        "what_would_change_this": (
            "A test with dice that gives another answer, or more applications that bring the odds ratio "
            f"to within {LEAST_RATIO} of 1 (it stands {apart:.1f} times as far)."
        ),
    }
