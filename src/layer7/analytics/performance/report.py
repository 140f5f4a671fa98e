"""What a night measured, as plain JSON values that pages, commands and the next night read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from layer7.analytics.applications.quality import CAPTURE_TARGET, COMPLETENESS_TARGET, DataQuality, Share
from layer7.statistics import (
    Rate,
    SilenceModel,
    effective_rates,
    missing_bounds,
    wilson,
)

_HORIZON = 91
_SEEN = 0.25
"""Share of a week's applications whose outcome must have been seen before its rate is told."""


def measure_report(
    model: SilenceModel,
    *,
    people: int,
    weeks: pa.Table,
    fall: Mapping[str, Any],
    funnel: Mapping[str, int],
    quality: DataQuality,
) -> dict[str, Any]:
    """Say what was measured over all people.

    Args:
        model: the cohort's silence model.
        people: how many have applications or resumes in the log.
        weeks: rows of :func:`layer7.analytics.performance.overview.weekly`.
        fall: of :func:`layer7.analytics.performance.falls.fall_report`.
        funnel: the row of :func:`layer7.analytics.performance.overview.funnel`.
        quality: how good the data are.

    Returns:
        Plain JSON values; what cannot be told is None.
    """
    submitted, answered = funnel["submitted"], funnel["answered"]
    # Not all that were submitted: of somebody who sends hundreds a month some alone count in the rates.
    counted = round(model.n)
    return {
        "people": people,
        "applications": submitted,
        "interview_rate": _rate(model.interview, counted),
        "answer_rate": _rate(model.answered, counted),
        "unlogged": _unlogged(model.interview),
        "naive_rate": funnel["interview"] / submitted if submitted else None,
        "resolved_rate": funnel["interview"] / answered if answered else None,
        "interview_days_median": model.interview_delay.half,
        "interview_days_sigma": model.interview_delay.sigma,
        "rejection_days_median": model.rejection_delay.half,
        "prior_driven": model.prior_driven,
        "ghosted_after": model.ghosted_after(),
        "silence": _silence(model),
        "funnel": _funnel(funnel),
        "weeks": weekly_rates(weeks),
        "decline": dict(fall),
        "quality": _quality(quality),
    }


def _rate(rate: Rate, n: int) -> dict[str, Any]:
    return {
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "n": n,
        "effective_n": rate.n,
        "events": round(rate.events),
        "level": rate.level,
        "method": rate.method,
        "needed": None,
    }


def _unlogged(rate: Rate) -> dict[str, float] | None:
    """The rates that are possible if up to one interview in ten was never logged."""
    bounds = missing_bounds(rate)
    if bounds is None:
        return None
    return {
        "most": bounds.most,
        "rate_low": bounds.low,
        "rate_high": bounds.high,
        "low": bounds.interval.low,
        "high": bounds.interval.high,
    }


def _silence(model: SilenceModel) -> list[list[float]]:
    chances = model.still_comes(np.arange(_HORIZON, dtype=np.float64))
    return [] if chances is None else [[day, float(chance)] for day, chance in enumerate(chances)]


def _funnel(funnel: Mapping[str, int]) -> list[dict[str, Any]]:
    submitted = funnel["submitted"]
    steps = []
    for name in ("submitted", "answered", "interview", "offer"):
        share = wilson(funnel[name], submitted) if submitted and name != "submitted" else None
        whole = (1.0 if submitted else None, None, None)
        ends = (share.value, share.low, share.high) if share else whole
        steps.append(
            {"name": name, "n": funnel[name]} | dict(zip(("value", "low", "high"), ends, strict=True))
        )
    return steps


def weekly_rates(weeks: pa.Table) -> list[dict[str, Any]]:
    """Give each week's interview rate; None until a quarter of the week's outcomes must have been seen.

    Args:
        weeks: rows of :func:`layer7.analytics.performance.overview.weekly`.
    """
    events, n, unseen = (weeks[name].to_numpy().astype(np.float64) for name in ("interviews", "n", "unseen"))
    rates = effective_rates(events, n, unseen)
    # A rate over the little that has been seen would draw every latest week as a collapse.
    told = rates.n_eff >= _SEEN * n
    columns = (np.ma.masked_where(~told, ends).tolist() for ends in (rates.value, rates.low, rates.high))
    return [
        {"week": str(week), "n": n, "value": value, "low": low, "high": high}
        for week, n, value, low, high in zip(
            weeks["week"].to_pylist(), weeks["n"].to_pylist(), *columns, strict=True
        )
    ]


def _quality(quality: DataQuality) -> list[dict[str, Any]]:
    lines: list[tuple[str, Share, float | None]] = [
        ("events captured, of those expected", quality.captured, CAPTURE_TARGET),
        ("events taken, of those that came", quality.accepted, CAPTURE_TARGET),
        ("critical fields known", quality.complete, COMPLETENESS_TARGET),
        *((f"{name} known", share, COMPLETENESS_TARGET) for name, share in quality.completeness.items()),
        ("local time known", _rest(quality.local_time_unknown), None),
        ("applications submitted, of those created", _rest(quality.drafts), None),
    ]
    return [
        {"name": name, "value": share.value, "part": share.part, "n": share.n, "target": target}
        for name, share, target in lines
    ]


def _rest(share: Share) -> Share:
    return Share(share.n - share.part, share.n)
