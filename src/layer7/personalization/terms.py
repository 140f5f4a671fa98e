"""Terms of ranked jobs: what a model says of a single value is looked up once, for everybody who asks."""

from collections.abc import Sequence
from functools import lru_cache
from math import exp
from typing import Any, NamedTuple

from layer7.analytics.chances import SCALES, key_of
from layer7.optimization.likelihood.model import LikelihoodModel, Term

USUAL_POINT = 0.015
"""Log odds of a point of the fit score, where the log does not say."""

_MOST = 100_000
_WORTH_SAYING = 0.05
_MOST_REASONS = 3


class Part(NamedTuple):
    """A term of one job.

    Args:
        order: what terms are sorted by: the largest first.
        value: log odds.
        spread: its squared error.
        told: the term as it is told.
        said: the term in words; None where it is too small for that.
    """

    order: float
    value: float
    spread: float
    told: dict[str, Any]
    said: str | None


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
        self._known: dict[tuple[str, float | str], Part | None] = {}
        self._keys: dict[str, str] = {}

    def find(self, name: str, value: float | str) -> Part | None:
        """Give what one property of a job adds to its log odds; None where that is not known.

        Args:
            name: of the property.
            value: its number, or its level in any spelling.
        """
        found: Part | None = self._known.get((name, value), _MISSING)
        if found is _MISSING:
            term = self.model.term(name, value)
            if len(self._known) >= _MOST:
                self._known = {}
            found = self._known[name, value] = None if term is None else self.part(term, "likelihood")
        return found

    def part(self, term: Term, of: str) -> Part:
        """Give a term as a part of a job's sum.

        Args:
            term: the term.
            of: ``likelihood`` or ``worth``.
        """
        points = None if self.point is None else round(term.value / self.point, 1)
        told = {
            "name": term.name,
            "about": term.about,
            "log_odds": round(term.value, 4),
            "points": points,
            "of": of,
            "n": term.n,
        }
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


_MISSING: Any = object()


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
