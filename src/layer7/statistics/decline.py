"""Has a rate fallen: an alarm that may look every week and is seldom false."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, column
from layer7.statistics.effective import effective_rate
from layer7.statistics.intervals import Rate, wilson_bounds

LONGEST = 8
REFERENCE = 8
LOOKS_PER_YEAR = 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """The stretch of recent weeks that speaks most for a fall.

    Args:
        weeks: how many of the latest weeks.
        recent: the rate in them.
        before: the rate in all weeks before them.
        p_value: how likely so few events are in these weeks if nothing fell; of this stretch alone.
        alarm: whether that is less than the share of false alarms that this stretch and look may have.
    """

    weeks: int
    recent: Rate
    before: Rate
    p_value: float
    alarm: bool


def decline(events: Column, trials: Column, *, per_year: float = 0.2) -> Decline | None:
    """Looks for a fall of a weekly rate in the latest 1 to 8 weeks.

    For each such stretch, with at least 8 weeks before it: given all events, those of the stretch are
    binomial with the stretch's share of the trials if nothing changed, so p = P(X <= x) is exact. An alarm
    is raised if the smallest p is at most ``per_year`` / (52 x stretches looked at): with a look every week
    the expected number of false alarms in a year is then at most ``per_year``, however the looks hang
    together, since expectations add.

    Give effective trials: what is still silent has hardly been tried. Trust it where who applies stays
    alike; a change of who applies is a change of the rate, too, and the alarm does not say which.

    Args:
        events: per week, oldest first, not negative.
        trials: per week, at least ``events``; may be fractional.
        per_year: false alarms in a year that are accepted on average, above 0 and up to 52.

    Returns:
        The stretch with the smallest p; None before 9 weeks are known, or without trials in either part.

    Raises:
        Layer7Error: ``bad_counts``; ``bad_alarms``.

    Source:
        Przyborowski and Wilenski (1940), Biometrika 31:313-323, for the conditional test; Page (1954),
        Biometrika 41:100-115, for looking back from the present.

    Example:
        >>> found = decline([10] * 12 + [2, 1, 2], [200.0] * 15)
        >>> found.weeks, found.alarm, f"{found.before.value:.3f} -> {found.recent.value:.3f}"
        (3, True, '0.050 -> 0.008')
    """
    hits, seen = np.broadcast_arrays(column("events", events), column("trials", trials))
    wilson_bounds(hits, seen)
    if not 0 < per_year <= LOOKS_PER_YEAR:
        raise Layer7Error(
            "bad_alarms", f"{per_year} false alarms a year were asked for.", "0.2 is one in five years."
        )
    stretches = range(1, min(LONGEST, hits.size - REFERENCE) + 1)
    found = [(p, weeks) for weeks in stretches if (p := _chance(hits, seen, weeks)) is not None]
    if not found:
        return None
    p_value, weeks = min(found)
    return Decline(
        weeks=weeks,
        recent=effective_rate(float(hits[-weeks:].sum()), float(seen[-weeks:].sum()), 0.0),
        before=effective_rate(float(hits[:-weeks].sum()), float(seen[:-weeks].sum()), 0.0),
        p_value=p_value,
        alarm=p_value <= per_year / (LOOKS_PER_YEAR * len(stretches)),
    )


def _chance(hits: Column, seen: Column, weeks: int) -> float | None:
    """How likely so few events in the latest weeks are, given all of them; None without trials."""
    x, n = column("events", hits), column("trials", seen)
    recent, before = float(n[-weeks:].sum()), float(n[:-weeks].sum())
    if recent <= 0 or before <= 0:
        return None
    return float(special.bdtr(round(x[-weeks:].sum()), round(x.sum()), recent / (recent + before)))
