"""Terms of ranked jobs: what a model says of a single value is looked up, and written, once for everybody."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from math import exp
from typing import NamedTuple

from layer7.analytics.cells.chances import SCALES, key_of
from layer7.optimization.likelihood.model import LikelihoodModel, Term

USUAL_POINT = 0.015
"""Log odds of a point of the fit score, where the log does not say."""

_MOST = 10_000
_WORTH_SAYING = 0.05
_MOST_REASONS = 3


class Part(NamedTuple):
    """A term of one job.

    Args:
        order: what terms are sorted by: the largest first.
        value: log odds.
        spread: its squared error.
        told: the term as it is told, written as JSON once for all jobs that have it.
        said: the term in words; None where it is too small for that.
    """

    order: float
    value: float
    spread: float
    told: str
    said: str | None


class Placed(NamedTuple):
    """A job in its place.

    Args:
        job_id: the job.
        should_apply: whether it is worth applying to.
        text: all of it, as JSON in the shape of :class:`layer7.contract.ranking.RankedJob`.
    """

    job_id: str
    should_apply: bool
    text: str


class Terms:
    """What one model says of the values of jobs.

    Args:
        model: the likelihood model.
    """

    def __init__(self, model: LikelihoodModel) -> None:
        self.model = model
        self.intercept = model.intercept
        self.names = tuple(name for name in (*model.slopes, *model.effects) if not name.endswith("_band"))
        slope = model.slopes.get("fit_score", (0.0, 0.0))[0] / SCALES["fit_score"].unit
        self.point = slope if slope > 1e-4 else None
        self.crowding = min(model.slopes.get("applicants", (0.0, 0.0))[0], 0.0)
        self._known = {name: _Known(self, name) for name in self.names}
        self._keys: dict[str, str] = {}

    def column(self, name: str, values: Iterable[float | str | None]) -> list[Part | None]:
        """Give what one property of each job adds to its log odds; None where that is not known.

        Args:
            name: of the property.
            values: its number, or its level in any spelling, by job; None where it is not known.
        """
        known = self._known[name]
        if len(known) > _MOST:
            known = self._known[name] = _Known(self, name)
        return [known[value] for value in values]

    def part(self, term: Term, of: str) -> Part:
        """Give a term as a part of a job's sum.

        Args:
            term: the term.
            of: ``likelihood`` or ``worth``.
        """
        points = "null" if self.point is None else round(term.value / self.point, 1)
        told = (
            f'{{"name":{as_json(term.name)},"about":{as_json(term.about)},"log_odds":{round(term.value, 4)},'
            f'"points":{points},"of":"{of}","n":{"null" if term.n is None else term.n}}}'
        )
        said = None
        if abs(term.value) >= _WORTH_SAYING:
            name = term.name.replace("own_", "your own ").replace("_", " ")
            said = f"{name} {term.about}: x {exp(term.value):.2f}"
        return Part(-abs(term.value), term.value, term.error**2, told, said)

    def key(self, text: str) -> str:
        """Give the key of a level.

        Args:
            text: any of its spellings.
        """
        found = self._keys.get(text)
        if found is None:
            if len(self._keys) >= _MOST:
                self._keys = {}
            found = self._keys[text] = key_of(text)
        return found

    def worth(self, points: float) -> float:
        """Give points of the fit score as the logarithm of a worth.

        Args:
            points: as many.
        """
        return points * (self.point or USUAL_POINT)


class _Known(dict[float | str | None, Part | None]):
    """Parts of one property by value: a value that is not there yet is looked up in the model."""

    def __init__(self, terms: Terms, name: str) -> None:
        super().__init__({None: None})
        self._terms, self._name = terms, name

    def __missing__(self, value: float | str | None) -> Part | None:
        term = self._terms.model.term(self._name, value)
        part = self[value] = None if term is None else self._terms.part(term, "likelihood")
        return part


as_json = encode_basestring
"""Writes a text as JSON."""


@lru_cache(maxsize=4)
def terms_of(model: LikelihoodModel) -> Terms:
    """Give the terms of a model; the last few models stay.

    Args:
        model: the likelihood model.
    """
    return Terms(model)


def why(parts: Sequence[Part]) -> str:
    """Say the largest terms in words.

    Args:
        parts: of a job, the largest first.
    """
    said = [part.said for part in parts[:_MOST_REASONS] if part.said is not None]
    return "; ".join(said) or "nothing known makes it likelier or less likely than a usual job"
