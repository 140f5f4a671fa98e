"""How numbers are written on the pages: the one place that knows digits, signs, units and dates."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from layer7.configuration import CATALOGUE, canonical_json
from layer7.contract.evidence import RateEvidence
from layer7.contract.recommendation import Evidence
from layer7.errors import Layer7Error

CANNOT_TELL = "cannot tell yet"
"""What stands in place of a number that the data do not give."""

SPACE = "\u00a0"
"""Keeps a number and its unit on one line."""

MOST_DECIMALS = 6
"""Decimals beyond which nobody reads on."""


def count(number: int) -> str:
    """Write how many, with thousands set apart.

    Args:
        number: any whole number.

    Example:
        >>> count(212345)
        '212,345'
    """
    return _signed(f"{number:,}")


def counted(number: int, one: str, many: str = "") -> str:
    """Write how many of what.

    Args:
        number: how many.
        one: the thing, in the singular.
        many: the plural, where it is not the singular with an s.

    Example:
        >>> counted(1, "person", "people"), counted(2000, "application")
        ('1 person', '2,000 applications')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    """Write a share that stands without an interval, such as the completeness of a table.

    Digits follow the nearer end of the scale, so that 99.72 % is not rounded to the 100 % that it is not.

    Args:
        value: 0 to 1; None when it cannot be told.

    Example:
        >>> [share(x).replace(SPACE, " ") for x in (0.0412, 0.5, 0.9972, 0.999999, 1.0)]
        ['4.1 %', '50 %', '99.72 %', 'over 99.99 %', '100 %']
    """
    if value is None:
        return CANNOT_TELL
    room = min(value, 1 - value)
    if 0 < room < 0.0001:
        return f"under 0.01{SPACE}%" if value < 0.5 else f"over 99.99{SPACE}%"
    decimals = 0 if room >= 0.1 or room == 0 else 1 if room >= 0.01 else 2
    return f"{100 * value:.{decimals}f}{SPACE}%"


def percent(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a rate with the digits that its interval allows.

    Args:
        value: 0 to 1; None when it cannot be told.
        low: lower end of the interval, or None.
        high: upper end of the interval, or None.

    Example:
        >>> [percent(0.041, *ends)[:-2] for ends in ((0.039, 0.044), (0.01, 0.09), (0.01, 0.31))]
        ['4.1', '4.1', '4']
    """
    if value is None or low is None or high is None:
        return share(value)
    return f"{_fixed(100 * value, _percent_places(low, high))}{SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    """Write the interval of a rate; empty when there is none.

    Args:
        low: lower end, 0 to 1, or None.
        high: upper end, 0 to 1, or None.

    Example:
        >>> interval(0.0391, 0.0437).replace(SPACE, " ")
        '3.9 to 4.4 %'
    """
    if low is None or high is None:
        return ""
    places = _percent_places(low, high)
    return f"{_fixed(100 * low, places)} to {_fixed(100 * high, places)}{SPACE}%"


def decimals(width: float) -> int:
    """Say how many decimals an interval of this width deserves: steps of about a quarter of it or finer.

    Args:
        width: high minus low, in the unit that is shown.

    Example:
        >>> [decimals(width) for width in (30, 3, 0.5, 0.029)]
        [0, 1, 1, 3]
    """
    if width <= 0:
        return 2
    return min(MOST_DECIMALS, max(0, math.ceil(round(-math.log10(width / 4), 6))))


def target(value: float) -> str:
    """Write a target, which somebody chose and which therefore has no digits to hide.

    Args:
        value: 0 to 1.

    Example:
        >>> target(0.99).replace(SPACE, " "), target(0.995).replace(SPACE, " ")
        ('99 %', '99.5 %')
    """
    return f"{100 * value:.6g}{SPACE}%"


def in_words(rate: RateEvidence, happens: str, unit: str = "application") -> tuple[str, str]:
    """Say a rate in a sentence, or what is missing before it can be said.

    Args:
        rate: the rate with its interval and n.
        happens: what happens to a unit, in the plural, such as "lead to an interview".
        unit: what is counted, in the singular.

    Returns:
        The sentence without its full stop, and what it rests on, for the brackets behind it.

    Example:
        >>> rate = RateEvidence(value=0.0413, low=0.0391, high=0.0437, n=212345, events=8770, method="cure")
        >>> in_words(rate, "lead to an interview")
        ('Of 100 applications about 4 lead to an interview', '3.9 to 4.4; n = 212,345')
        >>> in_words(RateEvidence(value=None, n=12, events=0, needed=140, method="cure"), "lead on")
        ('We cannot tell yet how many applications lead on: about 140 more are needed', 'n = 12')
    """
    sample = f"n = {count(rate.n)}"
    if rate.value is None:
        missing = f": about {count(rate.needed)} more are needed" if rate.needed else ""
        return f"We cannot tell yet how many {unit}s {happens}{missing}", sample
    of = 100 if rate.value >= 0.01 else 1000 if rate.value >= 0.001 else 10_000
    about, span = of * rate.value, ""
    places = 0 if about >= 3 else 1
    if rate.low is not None and rate.high is not None:
        low, high = of * rate.low, of * rate.high
        fine = decimals(high - low)
        places = places if low <= round(about, places) <= high else fine
        span = f"{_fixed(low, fine)} to {_fixed(high, fine)}; "
    return f"Of {of:,} {unit}s about {_fixed(about, places)} {happens}", span + sample


def gain(evidence: Evidence) -> str:
    """Write the gain of a metric with its interval, signed, in the unit of the metric.

    Args:
        evidence: what speaks for a recommendation; rates are written in percentage points.

    Example:
        >>> known = Evidence(metric_improved="interviews_per_week", improvement_amount=0.021, sample_size=9,
        ...     confidence_interval=(0.012, 0.041), p_value=None)
        >>> gain(known)
        '+0.021 (0.012 to 0.041)'
    """
    if evidence.improvement_amount is None:
        return CANNOT_TELL
    points = evidence.metric_improved.endswith("_rate")
    return difference(evidence.improvement_amount, evidence.confidence_interval, is_share=points)


def difference(value: float | None, interval: tuple[float, float] | None, *, is_share: bool) -> str:
    """Write a difference with its interval, signed.

    Args:
        value: the difference; None when it cannot be told.
        interval: its interval; None when unknown.
        is_share: whether it is one of shares, which is written in percentage points.

    Example:
        >>> difference(0.0112, (0.002, 0.02), is_share=True).replace(SPACE, " ")
        '+1.1 points (0.2 to 2.0)'
    """
    if value is None:
        return CANNOT_TELL
    scale, unit = (100, f"{SPACE}points") if is_share else (1, "")
    about = scale * value
    if interval is None:
        return _signed(f"{about:+.2g}") + unit
    low, high = (scale * end for end in interval)
    places = decimals(high - low)
    plus = "+" if float(f"{about:.{places}f}") > 0 else ""
    return f"{plus}{_fixed(about, places)}{unit} ({_fixed(low, places)} to {_fixed(high, places)})"


def probability(value: float | None) -> str:
    """Write a p-value.

    Args:
        value: 0 to 1; None when it was not computed.

    Example:
        >>> probability(0.0031), probability(0.00004), probability(None)
        ('0.003', 'below 0.001', 'not computed')
    """
    if value is None:
        return "not computed"
    return "below 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def words(name: str) -> str:
    """Write a machine's name as words.

    Args:
        name: such as ``expected_interviews_per_week``.

    Example:
        >>> words("a_b_test")
        'a b test'
    """
    return name.replace("_", " ")


def setting(parameter: str, value: object) -> str:
    """Write the value of a setting exactly as it is kept, with its unit.

    Args:
        parameter: name of the setting.
        value: what it holds.

    Example:
        >>> setting("improve_resume_threshold", 75.0)
        '75.0 points'
        >>> setting("fit_score_weights", {"technical": 0.4, "signal": 0.2})
        'technical 0.4, signal 0.2'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {canonical_json(held)}" for name, held in value.items())
    known = CATALOGUE.get(parameter)
    return f"{canonical_json(value)} {known.unit if known else ''}".rstrip()


def purpose(parameter: str) -> str:
    """Say what a setting does, as the catalogue has it; empty for one that is no longer in it.

    Args:
        parameter: name of the setting.

    Example:
        >>> purpose("follow_up_timing")
        'Days after submission at which to follow up; the default is ours.'
    """
    known = CATALOGUE.get(parameter)
    return known.description if known else ""


def day(when: date) -> str:
    """Write a day.

    Args:
        when: a date or a moment.

    Example:
        >>> day(date(2025, 7, 2))
        '2 July 2025'
    """
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime | str | None) -> str:
    """Write a moment in UTC, or a day where only the day is known.

    Args:
        when: a moment, its ISO 8601 text, or None; without offset it counts as UTC.

    Example:
        >>> moment("2025-07-02T03:10:00Z"), moment("2025-07-02"), moment(None)
        ('2 July 2025, 03:10 UTC', '2 July 2025', 'unknown')
    """
    if when is None:
        return "unknown"
    if isinstance(when, str):
        if len(when) <= len("2025-W10-1"):
            return day(date.fromisoformat(when))
        when = datetime.fromisoformat(when)
    utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{day(utc)}, {utc:%H:%M} UTC"


def night(when: str | None) -> str:
    """Write the night at which something was known: its last moment, midnight, belongs to the day before.

    Args:
        when: the ISO 8601 text of a moment, or None.

    Example:
        >>> night("2026-11-26T00:00:00+00:00"), night("2026-11-26T03:10:00Z"), night(None)
        ('the night of 25 November 2026', '26 November 2026, 03:10 UTC', 'unknown')
    """
    if when is None or len(when) <= len("2025-W10-1"):
        return moment(when)
    utc = datetime.fromisoformat(when).astimezone(UTC)
    if utc.time() != time():
        return moment(utc)
    return f"the night of {day(utc - timedelta(microseconds=1))}"


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """Say how many members of a setting a change touches; the plan lists them.

    Args:
        before: what it holds.
        after: what it would hold.

    Example:
        >>> changed({"technical": 0.4, "signal": 0.2}, {"technical": 0.5, "signal": 0.2})
        '1 of 2 values changes'
    """
    names = {**before, **after}
    touched = sum(before.get(name) != after.get(name) for name in names)
    return f"{touched} of {counted(len(names), 'value')} {'changes' if touched == 1 else 'change'}"


def duration(seconds: float | None) -> str:
    """Write how long something took.

    Args:
        seconds: not negative; None when it was not measured.

    Example:
        >>> [duration(x).replace(SPACE, " ") for x in (0.04, 4.21, 185, 3900)]
        ['under 0.1 s', '4.2 s', '3 min 5 s', '1 h 5 min']
    """
    if seconds is None:
        return "not measured"
    if seconds < 0:
        raise Layer7Error("negative_duration", f"{seconds} seconds is no duration.", "Check the clock.")
    if seconds < 0.1:
        return f"under 0.1{SPACE}s"
    if seconds < 59.95:
        return f"{seconds:.1f}{SPACE}s" if seconds < 9.95 else f"{seconds:.0f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {rest}{SPACE}s"
    return f"{minutes // 60}{SPACE}h {minutes % 60}{SPACE}min"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _percent_places(low: float, high: float) -> int:
    """Below 10 % a whole percent is too coarse a step, however wide the interval."""
    return max(decimals(100 * (high - low)), 1 if high < 0.1 else 0)


def _fixed(number: float, places: int) -> str:
    text = f"{number:,.{places}f}"
    return _signed(text if float(text.replace(",", "")) else text.lstrip("-"))


def _signed(text: str) -> str:
    return text.replace("-", "\u2212")
