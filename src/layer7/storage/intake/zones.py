"""Time zones by name: by how much their clocks are ahead of UTC, and from when to when."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

SCHEMA = pa.schema({"zone": pa.string()} | {name: pa.int64() for name in ("since", "until", "ahead")})
"""A zone's clock is ``ahead`` seconds ahead of UTC from second ``since`` of 1970 on until ``until``."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No event is older."""

# Between two changes of a clock lie weeks, also where summer time is suspended for a month.
_STEP = timedelta(days=7)
_EXACT = timedelta(seconds=1)
_MINUTE = 60
_FAR = 2**40


def zone_offsets(names: Iterable[str], until: datetime) -> pa.Table:
    """Give the offsets of time zones, changes to and from summer time among them.

    Args:
        names: of the zones, as in the IANA database; others are left out.
        until: the latest moment that matters.

    Returns:
        Rows of :data:`SCHEMA`, the last stretch of each zone without an end that matters.

    Example:
        >>> found = zone_offsets(["Europe/Berlin", "Middle/Earth"], datetime(2000, 6, 1, tzinfo=UTC))
        >>> found["zone"].to_pylist(), found["ahead"].to_pylist()
        (['Europe/Berlin', 'Europe/Berlin'], [3600, 7200])
    """
    rows = [
        {"zone": name, "since": since, "until": end, "ahead": ahead}
        for name in sorted(set(names))
        for since, end, ahead in _stretches(name, until)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _stretches(name: str, until: datetime) -> Iterator[tuple[int, int, int]]:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return
    since, at = -_FAR, EARLIEST
    ahead = _ahead(zone, at)
    while at < until:
        then = at + _STEP
        if _ahead(zone, then) != ahead:
            change = _change(zone, at, then)
            yield since, change, ahead
            since, ahead = change, _ahead(zone, then)
        at = then
    yield since, _FAR, ahead


def _ahead(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> int:
    """The second at which the clock changes between two moments; clocks change on whole minutes."""
    old = _ahead(zone, before)
    while after - before > _EXACT:
        middle = before + (after - before) / 2
        before, after = (middle, after) if _ahead(zone, middle) == old else (before, middle)
    return round(after.timestamp() / _MINUTE) * _MINUTE
