"""How sure a person's rates are, and the contract's words for them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.performance.judging import COUNTS, EVERYTHING, SPLITS
from layer7.analytics.performance.months import SCORE_STEPS, SCORE_UNITS
from layer7.contract.analytics import CategoryCounts, UserPerformance
from layer7.contract.evidence import Lineage, Period, RateEvidence
from layer7.contract.vocabulary import Category, StrategyMode
from layer7.statistics import effective_rates
from layer7.statistics.rates.effective import METHOD

LEVEL = 0.95
OFFERS = "wilson on interviews; offers so far"

_Rates = tuple[str, str, str, str]
_Word = TypeVar("_Word", StrategyMode, Category)
RATES: tuple[_Rates, ...] = (
    ("interview_rate", "interview_requests", "total_applications", "unseen"),
    ("offer_rate", "offers", "interview_requests", ""),
    *((f"interview_rate_{s}", f"interviews_{s}", f"applications_{s}", f"unseen_{s}") for s in SPLITS),
)
"""Every rate of a person: its name, its events, its units, and what of them is unseen."""


def finish(moments: pa.Table, *, level: float = LEVEL) -> pa.Table:
    """Turn moments into the columns of the derived table: counts, rates with intervals, days, scores.

    Each rate is k / n_eff with Wilson's interval, n_eff = n - unseen; see
    :func:`layer7.statistics.effective_rates` for formula and trust. The offer rate is offers so far over
    interviews so far.

    Args:
        moments: rows of :func:`layer7.analytics.performance.judging.performance_moments`.
        level: confidence of the intervals, between 0 and 1.

    Returns:
        ``person``, ``bucket``, ``period``, ``first_month``, the counts as whole numbers,
        ``avg_days_to_response``, ``fastest_response_days``, ``resume_score_start``, ``resume_score_current``,
        ``score_improvement``, and for each rate of :data:`RATES` four columns: the rate, ``_low``, ``_high``
        and ``_n_eff``. What cannot be told is null.

    Raises:
        Layer7Error: ``bad_level``.
    """
    held = {name: moments[name] for name in ("person", "bucket", "period", "first_month")}
    columns: dict[str, Any] = held | {name: pa.array(_numbers(moments, name), pa.int64()) for name in COUNTS}
    days, answers = _numbers(moments, "answer_days_sum"), _numbers(moments, "answers")
    columns["avg_days_to_response"] = _where(answers > 0, days / np.maximum(answers, 1))
    columns["fastest_response_days"] = moments["fastest_response_days"]
    columns |= _scores(moments)
    for name, events, units, unseen in RATES:
        k, n = _numbers(moments, events), _numbers(moments, units)
        rates = effective_rates(k, n, _numbers(moments, unseen) if unseen else 0.0, level)
        columns[name] = _where(rates.known, rates.value.data)
        columns[f"{name}_low"] = _where(rates.known, rates.low.data)
        columns[f"{name}_high"] = _where(rates.known, rates.high.data)
        columns[f"{name}_n_eff"] = pa.array(rates.n_eff)
    return pa.table(columns)


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(table[name].to_numpy(), dtype=np.float64)


def _where(known: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> "pa.Array[Any]":
    return pa.array(values, pa.float64(), mask=~known)


def _scores(moments: pa.Table) -> dict[str, "pa.Array[Any]"]:
    points, known = {}, {}
    for name in ("first_score", "last_score"):
        known[name] = moments[name].is_valid().to_numpy()
        packed = np.nan_to_num(_numbers(moments, name)).astype(np.int64)
        points[name] = (packed % SCORE_UNITS) / SCORE_STEPS
    both = known["first_score"] & known["last_score"]
    return {
        "resume_score_start": _where(known["first_score"], points["first_score"]),
        "resume_score_current": _where(known["last_score"], points["last_score"]),
        "score_improvement": _where(both, points["last_score"] - points["first_score"]),
    }


def to_contract(
    row: Mapping[str, Any], *, as_of: datetime, user_id: str | None = None, lineage: Lineage | None = None
) -> UserPerformance:
    """Say one row of the derived table in the contract's words, with the evidence of every rate.

    Args:
        row: a row of :func:`finish`, by column.
        as_of: the end of the night that made it.
        user_id: the caller's own name of the person; None keeps the pseudonym.
        lineage: where the numbers came from.

    Returns:
        Rates by mode and category only where there is an application; a rate without value says what is
        needed.
    """
    evidence = dict(_evidence(row))
    modes, categories = _counts(row, StrategyMode), _counts(row, Category)
    return UserPerformance(
        user_id=user_id or row["person"],
        period=_period(row, as_of),
        applications_by_category=CategoryCounts(**{word: categories.get(word, 0) for word in Category}),
        strategy_distribution=modes,
        interview_rate_by_mode={mode: evidence[f"interview_rate_by_mode.{mode}"].value for mode in modes},
        interview_rate_by_category={
            word: evidence[f"interview_rate_by_category.{word}"].value for word in categories
        },
        evidence=evidence,
        as_of=as_of.isoformat(),
        lineage=lineage,
        **{name: row[name] for name in _PLAIN},
    )


_PLAIN = (
    *("total_applications", "interview_requests", "interview_rate", "offers", "offer_rate", "rejections"),
    *("ghosted", "pending", "drafts", "rewrites_accepted", "rewrites_rejected"),
    *("avg_days_to_response", "fastest_response_days"),
    *("resume_score_start", "resume_score_current", "score_improvement"),
)


def _counts(row: Mapping[str, Any], words: type[_Word]) -> dict[_Word, int]:
    found = {word: int(row[f"applications_{str(word).lower()}"]) for word in words}
    return {word: count for word, count in found.items() if count}


def _evidence(row: Mapping[str, Any]) -> Iterator[tuple[str, RateEvidence]]:
    spoken = {str(mode).lower(): f"interview_rate_by_mode.{mode}" for mode in StrategyMode}
    spoken |= {str(word): f"interview_rate_by_category.{word}" for word in Category}
    for name, events, units, unseen in RATES:
        split = name.removeprefix("interview_rate_")
        if split in spoken and not row[units]:
            continue
        yield (
            spoken.get(split, name),
            RateEvidence(
                value=row[name],
                low=row[f"{name}_low"],
                high=row[f"{name}_high"],
                n=int(row[units]),
                effective_n=float(row[f"{name}_n_eff"]),
                events=int(row[events]),
                level=LEVEL,
                method=METHOD if unseen else OFFERS,
                needed=None if row[units] else 1,
            ),
        )


def _period(row: Mapping[str, Any], as_of: datetime) -> Period:
    label = str(row["period"])
    if ".." in label:
        start, end = label.split("..")
        return Period(start=start, end=end)
    if label == EVERYTHING:
        return Period(start=_month(int(row["first_month"])), end=as_of.astimezone(UTC).isoformat())
    year, month = label.split("-")
    count = (int(year) - 1970) * 12 + int(month) - 1
    return Period(start=_month(count), end=_month(count + 1))


def _month(count: int) -> str:
    return f"{1970 + count // 12}-{count % 12 + 1:02}-01"
