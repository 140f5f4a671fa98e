"""Segments of people in the contract's words (specification 4.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from layer7.analytics.making import Making, document, time_evidence
from layer7.analytics.segments.habits import LEVEL, Habit, habits, pitfalls, strategies
from layer7.analytics.segments.membership import SCHEMES, Kind
from layer7.analytics.segments.proven import proven
from layer7.contract.analytics import CommonPitfall, SuccessfulStrategy, UserSegment
from layer7.contract.evidence import RateEvidence
from layer7.contract.experiments import Experiment
from layer7.privacy.least import Enough, about_enough
from layer7.statistics.arrays import FloatArray
from layer7.statistics.many.shrinkage import shrink
from layer7.statistics.people.people_rates import group_rates
from layer7.statistics.rates.time_to_event import METHOD, TimeToEvent, time_to_event

OFFER_WEEKS = 52
"""Weeks from the first application within which offers are looked for."""

MOST_WEEKS = 260
"""Longer searches count as this long: they say nothing about the first year."""

RATE = "mean of people's rates on effective trials (beta-binomial), shrunk towards the mean of all segments"


def segments(
    known: Sequence[Kind],
    people: pa.Table,
    moments: pa.Table,
    *,
    making: Making,
    experiments: Sequence[Experiment] = (),
    unseen: FloatArray | None = None,
) -> Enough[UserSegment]:
    """Say of every segment how its people fare, and what goes with success and failure in it.

    What an experiment has proven comes first, then what goes with success within the same persons.

    Args:
        known: the segments, in the order of their places.
        people: rows of :func:`layer7.analytics.segments.strategies.person_moments`.
        moments: rows of :func:`layer7.analytics.segments.strategies.habit_moments`.
        making: when, from what, with which dice.
        experiments: those with results.
        unseen: of :func:`layer7.analytics.segments.delays.unseen_ratios`; None to read the silence of all
            segments by the delays of everyone.

    Returns:
        Those about enough people, the largest first, and how many others there are.
    """
    # Sums of floats depend on their order, and an engine gives rows in any.
    people = people.sort_by([(name, "ascending") for name in people.column_names])
    everyone = group_rates(np.zeros(people.num_rows, dtype=np.int64), *_counts(people), groups=1)
    told = _Told(habits(moments, correlation=everyone.correlation), tuple(experiments))
    found = [
        segment
        for scheme in SCHEMES
        for segment in _of_scheme(scheme, known, _seen(people, scheme, unseen), told=told, making=making)
    ]
    largest = sorted(found, key=lambda segment: (-segment.user_count, segment.segment_id))
    return about_enough(largest, lambda segment: segment.user_count)


def _seen(people: pa.Table, scheme: str, unseen: FloatArray | None) -> pa.Table:
    """Give people with the trials that were seen by the delays of their own segments."""
    if unseen is None or not people.num_rows:
        return people
    # The last place is for those who are in no segment.
    place = [-1 if each is None else each for each in people[scheme].to_pylist()]
    ratio = np.append(unseen, 1.0)[np.array(place, dtype=np.int64)]
    n, trials = (people[name].to_numpy().astype(np.float64) for name in ("n", "trials"))
    seen = n - np.minimum(ratio * (n - trials), n)
    return people.set_column(people.column_names.index("trials"), "trials", pa.array(seen))


_Said = tuple[tuple[SuccessfulStrategy, ...], tuple[CommonPitfall, ...]]


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of what people do: habits by segment, and experiments."""

    habits: Mapping[int, tuple[Habit, ...]]
    experiments: tuple[Experiment, ...]

    def of(self, place: int, kind: Kind, people: int, making: Making) -> _Said:
        """Give what goes with success and what with failure in a segment: experiments first."""
        level = None if kind.criteria.seniority is None else str(kind.criteria.seniority)
        better, worse = proven(self.experiments, level, people=people, window=making.window)
        found = self.habits.get(place, ())
        good, bad = strategies(found, making.window), pitfalls(found, people, making.window)
        return (*better, *good), (*worse, *bad)


def _counts(people: pa.Table) -> tuple[FloatArray, FloatArray]:
    k, trials = (people[name].to_numpy().astype(np.float64) for name in ("k", "trials"))
    return k, np.maximum(trials, k)


def _of_scheme(
    scheme: str,
    known: Sequence[Kind],
    people: pa.Table,
    *,
    told: _Told,
    making: Making,
) -> list[UserSegment]:
    places = [place for place, kind in enumerate(known) if kind.scheme == scheme]
    if not places:
        return []
    group = np.array([-1 if place is None else place for place in people[scheme].to_pylist()], dtype=np.int64)
    rates = group_rates(group, *_counts(people), groups=len(known))
    rate = shrink(rates.log_odds[places], rates.error[places])
    low, high = rate.effects.interval(LEVEL)
    weeks = _weeks(people, group, len(known))
    submitted = np.bincount(group[group >= 0], people["n"].to_numpy()[group >= 0], minlength=len(known))
    size = np.bincount(group[group >= 0], minlength=len(known))
    made = []
    for row, place in enumerate(places):
        waits = time_to_event(*weeks[place], horizon=OFFER_WEEKS, rng=making.rng)
        fared = _Fared(
            people=int(size[place]),
            n=int(submitted[place]),
            events=int(rates.events[place]),
            effective=float(rates.trials[place] / rates.design[place]),
            own=float(rates.value[place]) if rates.people[place] else None,
            rate=tuple(float(special.expit(end)) for end in (rate.effects.mean[row], low[row], high[row])),
            pull=float(rate.pull[row]),
            waits=waits,
        )
        made.append(_segment(known[place], fared, told.of(place, known[place], fared.people, making), making))
    return made


def _weeks(people: pa.Table, group: npt.NDArray[np.int64], groups: int) -> FloatArray:
    """Histograms of weeks to an offer, to the end of a search, and to the end of the log, by group."""
    week = np.minimum(people["week"].to_numpy().astype(np.int64), MOST_WEEKS)
    offer, ended = (people[name].to_numpy(zero_copy_only=False) for name in ("offer", "ended"))
    kind = np.where(offer, 0, np.where(ended, 1, 2))
    counted = np.zeros((groups, 3, MOST_WEEKS + 1))
    inside = group >= 0
    np.add.at(counted, (group[inside], kind[inside], week[inside]), 1.0)
    return counted


@dataclass(frozen=True, slots=True)
class _Fared:
    """How a segment fared; ``own`` is its own rate, ``rate`` the shrunk one with its interval."""

    people: int
    n: int
    events: int
    waits: TimeToEvent
    effective: float
    own: float | None
    rate: tuple[float, ...]
    pull: float


def _segment(kind: Kind, fared: _Fared, said: _Said, making: Making) -> UserSegment:
    value, low, high = fared.rate
    told, waits = fared.own is not None, fared.waits
    evidence = {"avg_interview_rate": _rate_evidence(fared)}
    if waits.share is not None and waits.mean is not None:
        evidence["offer_within_a_year"] = _offer_evidence(waits)
    return UserSegment(
        segment_id=kind.segment_id,
        criteria=kind.criteria,
        user_count=fared.people,
        avg_interview_rate=value if told else None,
        avg_applications_to_interview=1 / value if told else None,
        avg_time_to_offer_weeks=waits.mean,
        successful_strategies=said[0],
        common_pitfalls=said[1],
        n=fared.n,
        interval=(low, high) if told else None,
        level=LEVEL,
        window=making.window,
        method=f"{RATE}; the mean of all segments weighs {100 * fared.pull:.0f} % in this one",
        what_would_change_this=_would_change(fared),
        evidence=evidence,
        as_of=making.as_of,
        lineage=making.lineage,
        time_to_offer=time_evidence(waits, "weeks"),
    )


def _rate_evidence(fared: _Fared) -> RateEvidence:
    value, low, high = fared.rate
    told = fared.own is not None
    return RateEvidence(
        value=value if told else None,
        low=low if told else None,
        high=high if told else None,
        n=fared.n,
        effective_n=fared.effective,
        events=fared.events,
        level=LEVEL,
        method=RATE,
        needed=None if told else 1,
    )


def _offer_evidence(waits: TimeToEvent) -> RateEvidence:
    return RateEvidence(
        value=waits.share,
        n=waits.n,
        events=waits.events,
        level=LEVEL,
        method=f"{METHOD}, {waits.horizon} weeks",
    )


def _would_change(fared: _Fared) -> str:
    words = f"About {3 * fared.n:,} more applications would halve the interval of the interview rate."
    if fared.waits.needed:
        words += f" The time to an offer can be told after about {fared.waits.needed} more offers."
    return words


def segment_table(found: Enough[UserSegment]) -> pa.Table:
    """Give segments as the rows of a derived table.

    Args:
        found: what may be shown.

    Returns:
        ``place``, ``segment_id`` and ``document``, the contract's JSON.
    """
    return pa.table(
        {
            "place": pa.array(range(len(found.shown)), pa.int32()),
            "segment_id": pa.array([each.segment_id for each in found.shown], pa.string()),
            "document": pa.array([document(each) for each in found.shown], pa.string()),
        }
    )
