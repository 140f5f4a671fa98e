"""What a rate may be if some of the good news was never logged."""

from dataclasses import dataclass

from layer7.errors import Layer7Error
from layer7.statistics.rates.intervals import Interval, Rate

MOST_UNLOGGED = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingBounds:
    """The rates that are possible while so many interviews may be unlogged.

    Args:
        low: the rate if the fewest are.
        high: the rate if the most are.
        interval: contains the rate with the confidence of the rate in the log, whatever the share is.
        least: smallest share of interviews that is never logged.
        most: largest such share.
    """

    low: float
    high: float
    interval: Interval
    least: float
    most: float


def missing_bounds(rate: Rate, *, least: float = 0.0, most: float = MOST_UNLOGGED) -> MissingBounds | None:
    """Bounds of a rate when a share of the interviews never reaches the log, whatever the reason.

    Of the rate p a log shows p(1 - m), m the share never logged: such an application looks silent, or
    rejected. With m between ``least`` and ``most`` the rate is between p/(1 - least) and p/(1 - most), p that
    of the log; the interval takes its lower end through ``least`` and its upper end through ``most``, so it
    contains the rate at least as often as its level says, for each such m. Nothing is assumed of which
    interviews are lost. Lost rejections need no bounds here: they look like silence that never ends, which
    the cure model has anyway.

    Trust it as far as ``most`` is believed; no log can tell it. Ask people, or compare with a calendar.

    Args:
        rate: an interview rate from the log, with its interval.
        least: smallest share unlogged, 0 to ``most``.
        most: largest share unlogged, below 1; the default is one interview in ten.

    Returns:
        The bounds; None if the rate cannot be told.

    Raises:
        Layer7Error: ``bad_share`` if the shares are out of order or range.

    Source:
        Manski (2003), Partial Identification of Probability Distributions, chapter 1; Imbens and Manski
        (2004), Econometrica 72:1845-1857, for the interval.

    Example:
        >>> from layer7.statistics import wilson
        >>> bounds = missing_bounds(wilson(9, 200))
        >>> f"{bounds.low:.3f} to {bounds.high:.3f}, {bounds.interval.low:.3f} to {bounds.interval.high:.3f}"
        '0.045 to 0.050, 0.024 to 0.093'
    """
    if not 0 <= least <= most < 1:
        raise Layer7Error(
            "bad_share",
            f"Between {least} and {most} of the interviews are said to be unlogged.",
            "Give two shares in order, both from 0 to below 1.",
        )
    if rate.value is None or rate.interval is None:
        return None
    return MissingBounds(
        low=min(rate.value / (1 - least), 1.0),
        high=min(rate.value / (1 - most), 1.0),
        interval=Interval(
            min(rate.interval.low / (1 - least), 1.0),
            min(rate.interval.high / (1 - most), 1.0),
            rate.level,
        ),
        least=least,
        most=most,
    )


def tipping_share(rate: Rate, claim: float) -> float | None:
    """Which share of the interviews would have to be unlogged for the true rate to be as claimed.

    1 - rate / claim; the smaller, the easier the claim survives what the log does not show.

    Args:
        rate: an interview rate from the log.
        claim: the rate that somebody claims, above 0 and up to 1.

    Returns:
        The share; 0 if the log shows as much already; None if the rate cannot be told.

    Raises:
        Layer7Error: ``bad_share``.

    Example:
        >>> from layer7.statistics import wilson
        >>> tipping_share(wilson(8, 200), 0.05)
        0.2
    """
    if not 0 < claim <= 1:
        raise Layer7Error("bad_share", f"The claimed rate {claim} is not between 0 and 1.", "0.05 is 5 %.")
    return None if rate.value is None else max(0.0, round(1 - rate.value / claim, 12))
