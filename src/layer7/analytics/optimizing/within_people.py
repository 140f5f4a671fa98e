"""Rows of a sample of people, for what is compared within people: when, and to what, each of them applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr import types as ir

from layer7.analytics.applications.employers import employer_of
from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, Outlook, epoch_seconds, outcomes
from layer7.privacy.budget import LEAST_SHOWN
from layer7.statistics import ScoreParts, Sent

MOST = 400_000
"""So many applications tell a rate ratio of 1.05 between weekdays; more would only take time."""

PARTS = ("technical_match", "seniority_match", "experience_match", "signal")
CATEGORIES = ("reach", "safety")
HOURS = 2
AGE_BANDS = (2.0, 7.0)
LEVELS: Mapping[str, int] = MappingProxyType(
    {"weekday": 7, "time_of_day": 24 // HOURS, "posting_age": len(AGE_BANDS) + 1}
)

_DIGITS = 4
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def sample_people(applications: ir.Table, n: int, *, most: int = MOST) -> ir.Table:
    """Keep all applications of so many people that about ``most`` remain.

    Pseudonyms are keyed hashes, so the first ones by their last four hexadecimal digits are a random sample
    of people, and the same one every night.

    Args:
        applications: one row per application.
        n: how many there are.
        most: how many to keep at most, about.
    """
    if n <= most:
        return applications
    limit = f"{int(most / n * 16**_DIGITS):0{_DIGITS}x}"
    return applications.filter(applications.person.right(_DIGITS) < limit)


def sent_rows(applications: ir.Table, night: Outlook) -> ir.Table:
    """Give what was known of each submitted application when it was sent, and what it came to.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``person``, ``employer`` (the company without regard to case, else the job), ``seconds``,
        ``interviewed``, ``answered``, ``silent_age`` (NULL for the answered), ``unseen``, weekday, hour, days
        since the job was posted (NULL when unknown, or later than the application by more than a day),
        the parts of the fit score, the category, and the resume score with its parts.
    """
    rows = outcomes(applications, night)
    rows = rows.filter(rows.is_submitted)
    days = (rows.seconds - epoch_seconds(rows.posted_at)) / SECONDS_PER_DAY
    # In an order of their own, so that the same night gives the same sums to the last digit.
    return rows.order_by("person", "application_id").select(
        "person",
        "seconds",
        "unseen",
        "local_weekday",
        "local_hour",
        "category",
        "resume_score",
        "resume_score_components",
        *PARTS,
        employer=employer_of(rows),
        interviewed=rows.is_interviewed,
        answered=~rows.is_silent,
        silent_age=ibis.ifelse(rows.is_silent, rows.age, None),
        posting_days=ibis.ifelse(days >= -1, ibis.greatest(days, 0.0), None),
    )


def to_sent(rows: pa.Table, unseen_answers: Floats) -> tuple[Sent, Sent]:
    """Give the rows of :func:`sent_rows` as the statistics of timing take them, for interviews and answers.

    Args:
        rows: the rows, in any order.
        unseen_answers: what a silent application takes off the trials for any answer, by age in days.

    Returns:
        The interviews, and the answers.
    """
    hour = _codes(rows, "local_hour")
    posted = _numbers(rows, "posting_days")
    factors = {
        "weekday": _codes(rows, "local_weekday"),
        "time_of_day": np.where(hour >= 0, hour // HOURS, -1),
        "posting_age": np.where(np.isnan(posted), -1, np.digitize(posted, AGE_BANDS)).astype(np.int64),
    }
    age = _codes(rows, "silent_age")
    hidden = np.where(age >= 0, unseen_answers[np.minimum(age, unseen_answers.size - 1)], 0.0)
    ties = _names(rows, "person"), _names(rows, "employer")
    told = (
        (_numbers(rows, "interviewed"), 1 - _numbers(rows, "unseen")),
        (_numbers(rows, "answered"), 1 - hidden),
    )
    interviews, answers = (
        Sent(events, np.maximum(trials, events), *ties, factors, LEVELS) for events, trials in told
    )
    return interviews, answers


def to_fit_parts(rows: pa.Table) -> ScoreParts:
    """Give the rows of :func:`sent_rows` that have all parts of the fit score, as the statistics take them.

    Args:
        rows: the rows, in any order.
    """
    parts = np.column_stack([_numbers(rows, name) for name in PARTS])
    category = np.array(rows["category"].to_pylist(), dtype=object)
    categories = np.column_stack([(category == name).astype(np.float64) for name in CATEGORIES])
    return _score_parts(rows, parts, categories, np.isnan(parts).sum(axis=1) == 0)


def _score_parts(
    rows: pa.Table, parts: Floats, categories: Floats, whole: npt.NDArray[np.bool_]
) -> ScoreParts:
    events = _numbers(rows, "interviewed")
    return ScoreParts(
        parts=parts[whole],
        categories=categories[whole],
        events=events[whole],
        trials=np.maximum(1 - _numbers(rows, "unseen"), events)[whole],
        person=_names(rows, "person")[whole],
        cluster=_names(rows, "employer")[whole],
        sent=rows["seconds"].to_numpy().astype(np.int64)[whole],
    )


def parts_known(rows: pa.Table) -> Mapping[str, int]:
    """Count the applications of which each part of the fit score is known.

    Args:
        rows: rows of :func:`sent_rows`.
    """
    return MappingProxyType({name: rows.num_rows - rows[name].null_count for name in PARTS})


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Applications with the parts of their resume score.

    Args:
        names: of the parts, in order; names that fewer than 50 people have are nowhere shown.
        log: the applications that have all these parts, and a score.
        score: the resume score of each.
        told: how many applications have a score and any part.
        seldom: names of parts that fewer than half of them have; these are not in ``names``.
    """

    names: tuple[str, ...]
    log: ScoreParts
    score: Floats
    told: int
    seldom: tuple[str, ...]


def to_components(rows: pa.Table) -> Components:
    """Give the rows of :func:`sent_rows` that have all parts of the resume score that are in use.

    A part is in use if at least 50 people have it (what its name says could else be told of one of them), and
    half of the applications that have any part.

    Args:
        rows: the rows, in any order.
    """
    score = _numbers(rows, "resume_score")
    row, name, number, words = _entries(rows)
    scored = ~np.isnan(score[row])
    row, name, number = row[scored], name[scored], number[scored]
    person = _names(rows, "person")
    told = int(np.unique(row).size)
    pairs = np.unique(name * (rows.num_rows + 1) + person[row]) // (rows.num_rows + 1)
    people, often = (np.bincount(each, minlength=len(words)) for each in (pairs, name))
    shown = [at for at in np.argsort(words).tolist() if people[at] >= LEAST_SHOWN]
    used = [at for at in shown if 2 * often[at] >= told]
    parts = np.full((rows.num_rows, len(used)), np.nan)
    for place, at in enumerate(used):
        parts[row[name == at], place] = number[name == at]
    whole = ~np.isnan(parts).any(axis=1) if used else np.zeros(rows.num_rows, dtype=np.bool_)
    return Components(
        names=tuple(words[at] for at in used),
        log=_score_parts(rows, parts, np.zeros((rows.num_rows, 0)), whole),
        score=score[whole],
        told=told,
        seldom=tuple(words[at] for at in shown if at not in used),
    )


def _entries(rows: pa.Table) -> tuple[Codes, Codes, Floats, list[str]]:
    """What is told of parts: in which row, of which name, how much; and the names."""
    told = rows["resume_score_components"]
    maps: Any = pa.concat_arrays(told.chunks or [pa.nulls(0, told.type)])
    offsets = maps.offsets.to_numpy()
    inside = slice(int(offsets[0]), int(offsets[-1]))
    names = pc.dictionary_encode(maps.keys)
    row = np.repeat(np.arange(rows.num_rows), np.diff(offsets))
    code = names.indices.to_numpy().astype(np.int64)[inside]
    return row, code, maps.items.to_numpy(zero_copy_only=False)[inside], names.dictionary.to_pylist()


def _numbers(rows: pa.Table, name: str) -> Floats:
    """A column as numbers, NaN where it is not known."""
    return rows[name].cast(pa.float64()).to_numpy().astype(np.float64)


def _codes(rows: pa.Table, name: str) -> npt.NDArray[np.int64]:
    """A column as whole numbers, -1 where it is not known."""
    return np.nan_to_num(_numbers(rows, name), nan=-1.0).astype(np.int64)


def _names(rows: pa.Table, name: str) -> npt.NDArray[np.int64]:
    """Names as numbers from 0 on, in the order of the names."""
    _, codes = np.unique(np.array(rows[name].to_pylist(), dtype=str), return_inverse=True)
    return codes.astype(np.int64)
