"""Applications of people who had an event, made for comparing each person with herself."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

LEAST_GROUPS = 20
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Panel:
    """Applications of people who had at least one event, ordered by person; made by :func:`panel`.

    Args:
        design: what is known of each application against the average one, one row each.
        events: 1 for those with the event, else 0.
        trials: how much of a trial has been seen, above 0 and up to 1.
        person: whose it is, as a number from 0 on that never falls.
        cluster: what else ties applications together, such as the employer, as a number from 0 on.
        pair: person and cluster together, as a number from 0 on.
        kept: which rows of what was given these are.
    """

    design: FloatArray
    events: FloatArray
    trials: FloatArray
    person: Codes
    cluster: Codes
    pair: Codes
    kept: Codes

    @cached_property
    def starts(self) -> Codes:
        """The first row of each person."""
        return np.flatnonzero(np.diff(self.person, prepend=-1)).astype(np.int64)

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.person[-1]) + 1 if self.person.size else 0

    @property
    def groups(self) -> int:
        """How many people or clusters there are, whichever is less: what inference rests on."""
        return min(self.people, int(self.cluster.max(initial=-1)) + 1)

    def select(self, columns: npt.NDArray[np.bool_]) -> "Panel":
        """The same applications with some columns of the design only."""
        return replace(self, design=self.design[:, columns])


def still_missing(rows: Panel, *, n: int, rate: float, least: float) -> int:
    """About how many more applications bring enough events, people and clusters to tell anything.

    A person or a cluster counts from its first event on, so it takes about 1 / rate applications, or as many
    as those that are there have, if these are fewer.

    Args:
        rows: what tells something by now.
        n: applications in all.
        rate: events per application, above 0.
        least: events that are needed.

    Returns:
        The number; 0 when there are enough.

    Example:
        >>> zeros = np.zeros(4, dtype=np.int64)
        >>> one = panel(np.zeros((4, 0)), [1, 0, 0, 0], [1, 1, 1, 1], person=zeros, cluster=zeros)
        >>> still_missing(one, n=4, rate=0.1, least=20.0)
        190
    """
    short = max(least - float(rows.events.sum()), 0.0) / rate
    each = min(max(n, 1) / max(rows.groups, 1), 1 / rate)
    return int(np.ceil(max(short, each * max(2.0 * LEAST_GROUPS - rows.groups, 0.0))))


def panel(design: FloatArray, events: Column, trials: Column, *, person: Codes, cluster: Codes) -> Panel:
    """Keeps the applications that tell something: seen, and of people with both an event and another trial.

    Args:
        design: one row per application, one column per effect.
        events: 1 or 0 each.
        trials: effective trials each, 0 to 1 (1 less `SilenceModel.unseen_weight` for the silent).
        person: whose, any whole numbers.
        cluster: of which employer or posting, any whole numbers.

    Raises:
        Layer7Error: ``not_finite``; ``bad_counts`` if an event exceeds its trial or lengths differ.

    Example:
        >>> rows = panel(np.zeros((4, 1)), [1, 0, 0, 1], [1, 1, 0, 1],
        ...              person=np.array([5, 5, 5, 9]), cluster=np.arange(4))
        >>> rows.kept.tolist(), rows.people
        ([0, 1], 1)
    """
    given, hits, seen = column("design", design), column("events", events), column("trials", trials)
    if not given.shape[0] == hits.size == seen.size == person.size == cluster.size:
        raise Layer7Error("bad_counts", "The columns differ in length.", "Give one row per application.")
    if (hits > seen + 1e-9).any() or (hits < 0).any():
        raise Layer7Error(
            "bad_counts", "Events must be 0 or more and at most the trials.", "Count both alike."
        )
    _, who = np.unique(person, return_inverse=True)
    k, n = np.bincount(who, hits), np.bincount(who, seen)
    telling = (seen > 0) & (k[who] > 0) & (n[who] - k[who] > 1e-9)
    order = np.flatnonzero(telling)
    order = order[np.argsort(who[order], kind="stable")]
    codes, ties = _codes(who[order]), _codes(cluster[order])
    pairs = _codes(codes * (int(ties.max(initial=0)) + 1) + ties)
    shown = np.asfortranarray(given[order])  # It is summed column by column.
    if order.size:
        shown -= shown.mean(axis=0)
    return Panel(shown, hits[order], seen[order], codes, ties, pairs, order.astype(np.int64))


def _codes(values: Codes) -> Codes:
    """Values by their place among the distinct ones: what is grouped by often is numbered once."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def conditional(rows: Panel, beta: FloatArray) -> tuple[float, FloatArray]:
    """The conditional log-likelihood and the events expected of each application.

    ln L = Σ_i y_i x_i b - Σ_u k_u ln Σ_{i of u} n_i exp(x_i b), and of the k_u events of a person her
    application i is expected to have μ_i = k_u n_i exp(x_i b) / Σ_{j of u} n_j exp(x_j b).

    Args:
        rows: the applications.
        beta: one coefficient per column of the design.

    Example:
        >>> rows = panel(np.zeros((2, 1)), [1, 0], [1, 1], person=np.zeros(2, int), cluster=np.arange(2))
        >>> height, expected = conditional(rows, np.zeros(1))
        >>> round(height, 3), expected.tolist()
        (-0.693, [0.5, 0.5])
    """
    predictor = rows.design @ beta
    starts = rows.starts
    if starts.size == 0:
        return 0.0, np.zeros(0)
    top = np.maximum.reduceat(predictor, starts)
    odds = rows.trials * np.exp(predictor - top[rows.person])
    total, hits = np.add.reduceat(odds, starts), np.add.reduceat(rows.events, starts)
    height = float(rows.events @ predictor - hits @ (np.log(total) + top))
    return height, odds * (hits / total)[rows.person]


def centred(rows: Panel, expected: FloatArray) -> FloatArray:
    """The design less each person's mean of it, weighted by expected events.

    Args:
        rows: the applications.
        expected: what :func:`conditional` gives.
    """
    if not rows.people:
        return rows.design
    sums = by_group(times(rows.design, expected), rows.person)
    means = sums / np.add.reduceat(expected, rows.starts)
    return np.asarray((rows.design.T - means[:, rows.person]).T, dtype=np.float64)


def times(columns: FloatArray, each: FloatArray) -> FloatArray:
    """Give columns with every row times a number of its own, column by column in memory, as they are summed.

    Args:
        columns: one row per application.
        each: a number for each application.
    """
    return np.asarray((columns.T * each).T, dtype=np.float64)


def by_group(columns: FloatArray, codes: Codes) -> FloatArray:
    """Sum each column over each group: gives one row per column and one column per group.

    Args:
        columns: one row per application.
        codes: the group of each application, numbered from 0.
    """
    groups = int(codes.max(initial=-1)) + 1
    return np.array([np.bincount(codes, each, groups) for each in columns.T]).reshape(-1, groups)
