"""What a night makes of people's months: silence is judged late, when it is known what it means."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from layer7.analytics.applications.fates import (
    CATEGORIES,
    INTERVIEW,
    MODES,
    SILENT,
    Ints,
    ages,
    part,
    unseen_of,
)
from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.performance.months import COUNTS as FACTS
from layer7.analytics.performance.months import PERSON

EVERYTHING = "all"
"""The period that holds all months."""

SPLITS = tuple(str(word).lower() for word in (*MODES, *CATEGORIES))
"""What applications are split by, as it stands in the names of columns: modes and categories."""

COUNTS = (
    *FACTS,
    "ghosted",
    "pending",
    *(f"{what}_{split}" for split in SPLITS for what in ("applications", "interviews")),
)
"""Moments that are whole numbers; they add."""

SUMS = (*COUNTS, "unseen", "answer_days_sum", *(f"unseen_{split}" for split in SPLITS))
"""All moments that add."""

EXTREMES = {"fastest_response_days": "min", "first_score": "min", "last_score": "max", "first_month": "min"}
"""Moments of which the least or the greatest counts."""

Floats = npt.NDArray[np.float64]


def performance_moments(months: pa.Table, night: Outlook) -> pa.Table:
    """Judge every month of every person, and all months of each together.

    Args:
        months: of :func:`layer7.analytics.performance.months.month_facts`.
        night: what silence means.

    Returns:
        ``person``, ``bucket``, ``period`` (``2026-03`` or ``all``), :data:`SUMS` and :data:`EXTREMES`;
        ``first_month`` is counted from January 1970. The row ``all`` is the sum of the months: moments add.
    """
    judged = range_moments(months, night, _names(months["month"]))
    judged = judged.set_column(judged.schema.get_field_index("first_month"), "first_month", months["month"])
    found = judged.group_by(list(PERSON)).aggregate([(name, "sum") for name in SUMS] + list(EXTREMES.items()))
    kept: dict[str, Any] = {name: found[f"{name}_sum"] for name in SUMS}
    kept |= {name: found[f"{name}_{how}"] for name, how in EXTREMES.items()}
    kept |= {name: found[name] for name in PERSON} | {"period": pa.repeat(EVERYTHING, found.num_rows)}
    return pa.concat_tables([judged, pa.table(kept).select(judged.column_names).cast(judged.schema)])


def range_moments(facts: pa.Table, night: Outlook, period: "pa.Array[Any]") -> pa.Table:
    """Judge what became of applications, row by row.

    Args:
        facts: of :func:`layer7.analytics.performance.months.range_facts`.
        night: what silence means.
        period: the name of each row's stretch of time.

    Returns:
        The columns of :func:`performance_moments`; ``first_month`` is NULL.
    """
    lists = facts["fates"].combine_chunks()
    row = np.repeat(np.arange(facts.num_rows), pc.fill_null(pc.list_value_length(lists), 0).to_numpy())

    def total(weight: npt.NDArray[Any]) -> Floats:
        return np.bincount(row, weight, minlength=facts.num_rows).astype(np.float64)

    columns: dict[str, Any] = _judged(pc.list_flatten(lists).to_numpy().astype(np.int64), night, total)
    columns |= {name: facts[name] for name in (*PERSON, *FACTS, "answer_days_sum")}
    columns |= {name: facts[name] for name in EXTREMES if name != "first_month"}
    columns |= {"period": period, "first_month": pa.nulls(facts.num_rows, pa.int64())}
    found = pa.table({name: columns[name] for name in (*PERSON, "period", *SUMS, *EXTREMES)})
    whole = pa.schema(
        [(field.name, pa.int64() if field.name in COUNTS else field.type) for field in found.schema]
    )
    return found.cast(whole)


def _judged(fates: Ints, night: Outlook, total: Callable[[npt.NDArray[Any]], Floats]) -> dict[str, Any]:
    """The moments that hang on silence, and those of what applications are split by."""
    silent, age = part(fates, "kind") == SILENT, ages(fates, night.as_of)
    ghosted = silent & (part(fates, "said_ghosted") == 1)
    if night.ghosted_after is not None:
        ghosted |= silent & (age >= night.ghosted_after)
    unseen, interviewed = unseen_of(fates, night), part(fates, "kind") == INTERVIEW
    found = {"ghosted": total(ghosted), "pending": total(silent & ~ghosted), "unseen": total(unseen)}
    for column, words in (("mode", MODES), ("category", CATEGORIES)):
        place = part(fates, column)
        for at, word in enumerate(words, start=1):
            here, split = place == at, str(word).lower()
            found[f"applications_{split}"] = total(here)
            found[f"interviews_{split}"] = total(here & interviewed)
            found[f"unseen_{split}"] = total(np.where(here, unseen, 0.0))
    return found


def _names(months: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    """Months as they are written: 2026-03."""
    known, place = np.unique(months.to_numpy(), return_inverse=True)
    names = pa.array(np.datetime_as_string(known.astype("datetime64[M]")).tolist(), pa.string())
    return names.take(pa.array(place, pa.int64()))
