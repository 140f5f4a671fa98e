"""How segments of people fare, as others may see it (specification 4.2): from released weeks alone."""

import pyarrow as pa

from layer7.analytics.making import document
from layer7.analytics.release.weeks import EVERYONE, PRIOR, SHARE, Sight, evidence_of, prior_of
from layer7.analytics.segments.habits import LEVEL
from layer7.contract.analytics import SegmentCriteria, UserSegment
from layer7.contract.evidence import RateEvidence
from layer7.contract.vocabulary import SeniorityLevel

_ELSEWHERE = "What goes with success, and the time to an offer, are compared inside the installation only."


def segments_of_release(sight: Sight) -> tuple[UserSegment, ...]:
    """Say how segments of people fare: everyone first, then the largest.

    A segment is a level, or a level and a role family; one with too few votes is left out, and its people are
    told of by level, or by everyone, or by published rates, in this order.

    Args:
        sight: the released weeks.
    """
    pooled = sight.pooled
    shown = [
        (float(pooled.sums[place, 0]), name, place)
        for table in ("level", "segment")
        for name, place in zip(pooled.layout.table(table).keys, pooled.places(table), strict=True)
        if pooled.shown(place)
    ]
    everyone = _told(sight, "everyone", EVERYONE) if sight.told else _elsewhere(sight)
    largest = sorted(shown, key=lambda item: (-item[0], item[1]))
    return (everyone, *(_told(sight, name, place) for _, name, place in largest))


def released_segment_table(found: tuple[UserSegment, ...]) -> pa.Table:
    """Give segments as the rows of a derived table: ``place``, ``segment_id``, ``document``.

    Args:
        found: the segments.
    """
    return pa.table(
        {
            "place": pa.array(range(len(found)), pa.int32()),
            "segment_id": pa.array([each.segment_id for each in found], pa.string()),
            "document": pa.array([document(each) for each in found], pa.string()),
        }
    )


def _told(sight: Sight, name: str, place: int) -> UserSegment:
    rate = evidence_of(sight.rate(place, "interviewed"))
    change = f"About {3 * rate.n:,} more applications would halve the interval. {_ELSEWHERE}"
    return _segment(sight, name, rate).model_copy(
        update={
            "user_count": round(rate.n / len(sight.pooled.weeks)),
            "window": sight.period,
            "method": SHARE,
            "what_would_change_this": change,
        }
    )


def _elsewhere(sight: Sight) -> UserSegment:
    found = _segment(sight, "everyone", prior_of("interviewed"))
    return found.model_copy(update={"method": PRIOR, "what_would_change_this": sight.missing()})


def _segment(sight: Sight, name: str, rate: RateEvidence) -> UserSegment:
    return UserSegment(
        segment_id=name,
        criteria=_criteria(name),
        user_count=0,
        avg_interview_rate=rate.value,
        avg_applications_to_interview=1 / rate.value if rate.value else None,
        avg_time_to_offer_weeks=None,
        successful_strategies=(),
        common_pitfalls=(),
        n=rate.n,
        interval=None if rate.low is None or rate.high is None else (rate.low, rate.high),
        level=LEVEL,
        evidence={"avg_interview_rate": rate},
        as_of=sight.as_of,
        lineage=sight.lineage,
    )


def _criteria(name: str) -> SegmentCriteria:
    level, _, family = name.partition("_")
    if level not in set(SeniorityLevel):
        return SegmentCriteria()
    roles = (family.replace("-", " "),) if family else None
    return SegmentCriteria(seniority=SeniorityLevel(level), target_roles=roles)
