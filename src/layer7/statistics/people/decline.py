"""Have people's own rates fallen: an alarm that may look every week and is seldom false."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.people.rate_ratio import common_ratio
from layer7.statistics.rates.intervals import wilson_bounds

LONGEST = 8
REFERENCE = 8
LOOKS_PER_YEAR = 52

_EXACT = 5_000
"""The exact sum takes time with the square of the events: 0.03 s for so many."""

_ERROR = 0.05
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """The stretch of recent weeks that speaks most for a fall.

    Args:
        weeks: how many of the latest weeks.
        stretches: how many stretches were looked at, of which this speaks most.
        people: who tried in these weeks and before them, and so are compared with themselves.
        trials: effective trials of these people in these weeks.
        recent: their rate in these weeks.
        before: their rate before, each person weighing as much as in ``recent``.
        p_value: at most so likely are so few events in these weeks if nobody's rate fell; of this stretch
            alone.
        alarm: whether that is less than the share of false alarms that this stretch and look may have.
    """

    weeks: int
    stretches: int
    people: int
    trials: float
    recent: float
    before: float
    p_value: float
    alarm: bool


def decline(events: Column, trials: Column, *, weeks: int, per_year: float = 0.2) -> Decline | None:
    """Looks for a fall of people's own rates in the latest 1 to 8 weeks.

    Each person is compared with herself: given her k events, those of the stretch are binomial with her
    stretch's share q of her trials if her rate did not change. So it does not matter how rates differ, nor
    who joined or left: a rate of everybody together falls when those who do well leave. The sum over people
    is Poisson binomial: exact up to 5,000 events; above, the lower tail of one binomial with the same mean
    m is taken, which is never smaller at 1 below m and under. An alarm is raised if the smallest p is at
    most ``per_year`` / (52 x stretches looked at): with a look every week the expected number of false alarms
    in a year is then at most ``per_year``, however the looks hang together, since expectations add.

    Rates are means over people, each weighing r b / (r + b) with her trials r in the stretch and b before
    it; their quotient is Mantel and Haenszel's rate ratio (``decline_ratio`` gives its interval).

    Give effective trials: what is still silent has hardly been tried. Trust it where people do not stay for
    their luck: if those who heard nothing gave up at once, the others would have been lucky before, and
    fall to what they are. Leaving after a success hides a little of a fall, and makes none.

    Args:
        events: one row per person, of trials in each of the latest 8 weeks, latest first, and in all weeks
            before them: 9 columns, not negative.
        trials: the same shape, at least ``events``; may be fractional.
        weeks: how many weeks are known in all; a stretch needs 8 before it.
        per_year: false alarms in a year that are accepted on average, above 0 and up to 52.

    Returns:
        The stretch with the smallest p; None before 9 weeks are known, or where nobody tried both in the
        latest weeks and before.

    Raises:
        Layer7Error: ``bad_counts``; ``bad_alarms``.

    Source:
        Przyborowski and Wilenski (1940), Biometrika 31:313-323, for the conditional test; Hoeffding (1956),
        Annals of Mathematical Statistics 27:713-721, theorem 4, for the bound; Mantel and Haenszel (1959),
        JNCI 22:719-748, for the ratio; Page (1954), Biometrika 41:100-115, for looking back.

    Example:
        >>> import numpy as np
        >>> events = np.array([[0, 1, 0] + [2] * 5 + [20], [1, 0, 0] + [3] * 5 + [24]])
        >>> found = decline(events, np.full((2, 9), [40.0] * 8 + [400.0]), weeks=18)
        >>> found.weeks, found.alarm, f"{found.before:.3f} -> {found.recent:.3f}"
        (3, True, '0.058 -> 0.008')
    """
    if not 0 < per_year <= LOOKS_PER_YEAR:
        raise Layer7Error(
            "bad_alarms", f"{per_year} false alarms a year were asked for.", "0.2 is one in five years."
        )
    hits, seen = _checked(events, trials)
    stretches = range(1, min(LONGEST, weeks - REFERENCE) + 1)
    found = [(p, weeks) for weeks in stretches if (p := _chance(hits, seen, weeks)) is not None]
    if not found:
        return None
    p_value, longest = min(found)
    allowed = per_year / (LOOKS_PER_YEAR * len(stretches))
    told = _told(hits, seen, longest)
    return Decline(weeks=longest, stretches=len(stretches), **told, p_value=p_value, alarm=p_value <= allowed)


def decline_ratio(events: Column, trials: Column, found: Decline) -> tuple[float, float | None]:
    """Bounds the factor by which people's own rates changed in the stretch that speaks most for a fall.

    Turns the sum that ``decline`` tests (``common_ratio``). Since that stretch was chosen for its small p,
    each stretch may miss its ratio with 5 % / (stretches looked at): so all hold together in 95 of 100
    looks, and the chosen one with them.

    Args:
        events: as in ``decline``.
        trials: as in ``decline``.
        found: what that gave.

    Returns:
        Lowest and highest factor; None as the highest if nobody had an event before the stretch.

    Raises:
        Layer7Error: ``bad_counts``.

    Source:
        Dunn (1961), JASA 56:52-64, for intervals that hold together; the rest as in ``common_ratio``.

    Example:
        >>> events = np.array([[0, 1, 0] + [2] * 5 + [20], [1, 0, 0] + [3] * 5 + [24]])
        >>> trials = np.full((2, 9), [40.0] * 8 + [400.0])
        >>> found = decline(events, trials, weeks=18)
        >>> "{:.2f} to {:.2f} times".format(*decline_ratio(events, trials, found))
        '0.01 to 0.76 times'
    """
    late, shares = _events(*_checked(events, trials), found.weeks) or (0, np.zeros(0))
    # Who hardly tried in one of the parts says nothing of the ratio, and must not make it endless.
    shares = np.clip(shares, _LEAST, 1 - _LEAST)
    return common_ratio(late, shares / (1 - shares), error=_ERROR / found.stretches)


def _checked(events: Column, trials: Column) -> tuple[FloatArray, FloatArray]:
    hits, seen = column("events", events), column("trials", trials)
    if hits.shape != seen.shape or hits.ndim != 2 or hits.shape[1] != LONGEST + 1:
        raise Layer7Error(
            "bad_counts",
            f"Events of shape {hits.shape} and trials of shape {seen.shape} came.",
            f"Give both one row per person, of {LONGEST} weeks and what was before: {LONGEST + 1} columns.",
        )
    wilson_bounds(hits, seen)
    return hits, seen


def _parts(table: FloatArray, weeks: int) -> tuple[FloatArray, FloatArray]:
    return table[:, :weeks].sum(axis=1), table[:, weeks:].sum(axis=1)


def _events(hits: FloatArray, seen: FloatArray, weeks: int) -> tuple[int, FloatArray] | None:
    """How many events are recent, and how likely each of either part is so if no rate has changed.

    Of people who tried in both parts; None if nobody did.
    """
    (recent, before), (r, b) = _parts(hits, weeks), _parts(seen, weeks)
    both = (r > 0) & (b > 0)
    if not both.any():
        return None
    own = (recent + before)[both].astype(np.int64)
    return round(recent[both].sum()), np.repeat(r[both] / (r + b)[both], own)


def _chance(hits: FloatArray, seen: FloatArray, weeks: int) -> float | None:
    """A bound of how likely so few events in the latest weeks are; None if nobody tried in both parts."""
    found = _events(hits, seen, weeks)
    return None if found is None else _at_most(*found)


def _at_most(few: int, chances: FloatArray) -> float:
    """How likely at most so many of independent events happen; a bound where they are very many."""
    if not chances.size:
        return 1.0
    if chances.size <= _EXACT:
        return float(scipy.stats.poisson_binom.cdf(few, chances))
    mean = float(chances.sum())
    return float(special.bdtr(few, chances.size, mean / chances.size)) if few <= mean - 1 else 1.0


def _told(hits: FloatArray, seen: FloatArray, weeks: int) -> dict[str, Any]:
    (recent, before), (r, b) = _parts(hits, weeks), _parts(seen, weeks)
    both = (r > 0) & (b > 0)
    weight = r[both] * b[both] / (r + b)[both]
    return {
        "people": int(both.sum()),
        "trials": float(r[both].sum()),
        "recent": float(np.average(recent[both] / r[both], weights=weight)),
        "before": float(np.average(before[both] / b[both], weights=weight)),
    }
