"""What came of Layer 2's decisions: sums per fold of people and step of the resume score."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import (
    SECONDS_PER_DAY,
    Outlook,
    count_if,
    epoch_seconds,
    grained,
    outcomes,
    seconds_of,
)
from layer7.contract.vocabulary import EventType, StrategyMode

FOLDS = 64
WIDTH = 0.5
"""Points that a step is wide."""

STEPS = 200
"""Steps on each side of the cut: 100 points."""

WINDOW_DAYS = 28
"""So long after a decision applications count as what came of it, if it names none."""

NEAR = 5.0
"""Points from the cut within which Layer 2 may explore."""

HEX = "0123456789abcdef"
_MODES = tuple(str(mode) for mode in StrategyMode)
_SUMS = ("cases", "offset", "weight", "weight_squares", "interviews", "interview_squares", "unseen")
_WEIGHTED = ("applications", "weighted_interviews", "weighted_unseen")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Kind(StrEnum):
    """How a decision came about."""

    EXPLORED = "explored"
    RULED = "ruled"
    FIRST = "first"


def decision_moments(applications: ir.Table, events: ir.Table, night: Outlook, *, cut: float) -> ir.Table:
    """Sum what came of decisions near and far from a cut.

    A decision is a ``POLICY_DECISION``: explored where its propensity is below 1, ruled otherwise; or a
    person's first mode (``MODE_CHANGED`` from none). Later changes are left out: they happen to those who
    just crossed a cut, which makes a heap there. A decision counts with the resume score that Layer 2 saw,
    and as held back where it says IMPROVE_RESUME_FIRST. What came of it is the application that it names;
    if it names none, the applications that the person sent within 28 days, once these days are over.

    Args:
        applications: one row per application.
        events: the event log.
        night: what silence means.
        cut: the threshold in force, points.

    Returns:
        ``kind``, ``is_linked`` (names an application), ``fold`` (0 to 63, all of a person in one), ``step``
        (whole half points above the cut), ``is_held``, and sums: ``cases``, ``offset`` (points above the
        cut), ``weight`` (1 / propensity), ``weight_squares``, ``applications``, ``interviews``,
        ``interview_squares``, ``unseen``, ``weighted_interviews``, ``weighted_unseen``.
    """
    rows = _followed(applications, events, night)
    high, low = (
        ibis.literal(HEX).find(digit) for digit in (rows.person.right(2).left(1), rows.person.right(1))
    )
    weight = grained(1 / rows.propensity)
    offset = grained(rows.score - cut)
    placed = rows.mutate(
        fold=(ibis.greatest(high, 0) * 4 + ibis.greatest(low, 0) // 4).cast("int64"),
        step=(offset / WIDTH).floor().cast("int64"),
        offset=offset,
        weight=weight,
        weighted_unseen=grained(weight * rows.unseen),
    )
    return placed.group_by("kind", "is_linked", "fold", "step", "is_held").aggregate(
        cases=placed.count(),
        offset=placed.offset.sum(),
        weight=placed.weight.sum(),
        weight_squares=(placed.weight * placed.weight).sum(),
        applications=placed.applications.sum(),
        interviews=placed.interviews.sum(),
        interview_squares=(placed.interviews * placed.interviews).sum(),
        unseen=placed.unseen.sum(),
        weighted_interviews=(placed.weight * placed.interviews).sum(),
        weighted_unseen=placed.weighted_unseen.sum(),
    )


def decision_span(applications: ir.Table, events: ir.Table, night: Outlook, *, cut: float) -> ir.Table:
    """Count the people and weeks that decisions are from.

    Args:
        applications: one row per application.
        events: the event log.
        night: what silence means.
        cut: the threshold in force, points.

    Returns:
        One row: ``people`` with a decision, ``first`` and ``last`` (seconds since 1970) of the decisions;
        ``person_weeks`` in which a person decided or sent, ``person_weeks_over`` (those whose 28 days are
        over), ``person_weeks_near`` (within 5 points of the cut), ``people_near`` in them, and ``weeks``
        from the first to the last of them.
    """
    found = _decisions(applications, events)
    sent = outcomes(applications, night)
    sent = sent.filter(sent.is_submitted, sent.seconds < seconds_of(night.as_of))
    moments = found.select("person", "seconds", "score").union(
        sent.select("person", "seconds", score=sent.resume_score)
    )
    moments = moments.mutate(week=moments.seconds // (7 * SECONDS_PER_DAY))
    weeks = moments.group_by("person", "week").aggregate(
        seconds=moments.seconds.min(), near=count_if((moments.score - cut).abs() <= NEAR) > 0
    )  # fmt: skip
    total = weeks.aggregate(
        person_weeks=weeks.count(),
        person_weeks_over=count_if(weeks.seconds <= _over(night)),
        person_weeks_near=count_if(weeks.near),
        people_near=ibis.ifelse(weeks.near, weeks.person, None).nunique(),
        weeks=(weeks.week.max() - weeks.week.min() + 1).fill_null(0),
    )
    told = found.aggregate(
        people=found.person.nunique(), first=found.seconds.min(), last=found.seconds.max()
    )  # fmt: skip
    return told.cross_join(total)


def _over(night: Outlook) -> int:
    return seconds_of(night.as_of) - WINDOW_DAYS * SECONDS_PER_DAY


def _decisions(applications: ir.Table, events: ir.Table) -> ir.Table:
    """Decisions with the score that was seen, of which the mode is known."""
    policy = str(EventType.POLICY_DECISION)
    first = (events.event_type == str(EventType.MODE_CHANGED)) & events.from_mode.isnull()
    rows = events.filter((events.event_type == policy) | first)
    drawn = rows.event_type == policy
    said = rows.select(
        "person",
        "event_id",
        seconds=epoch_seconds(rows.event_time),
        mode=ibis.ifelse(drawn, rows.decision, rows.to_mode),
        propensity=ibis.ifelse(drawn, rows.propensity, 1.0),
        seen=rows.metrics_resume_score,
        named=ibis.ifelse(drawn, rows.application_id, None),
        kind=ibis.cases(
            (drawn & (rows.propensity < 1), str(Kind.EXPLORED)), (drawn, str(Kind.RULED)),
            else_=str(Kind.FIRST),
        ),
    )  # fmt: skip
    scores = applications.select(
        owner=applications.person, named=applications.application_id, own_score=applications.resume_score
    )
    joined = said.left_join(scores, [said.person == scores.owner, said.named == scores.named])
    known = joined.mutate(score=ibis.coalesce(joined.seen, joined.own_score))
    return known.filter(known.mode.isin(_MODES), known.score.notnull()).select(
        *("person", "event_id", "seconds", "propensity", "score", "named", "kind"),
        is_linked=known.named.notnull(),
        is_held=known.mode == str(StrategyMode.IMPROVE_RESUME_FIRST),
    )


_KEYS = ("person", "event_id", "seconds", "propensity", "score", "kind", "is_linked", "is_held")


def _followed(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Decisions with what came of each, as far as it can be told."""
    found = _decisions(applications, events)
    judged = outcomes(applications, night)
    sent = judged.filter(judged.is_submitted).select(
        "application_id", "is_interviewed", "unseen", owner=judged.person, sent_at=judged.seconds
    )
    linked = found.filter(found.is_linked)
    named = linked.left_join(sent, [linked.person == sent.owner, linked.named == sent.application_id])
    return _summed(named, named.owner.notnull()).union(_within(found, sent, night))


def _within(found: ir.Table, sent: ir.Table, night: Outlook) -> ir.Table:
    """Decisions that name no application, with those sent in their window; joined by blocks as long as it."""
    length = WINDOW_DAYS * SECONDS_PER_DAY
    free = found.filter(~found.is_linked, found.seconds <= _over(night))
    block = free.seconds // length
    twice = free.mutate(block=block).union(free.mutate(block=block + 1))
    placed = sent.mutate(block=sent.sent_at // length)
    joined = twice.left_join(placed, [twice.person == placed.owner, twice.block == placed.block])
    inside = (joined.sent_at >= joined.seconds) & (joined.sent_at < joined.seconds + length)
    return _summed(joined, inside)


def _summed(joined: ir.Table, inside: ir.BooleanValue) -> ir.Table:
    return joined.group_by(_KEYS).aggregate(
        applications=count_if(inside),
        interviews=count_if(inside & joined.is_interviewed),
        unseen=ibis.ifelse(inside, joined.unseen, 0.0).sum().fill_null(0.0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class DecisionMoments:
    """Sums of one kind of decisions, each an array of 64 folds by 400 steps, the cut in the middle.

    Args:
        held: sums of the decisions that held back, by name.
        gone: of those that went on.
        is_linked: whether what came of a decision is the one application that it names.
    """

    held: Mapping[str, Floats]
    gone: Mapping[str, Floats]
    is_linked: bool

    @property
    def cases(self) -> float:
        """How many decisions."""
        return float(self.held["cases"].sum() + self.gone["cases"].sum())


def to_decisions(summed: pa.Table) -> dict[tuple[Kind, bool], DecisionMoments]:
    """Give the sums of :func:`decision_moments` as arrays, by kind and by whether they are linked.

    Args:
        summed: its rows, in any order.

    Returns:
        An entry for each kind; one without decisions holds zeros.
    """
    names = (*_SUMS, *_WEIGHTED)
    kinds = [str(kind) for kind in summed["kind"].to_pylist()]
    linked = summed["is_linked"].to_numpy(zero_copy_only=False).astype(np.bool_)
    held = summed["is_held"].to_numpy(zero_copy_only=False).astype(np.bool_)
    fold = summed["fold"].to_numpy().astype(np.int64)
    step = np.clip(summed["step"].to_numpy().astype(np.int64) + STEPS, 0, 2 * STEPS - 1)
    values = {name: summed[name].to_numpy().astype(np.float64) for name in names}
    found = {}
    for kind in Kind:
        for is_linked in (False, True):
            here = np.array([each == kind for each in kinds], dtype=np.bool_) & (linked == is_linked)
            arms = [
                {name: _grid(fold, step, values[name], here & (held == side)) for name in names}
                for side in (True, False)
            ]
            found[kind, is_linked] = DecisionMoments(arms[0], arms[1], is_linked)
    return found


def _grid(fold: Ints, step: Ints, values: Floats, here: npt.NDArray[np.bool_]) -> Floats:
    cells = np.zeros((FOLDS, 2 * STEPS))
    np.add.at(cells, (fold[here], step[here]), values[here])
    return cells
