"""What a resume score is judged by: counts per score point, in folds of people, and per person."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.folds import FOLDS, fold_of
from layer7.analytics.applications.outcomes import Outlook, count_if, outcomes
from layer7.statistics import ScoreMoments
from layer7.statistics.scores.moments import POINTS


def score_moments(applications: ir.Table, night: Outlook) -> ir.Table:
    """Count scored, submitted applications per whole score point in 16 folds of people.

    All applications of a person are in one fold, chosen by the last hexadecimal digit of the pseudonym, so
    that folds are as different as people are.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``fold`` (0 to 15), ``score`` (0 to 100, halves rounded up), ``n``, ``events`` (interviews) and
        ``n_eff`` (n less what is unseen); at most 1,616 rows.
    """
    rows = outcomes(applications, night)
    scored = rows.filter(rows.is_submitted, rows.resume_score.notnull())
    placed = scored.mutate(
        fold=fold_of(scored.person),
        score=(scored.resume_score + 0.5).floor().cast("int64"),
    )
    return placed.group_by("fold", "score").aggregate(
        n=placed.count(),
        events=count_if(placed.is_interviewed),
        n_eff=placed.count() - placed.unseen.sum(),
    )


def to_folds(counted: pa.Table) -> tuple[ScoreMoments, ...]:
    """Give the counts of :func:`score_moments` as the statistics take them.

    Args:
        counted: ``fold``, ``score``, ``n``, ``events`` and ``n_eff``, in any order.

    Returns:
        16 folds; a fold without people is empty.

    Example:
        >>> counted = pa.table({"fold": [3], "score": [70], "n": [4], "events": [1.0], "n_eff": [3.5]})
        >>> to_folds(counted)[3].n_eff[70]
        np.float64(3.5)
    """
    cells = np.zeros((3, FOLDS, POINTS))
    place = counted["fold"].to_numpy().astype(np.int64), counted["score"].to_numpy().astype(np.int64)
    for row, name in enumerate(("n", "events", "n_eff")):
        np.add.at(cells[row], place, counted[name].to_numpy().astype(np.float64))
    return tuple(ScoreMoments(*cells[:, fold]) for fold in range(FOLDS))


def scored_people(applications: ir.Table, night: Outlook) -> ir.Table:
    """Count each person's scored applications, for the model that knows only who applies.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``events`` and ``n_eff``, one row per person with a scored application, without the person's name.
    """
    rows = outcomes(applications, night)
    scored = rows.filter(rows.is_submitted, rows.resume_score.notnull())
    return (
        scored.group_by("person")
        .aggregate(events=count_if(scored.is_interviewed), n_eff=scored.count() - scored.unseen.sum())
        .drop("person")
    )


def to_people(counted: pa.Table) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the counts of :func:`scored_people` as two arrays, interviews and effective trials.

    Args:
        counted: ``events`` and ``n_eff``.

    Example:
        >>> to_people(pa.table({"events": [1.0], "n_eff": [0.5]}))
        (array([1.]), array([1.]))
    """
    events, trials = (counted[name].to_numpy().astype(np.float64) for name in ("events", "n_eff"))
    return events, np.maximum(events, trials)
