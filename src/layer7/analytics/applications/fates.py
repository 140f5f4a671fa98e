"""What applications have come to, each in one number that is free of what silence means.

A number holds the day of submission, what came of it and after how many days, and what it is split by. Those
of a person's month are kept with her month, so a night counts all of them without reading the applications.
"""

from datetime import datetime

import ibis
import numpy as np
import numpy.typing as npt
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, Outlook, epoch_seconds, seconds_of
from layer7.contract.vocabulary import Category, Closed, Stage, StrategyMode

Ints = npt.NDArray[np.int64]

SILENT, INTERVIEW, REJECTION = range(3)
"""What came of an application; an interview outranks a rejection."""

MODES, CATEGORIES = tuple(StrategyMode), tuple(Category)
"""What applications are split by; in a fate, the first of them is 1, and 0 is none."""

_BITS = {"category": 2, "mode": 2, "said_ghosted": 1, "began_later": 1, "kind": 2, "delay": 12, "day": 16}
"""The parts of a fate, from the lowest bits up."""

_PLACES = {
    name: (sum(list(_BITS.values())[:at]), (1 << bits) - 1) for at, (name, bits) in enumerate(_BITS.items())
}
_LONGEST = (1 << _BITS["delay"]) - 1
_COUNTED = _PLACES["began_later"][0]
"""Below this bit stands what only single people are split by."""


def fated(applications: ir.Table) -> ir.Table:
    """Give the fate of every submitted application.

    An answer counts by the days from submission until the log knew of it: an answer that a person enters late
    is silence until then, so days that are merely reported would let recent rates sink.

    Args:
        applications: one row per application.

    Returns:
        ``person``, ``bucket`` and ``fate``.
    """
    sent = applications.filter(applications.submitted_at.notnull())
    return sent.select("person", "bucket", fate=fate_of(sent))


def fate_of(sent: ir.Table) -> ir.IntegerValue:
    """Give the fate of each row; see :func:`fated`.

    Args:
        sent: submitted applications.
    """
    seconds = epoch_seconds(sent.submitted_at)
    interviewed = sent.max_stage.isin([str(Stage.INTERVIEW), str(Stage.OFFER)])
    rejected = sent.rejected_at.notnull()
    known_at = ibis.cases((interviewed, sent.interview_at), (rejected, sent.rejected_at), else_=None)
    days = (epoch_seconds(known_at) - seconds) // SECONDS_PER_DAY
    parts = {
        "category": _place(sent.category, CATEGORIES),
        "mode": _place(sent.strategy_mode, MODES),
        "said_ghosted": ibis.ifelse(sent.closed == str(Closed.GHOSTED), 1, 0),
        "began_later": ibis.ifelse(seconds % SECONDS_PER_DAY > 0, 1, 0),
        "kind": ibis.cases((interviewed, INTERVIEW), (rejected, REJECTION), else_=SILENT),
        "delay": ibis.greatest(ibis.least(days.fill_null(0), _LONGEST), 0),
        "day": ibis.greatest(seconds // SECONDS_PER_DAY, 0),
    }
    return sum(
        (part.cast("int64") * (1 << _PLACES[name][0]) for name, part in parts.items()),
        ibis.literal(0, "int64"),
    )


def _place(word: ir.StringColumn, words: tuple[str, ...]) -> ir.IntegerValue:
    return ibis.cases(*((word == str(each), place) for place, each in enumerate(words, start=1)), else_=0)


def part(fates: Ints, name: str) -> Ints:
    """Give one part of fates.

    Args:
        fates: of :func:`fated`.
        name: ``category`` and ``mode`` (their place, from 1 on; 0 for none), ``said_ghosted``,
            ``began_later`` (sent after the first second of its day), ``kind``, ``delay`` (days until the log
            knew of the answer) or ``day`` (of submission, counted from 1970).

    Example:
        >>> part(np.array([20_500 << 20]), "day").tolist()
        [20500]
    """
    shift, mask = _PLACES[name]
    return (fates >> shift) & mask


def part_of(fate: ir.IntegerValue, name: str) -> ir.IntegerValue:
    """Give one part of fates within a query; see :func:`part`.

    Args:
        fate: of :func:`fated`.
        name: of the part.

    Example:
        >>> part_of(ibis.literal(20_500 << 20), "day").to_pyarrow().as_py()
        20500
    """
    shift, mask = _PLACES[name]
    return (fate >> shift) & mask


def ages(fates: Ints, as_of: datetime) -> Ints:
    """Give how many whole days have passed from submission to the end of a night.

    Args:
        fates: of :func:`fated`.
        as_of: the end of the night: the first moment of a day in UTC.
    """
    today = seconds_of(as_of) // SECONDS_PER_DAY
    passed = today - part(fates, "day") - part(fates, "began_later")
    return np.asarray(np.maximum(passed, 0), dtype=np.int64)


def unseen_of(fates: Ints, night: Outlook) -> npt.NDArray[np.float64]:
    """Give how much of each application has not been seen yet: 0 for all but the silent.

    Args:
        fates: of :func:`fated`.
        night: what silence means.
    """
    weights, age = night.weights(), ages(fates, night.as_of)
    open_still = (part(fates, "kind") == SILENT) & (age < weights.size)
    found = np.zeros(fates.size)
    found[open_still] = weights[age[open_still]]
    return found


def fate_counts(fates: ir.Table, by: tuple[str, ...] = ()) -> ir.Table:
    """Count applications by their fates, all modes and categories together.

    Args:
        fates: one row per application, with ``fate``.
        by: columns to count within.

    Returns:
        ``by``, ``fate`` (without what it is split by) and ``n``.
    """
    plain = fates.mutate(fate=fates.fate.cast("int64") // (1 << _COUNTED) * (1 << _COUNTED))
    return plain.group_by(*by, "fate").aggregate(n=plain.count())
