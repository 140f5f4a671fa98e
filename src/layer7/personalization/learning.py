"""What is learned of a person for settings of her own, from what she does; nothing of anybody else's."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY
from layer7.analytics.optimizing.personal import FIT_BANDS, FIT_WIDTH, PACE_WEEKS, UNSAID
from layer7.personalization.values import Learned, Usual, Value
from layer7.statistics.people.drawn import Drawn, lower_edge, middle_wait, pace, share
from layer7.statistics.rates.shares import share_above

SURE = 0.9
USUAL_EDITED, USUAL_ACCEPTED = 0.3, 0.5
"""Shares that are believed of everybody before anything was decided."""

SELDOM, OFTEN = 0.2, 0.5
"""Who edits less than the one is said to edit seldom, who edits more than the other, often."""

USUAL_LEVEL = 0.1
LINES: Mapping[str, float] = MappingProxyType({"company_size": 0.25, "location": 0.25, "arrangement": 0.5})
"""What more than this share of a person's applications goes to, she prefers."""

MOST_LEVELS = 3
_FIELDS = {
    "company_size": "preferred_company_sizes",
    "location": "preferred_locations",
    "arrangement": "work_arrangement_preference",
}
Floats = npt.NDArray[np.float64]


def learn(
    moments: pa.Table, tastes: pa.Table, usual: Usual, *, end: int
) -> Mapping[str, Mapping[str, Learned]]:
    """Learn settings of every person from what she did.

    Only her own data and everybody's served values go in, so that a person's settings never change because of
    somebody else's data, and come out alike when her log is read again.

    Args:
        moments: rows of :func:`layer7.analytics.optimizing.personal.personal_moments`.
        tastes: rows of :func:`layer7.analytics.optimizing.personal.tastes`.
        usual: everybody's values.
        end: end of the night, seconds since 1970.

    Returns:
        By person and field of the contract; a field without any observation of hers is left out.
    """
    people = [str(person) for person in moments["person"].to_pylist()]
    found: dict[str, dict[str, Learned]] = {person: {} for person in people}
    for field, drawn in _numbers(moments, usual, end).items():
        for person, learned in zip(people, _each(drawn), strict=True):
            if learned is not None:
                found[person][field] = learned
    for person, learned in zip(people, _edits(moments), strict=True):
        if learned is not None:
            found[person]["edit_frequency"] = learned
    for person, field, learned in _tastes(tastes):
        found.setdefault(person, {})[field] = learned
    return found


def _numbers(moments: pa.Table, usual: Usual, end: int) -> Mapping[str, Drawn]:
    recent, log_days, answers, accepted, edited, rejected = (
        _column(moments, name) for name in ("recent", "log_days", "answers", "accepted", "edited", "rejected")
    )
    bands = np.column_stack([_column(moments, name) for name in FIT_BANDS])
    taken = accepted + edited
    return {
        "optimal_applications_per_week": pace(recent, _weeks(moments, end), usual=max(usual.pace, 0.5)),
        "min_fit_score_to_apply": lower_edge(bands, usual=usual.fit, width=float(FIT_WIDTH)),
        "follow_up_timing_days": middle_wait(log_days, answers, usual=usual.follow_up),
        "suggestion_acceptance_rate": share(taken, taken + rejected, usual=USUAL_ACCEPTED),
    }


def _weeks(moments: pa.Table, end: int) -> Floats:
    """Weeks of the last 12 in which she searched: from her first to her latest application."""
    week = 7 * SECONDS_PER_DAY
    first, last = (np.array([at or 0 for at in moments[name].to_pylist()]) for name in ("first", "last"))
    start = np.maximum(first, end - PACE_WEEKS * week)
    weeks = (np.minimum(last + week, end) - start) / week
    return np.where(_column(moments, "recent") > 0, np.maximum(weeks, 1.0), 0.0)


def _each(drawn: Drawn) -> Iterator[Learned | None]:
    columns = (drawn.value, drawn.low, drawn.high, np.ceil(drawn.n))
    for value, low, high, n in zip(*(each.tolist() for each in columns), strict=True):
        yield Learned(value=value, low=low, high=high, n=int(n)) if n > 0 else None


def _edits(moments: pa.Table) -> Iterator[Learned | None]:
    """How often she edits: seldom or often only when that is fairly sure."""
    edited, accepted = _column(moments, "edited"), _column(moments, "accepted")
    taken = edited + accepted
    often = share_above(edited, taken, OFTEN, usual=USUAL_EDITED, weight=8.0)
    seldom = 1 - share_above(edited, taken, SELDOM, usual=USUAL_EDITED, weight=8.0)
    words = np.where(often > SURE, "high", np.where(seldom > SURE, "low", "medium")).tolist()
    for word, learned in zip(words, _each(share(edited, taken, usual=USUAL_EDITED)), strict=True):
        yield learned and learned._replace(value=word)


def _tastes(tastes: pa.Table) -> Iterator[tuple[str, str, Learned]]:
    """What she turns to, most often first; an arrangement is one word."""
    people, fields = (tastes[name].combine_chunks().dictionary_encode() for name in ("person", "field"))
    whose = np.asarray(people.indices) * len(LINES) + np.asarray(fields.indices)
    counts = _column(tastes, "n")
    totals = np.bincount(whose, counts, minlength=1)[whose]
    lines = np.array([LINES[str(field)] for field in fields.dictionary.to_pylist()])[
        np.asarray(fields.indices)
    ]
    # What is believed beforehand lies below the line: a share that was seen below it cannot be surely above.
    sure = counts >= lines * totals
    sure[sure] = share_above(counts[sure], totals[sure], lines[sure], usual=USUAL_LEVEL) > SURE
    named = tastes.append_column("of", pa.array(totals.astype(np.int64))).filter(pa.array(sure))
    named = named.sort_by([("n", "descending"), ("level", "ascending")])
    columns = (named[name].to_pylist() for name in ("person", "field", "of", "level"))
    likely: dict[tuple[str, str, int], list[str]] = {}
    for person, field, of, level in zip(*columns, strict=True):
        if level != UNSAID:
            likely.setdefault((person, field, of), []).append(level)
    for (person, field, of), liked in likely.items():
        value: Value = liked[0] if field == "arrangement" else tuple(liked[:MOST_LEVELS])
        yield person, _FIELDS[field], Learned(value=value, n=of)


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
