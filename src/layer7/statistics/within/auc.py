"""Does one score put a person's own applications in a better order than another score does."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.within.panels import Codes, Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class AucGain:
    """How much better a new score orders than an old one, within people.

    Args:
        value: area under the curve of the new score less that of the old.
        interval: its interval, clustered by person.
        old: area of the old score.
        new: area of the new score.
        events: events that were compared.
        people: whose they are.
    """

    value: float
    interval: Interval
    old: float
    new: float
    events: float
    people: int


def within_auc(rows: Panel, score: FloatArray) -> FloatArray:
    """For each event, the share of the same person's other trials that score lower, ties counting half.

    The mean over events is the area under the curve within people: each event is compared with its own
    person only, and counts once however many applications she sent.

    Args:
        rows: the applications.
        score: one score per application.

    Returns:
        One share per application; 0 for those that are no event.

    Source:
        Van Elteren (1960), Bulletin of the ISI 37:351-361, for stratified ranks.

    Example:
        >>> from layer7.statistics.within.panels import panel
        >>> person = np.zeros(4, dtype=np.int64)
        >>> rows = panel(np.zeros((4, 1)), [1, 0, 0, 0], np.ones(4), person=person, cluster=person)
        >>> within_auc(rows, np.array([2.0, 1.0, 2.0, 3.0])).tolist()
        [0.5, 0.0, 0.0, 0.0]
    """
    order = np.lexsort((score, rows.person))
    misses = (rows.trials - rows.events)[order]
    person, ranked = rows.person[order], score[order]
    fresh = (
        np.flatnonzero(np.concatenate([[True], (np.diff(person) != 0) | (np.diff(ranked) != 0)]))
        if order.size
        else np.zeros(0, dtype=np.int64)
    )
    tied = np.add.reduceat(misses, fresh) if fresh.size else np.zeros(0)
    run = np.cumsum(np.isin(np.arange(order.size), fresh)) - 1
    before = np.cumsum(tied) - tied
    totals = np.bincount(rows.person, rows.trials - rows.events)
    base = np.concatenate([[0.0], np.cumsum(totals)[:-1]])
    below = (before + tied / 2)[run] - base[person]
    share = np.zeros(order.size)
    share[order] = below / totals[person]
    return np.where(rows.events > 0, np.clip(share, 0.0, 1.0), 0.0)


def auc_gain(
    rows: Panel, old: FloatArray, new: FloatArray, *, who: Codes, level: float = 0.95
) -> AucGain | None:
    """Compares two scores on the same events.

    With s_i the difference of the two shares of :func:`within_auc` at event i, the gain is Σ s_i / Σ y_i, and
    its variance that of a ratio of sums over people: Σ_u (Σ_{i of u} (s_i - gain y_i))² / (Σ y)² x g / (g -
    1).

    Trust it from about 20 people on, on applications that neither score was learned from.

    Args:
        rows: the applications; a person may be split, for example by time, and is then compared within each
            part.
        old: the score in force.
        new: the other score.
        who: the whole person that each application belongs to.
        level: confidence.

    Returns:
        None if fewer than two people can be compared.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837-845, for comparing areas on the same
        cases; Obuchowski (1997), Biometrics 53:567-578, for clustered ones.

    Example:
        >>> from layer7.statistics.within.panels import panel
        >>> person = np.repeat(np.arange(30), 4)
        >>> rows = panel(np.zeros((120, 1)), [1, 0, 0, 0] * 30, np.ones(120), person=person, cluster=person)
        >>> good, bad = np.tile([3.0, 2, 1, 0], 30), np.tile([0.0, 1, 2, 3], 30)
        >>> auc_gain(rows, bad, good, who=person).value
        1.0
    """
    people, codes = np.unique(who, return_inverse=True)
    events = float(rows.events.sum())
    if people.size < 2 or events <= 0:
        return None
    areas = [rows.events * within_auc(rows, score) for score in (old, new)]
    gain = float((areas[1] - areas[0]).sum()) / events
    sums = np.bincount(codes, areas[1] - areas[0] - gain * rows.events)
    error = float(np.sqrt((sums**2).sum() * people.size / (people.size - 1))) / events
    reach = float(special.stdtrit(people.size - 1, (1 + level) / 2)) * error
    return AucGain(
        value=gain,
        interval=Interval(max(gain - reach, -1.0), min(gain + reach, 1.0), level),
        old=float(areas[0].sum()) / events,
        new=float(areas[1].sum()) / events,
        events=events,
        people=int(people.size),
    )
