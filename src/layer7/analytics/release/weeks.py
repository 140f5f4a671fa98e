"""What others may see: released weeks, what they say, and what stands in where they say too little."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from layer7.analytics.release.contributions import HORIZON_DAYS, LOGGING_DAYS, start_of
from layer7.analytics.segments.habits import LEVEL
from layer7.contract.evidence import Lineage, Period, RateEvidence
from layer7.privacy.pooled import Pooled, Told

WEEKS = 13
"""Released weeks that are told together: as many as a person takes part in during a year."""

EVERYONE = 0
"""Place of the cell of all people."""

PRIOR_RATES: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"answered": (0.37, 0.33, 0.40), "interviewed": (0.04, 0.03, 0.05)}
)
"""Published rates of cold applications, with their range: what a small installation is told."""

USUAL_SPREAD = 0.4
"""Log odds by which kinds of people and postings differ: published rates spread by 0.2 to 0.6."""

PRIOR = "public prior: published rates of cold applications, not from this installation"
SHARE = (
    f"mean of people's own shares by week, answers within {HORIZON_DAYS} days, drawn towards everybody's; "
    "differentially private, and the noise is in the interval"
)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Released weeks, and when they are told.

    Args:
        pooled: the weeks together.
        first: number of the first week that is told of.
        months: the weeks by month of their Monday, ``YYYY-MM``, the earliest first.
        as_of: when the log was read to, ISO 8601.
        lineage: where the numbers come from.
        off: why nothing new is released; None where it is.
    """

    pooled: Pooled
    first: int
    months: Mapping[str, Pooled]
    as_of: str
    lineage: Lineage
    off: str | None = None

    @property
    def period(self) -> Period:
        """The weeks that are told of."""
        start, end = (
            datetime.fromtimestamp(start_of(week), UTC).date().isoformat()
            for week in (self.first, self.first + len(self.pooled.weeks))
        )
        return Period(start=start, end=end)

    @property
    def told(self) -> bool:
        """Whether anything may be shown."""
        return self.pooled.shown(EVERYONE)

    def rate(self, place: int, metric: str) -> Told:
        """Give a rate, drawn towards everybody's, and that of everybody towards published ones.

        Args:
            place: of the cell.
            metric: ``answered`` or ``interviewed``.
        """
        value, low, high = PRIOR_RATES[metric]
        # Markets differ by more than what was published of a few of them.
        everyone = self.pooled.share(EVERYONE, metric).towards(Told(value, 0.0, 0.0), 2 * (high - low))
        if place == EVERYONE:
            return everyone
        usual = everyone.within(LEVEL)[0]
        return self.pooled.share(place, metric).towards(everyone, USUAL_SPREAD * usual * (1 - usual))

    def missing(self) -> str:
        """Say what is missing where nothing may be shown."""
        if self.off is not None:
            return self.off
        wait = HORIZON_DAYS + LOGGING_DAYS
        return (
            f"About {self.pooled.least:,.0f} votes of contributors in the last {WEEKS} released weeks (a "
            f"vote is one person in one week; a week is released {wait} days after its end). Until then "
            "published rates stand here."
        )


def evidence_of(told: Told) -> RateEvidence:
    """Give a released rate with its evidence.

    Args:
        told: the rate.
    """
    value, low, high = told.within(LEVEL)
    n = max(round(told.votes), 0)
    return RateEvidence(
        value=value, low=low, high=high, n=n, events=min(round(value * n), n), level=LEVEL, method=SHARE
    )


def prior_of(metric: str) -> RateEvidence:
    """Give the published rate that stands in for a metric.

    Args:
        metric: ``answered`` or ``interviewed``.
    """
    value, low, high = PRIOR_RATES[metric]
    return RateEvidence(value=value, low=low, high=high, n=0, events=0, level=LEVEL, method=PRIOR)
