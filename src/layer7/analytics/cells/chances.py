"""Applications with all that their chance of an interview is read from, as the statistics take them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, Outlook, epoch_seconds, outcomes
from layer7.analytics.cells.columns import codes
from layer7.analytics.cells.levels import normal
from layer7.statistics.chances.additive import LEAST_LEVEL, Attempts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TEXTS = ("title", "seniority", "industry", "company_type", "company_size", "location", "channel", "category")
"""Properties of a job that are levels, in any spelling."""

OWN = ("title", "seniority", "industry", "company_type", "company_size", "location", "channel")
"""Properties in which a person may do better or worse than everybody does."""

LEAST_PEOPLE = 10
"""A level that fewer people applied to has no effect of its own: it would tell of them."""

LEAST_MATURE = 30.0
"""And of a company so many applications must be known to the end."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a number of a job enters the sum: from its usual value on, in a unit, at ends of its range.

    Args:
        usual: where its term is 0.
        unit: what the slope is per.
        low: below it, it counts as this.
        high: above it, it counts as this.
        bands: its ends of bands, each with an effect of its own beside the slope; none for a slope alone.
        take: what is done to it first.
    """

    usual: float
    unit: float
    low: float
    high: float
    bands: tuple[float, ...] = ()
    take: Callable[[Any], Any] | None = None

    def place(self, values: Floats) -> Floats:
        """Give numbers as the slope takes them; 0 for NaN.

        Args:
            values: the numbers.
        """
        known = np.clip(values, self.low, self.high)
        taken = known if self.take is None else self.take(known)
        return np.nan_to_num((taken - self.usual) / self.unit, nan=0.0)

    def band(self, values: Floats) -> Ints:
        """Give the band of each number; -1 for NaN.

        Args:
            values: the numbers.

        Example:
            >>> SCALES["fit_score"].band(np.array([12.0, 64.0, np.nan])).tolist()
            [0, 3, -1]
        """
        return np.where(np.isnan(values), -1, np.digitize(values, self.bands)).astype(np.int64)


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "fit_score": Scale(60.0, 10.0, 0.0, 100.0, bands=(40.0, 50.0, 60.0, 70.0, 80.0, 90.0)),
        "resume_score": Scale(70.0, 10.0, 0.0, 100.0, bands=(50.0, 60.0, 70.0, 80.0, 90.0)),
        "applicants": Scale(float(np.log(81.0)), 1.0, 0.0, 10_000.0, take=np.log1p),
        "posting_days": Scale(5.0, 7.0, 0.0, 60.0, bands=(2.0, 7.0, 14.0)),
    }
)
"""Numbers of an application by name: scores in steps of 10 points, applicants by their natural logarithm,
the age of the posting in weeks."""


def chance_rows(applications: ir.Table, night: Outlook) -> ir.Table:
    """Give every submitted application with what its chance is read from.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``person``, ``bucket``, ``seconds`` (of submission), ``event`` (1 for an interview), ``seen`` (1 less
        what is unseen), the texts of :data:`TEXTS`, ``company``, ``tailored``, and the numbers of
        :data:`SCALES`; NULL where it is not known. In an order of their own.
    """
    rows = outcomes(applications, night)
    sent = rows.filter(rows.is_submitted)
    days = (sent.seconds - epoch_seconds(sent.posted_at)) / SECONDS_PER_DAY
    return sent.order_by("person", "application_id").select(
        "person",
        "bucket",
        "seconds",
        "company",
        "fit_score",
        "resume_score",
        "applicants",
        *TEXTS,
        event=ibis.ifelse(sent.is_interviewed, 1.0, 0.0),
        seen=ibis.ifelse(sent.is_interviewed, 1.0, 1.0 - sent.unseen),
        tailored=sent.tailoring_applied.cast("string"),
        # Dates of postings without a time are whole days off: a little before the posting is on its day.
        posting_days=ibis.ifelse(days >= -1, ibis.greatest(days, 0.0), None),
    )


@lru_cache(maxsize=1 << 16)
def key_of(text: str) -> str:
    """Give the key of a level: the same for all its spellings.

    Example:
        >>> key_of(" Back-End ENGINEER (m/f/d)")
        'back end engineer'
    """
    return normal(text)


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """Applications as the statistics take them, with the names behind their numbers.

    Args:
        attempts: the applications.
        keys: per property, the keys of its levels by place.
        people: pseudonyms by number of the person.
        buckets: of each person.
        sent: seconds of each submission.
    """

    attempts: Attempts
    keys: Mapping[str, tuple[str, ...]]
    people: npt.NDArray[np.object_]
    buckets: Ints
    sent: Ints


def to_chances(
    rows: pa.Table, cohorts: Mapping[str, str], known: Mapping[str, Sequence[str]] | None = None
) -> Chances:
    """Give rows of :func:`chance_rows` as the statistics take them.

    Args:
        rows: the rows, ordered by person.
        cohorts: the segment of each person, by pseudonym.
        known: per property the levels that are told apart; None for those that the rows are enough for: 20
            applications of 10 people, and for a company 30 applications known to the end.
    """
    person, people = codes(rows["person"])
    events = _numbers(rows, "event")
    trials = np.maximum(_numbers(rows, "seen"), events)
    numbers = {name: _numbers(rows, name) for name in SCALES}
    mine = pa.array([cohorts.get(str(name)) for name in people], pa.string())
    coded = {name: _keyed(rows[name]) for name in (*TEXTS, "company", "tailored")}
    coded |= {f"{name}_band": _banded(scale, numbers[name]) for name, scale in SCALES.items() if scale.bands}
    own, words = _keyed(pa.chunked_array([mine]))
    coded["cohort"] = (own[person] if own.size else own, words)
    levels: dict[str, Ints] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for name, (places, words) in coded.items():
        if known is None:
            kept = _common(name, places, size=len(words), who=(person, trials))
            levels[name], keys[name] = _renamed(places, words, tuple(words[at] for at in kept))
        else:
            levels[name], keys[name] = _renamed(places, words, tuple(known.get(name, ())))
    buckets = np.zeros(len(people), dtype=np.int64)
    buckets[person] = _numbers(rows, "bucket").astype(np.int64)
    placed = {name: scale.place(numbers[name]) for name, scale in SCALES.items()}
    sent = _numbers(rows, "seconds").astype(np.int64)
    return Chances(Attempts(person, events, trials, levels, placed), keys, people, buckets, sent)


def _numbers(rows: pa.Table, name: str) -> Floats:
    """A column as numbers, NaN where it is not known."""
    return rows[name].cast(pa.float64()).to_numpy().astype(np.float64)


def _keyed(texts: "pa.ChunkedArray[Any]") -> tuple[Ints, tuple[str, ...]]:
    """The place of each text's key among all keys in order; -1 for NULL."""
    encoded = texts.combine_chunks().dictionary_encode()
    spelled = [key_of(str(word)) for word in encoded.dictionary.to_pylist()]
    words = tuple(sorted(set(spelled)))
    place = {word: at for at, word in enumerate(words)}
    found = np.array([*(place[word] for word in spelled), -1], dtype=np.int64)
    return found[encoded.indices.fill_null(len(spelled)).to_numpy(zero_copy_only=False)], words


def _banded(scale: Scale, values: Floats) -> tuple[Ints, tuple[str, ...]]:
    return scale.band(values), tuple(str(at) for at in range(len(scale.bands) + 1))


def _common(name: str, places: Ints, *, size: int, who: tuple[Ints, Floats]) -> Ints:
    """The levels that are frequent enough, by place."""
    person, trials = who
    here = places >= 0
    kept = np.bincount(places[here], minlength=size) >= LEAST_LEVEL
    people = int(person.max(initial=-1)) + 1
    pairs = np.unique(places[here] * people + person[here]) // max(people, 1)
    kept &= np.bincount(pairs, minlength=size) >= LEAST_PEOPLE
    if name == "company":
        kept &= np.bincount(places[here], trials[here], size) >= LEAST_MATURE
    return np.flatnonzero(kept)


def _renamed(places: Ints, words: tuple[str, ...], kept: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Number the levels that are kept; the others count as not known."""
    place = {name: at for at, name in enumerate(kept)}
    found = np.array([*(place.get(word, -1) for word in words), -1], dtype=np.int64)
    return found[places], kept
