"""A model of the chance of an interview that can be read term by term (specification 11.4)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from layer7.analytics.cells.chances import OWN, SCALES, Chances, key_of
from layer7.statistics.chances.additive import Belief
from layer7.statistics.chances.deviations import DEFAULT_PEOPLE, PeopleLaw
from layer7.statistics.chances.leanings import own_averages
from layer7.statistics.chances.sparse_effects import DEFAULT_LAW, EffectLaw

Floats = npt.NDArray[np.float64]

BELIEFS: Mapping[str, Belief] = MappingProxyType(
    {
        "fit_score": Belief(0.15, 0.15),
        "resume_score": Belief(0.10, 0.15),
        "applicants": Belief(-0.25, 0.25),
        "posting_days": Belief(-0.05, 0.10),
    }
)
"""What is believed of slopes before a log is seen: scores help somewhat; of more applicants each has less, up
to in proportion; a week costs about 5 % (83,643 applications, see docs/methods/timing.md)."""

PERIOD_DAYS = 28
MOST_PERIODS = 26
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Effect:
    """What one level does to the log odds.

    Args:
        value: against an average application.
        error: its posterior standard deviation.
        n: applications it is learned from.
    """

    value: float
    error: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One summand of a chance; two are the same only if they are one.

    Args:
        name: of the property.
        about: its level or value, in the words of the job.
        value: log odds.
        error: posterior standard deviation.
        n: applications it is learned from; None for a slope.
    """

    name: str
    about: str
    value: float
    error: float
    n: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodModel:
    """Terms of the log odds of an interview.

    Args:
        people: how people's own averages differ, for an average job now.
        slopes: per number, log odds per unit of :data:`SCALES`, and its error.
        effects: per property, those of its levels by key.
        periods: effects of periods of 28 days that the log was learned from, the latest first, against the
            latest.
        laws: per property, how large leanings of single people are.
        personal: whether leanings of single people are used.
        trained_to: seconds since 1970; later applications count as of the latest period.
        n: applications it was learned from.
        events: interviews among them.
        persons: people among them.
    """

    people: PeopleLaw = DEFAULT_PEOPLE
    slopes: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({name: (b.mean, b.sd) for name, b in BELIEFS.items()})
    )
    effects: Mapping[str, Mapping[str, Effect]] = field(default_factory=dict)
    periods: tuple[float, ...] = ()
    laws: Mapping[str, EffectLaw] = field(default_factory=dict)
    personal: bool = True
    trained_to: int = 0
    n: int = 0
    events: int = 0
    persons: int = 0

    @property
    def intercept(self) -> float:
        """Log odds that somebody unknown has for an average job: of the mean chance over all people."""
        nothing = np.zeros(1)
        return float(own_averages(nothing, nothing, nothing, self.people)[0][0])

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """The levels that are told apart, by property."""
        return {name: tuple(levels) for name, levels in self.effects.items()}

    def law(self, name: str) -> EffectLaw:
        """Give the law of leanings in a property.

        Args:
            name: of the property.
        """
        return self.laws.get(name, DEFAULT_LAW)

    def offset(self, chances: Chances) -> Floats:
        """Give the log odds of applications against an average one of the same person now.

        Args:
            chances: the applications, their levels numbered in any way.
        """
        rows = chances.attempts
        total = np.zeros(len(rows))
        for name, (slope, _) in self.slopes.items():
            total += slope * rows.numbers[name]
        for name, levels in self.effects.items():
            known = [levels.get(key) for key in chances.keys.get(name, ())]
            values = np.array([*(0.0 if each is None else each.value for each in known), 0.0])
            codes = rows.levels.get(name)
            total += 0.0 if codes is None else values[codes]
        if self.periods:
            total += np.array(self.periods)[self.period(chances.sent)]
        return total

    def period(self, sent: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the period that each application falls into, 0 for the latest.

        Args:
            sent: seconds of submission.
        """
        ago = (self.trained_to - sent) // (PERIOD_DAYS * 86_400)
        return np.clip(ago, 0, max(len(self.periods) - 1, 0)).astype(np.int64)

    def terms(self, job: Mapping[str, Any]) -> tuple[Term, ...]:
        """Give what is known of a job as terms, without those of the person.

        Args:
            job: texts and numbers by the names of :data:`SCALES` and of the properties; others and None count
                as not known.

        Returns:
            A term per property that is known; a number's band is a part of its term.

        Example:
            >>> [term.name for term in LikelihoodModel().terms({"fit_score": 70.0, "title": "Cook"})]
            ['fit_score']
        """
        found = (self.term(name, job.get(name)) for name in (*self.slopes, *self.effects))
        return tuple(term for term in found if term is not None)

    def term(self, name: str, value: float | str | None) -> Term | None:
        """Give what one property of a job adds; None where it, or what it adds, is not known.

        Args:
            name: of the property.
            value: its number, or its level in any spelling.
        """
        if name in self.slopes:
            return None if value is None else self._number(name, float(value))
        effect = self.effects[name].get(key_of(value)) if isinstance(value, str) else None
        return None if effect is None else Term(name, str(value), effect.value, effect.error, effect.n)

    def _number(self, name: str, value: float) -> Term:
        scale, (slope, error) = SCALES[name], self.slopes[name]
        held = min(max(value, scale.low), scale.high)
        taken = held if scale.take is None else float(scale.take(np.float64(held)))
        place = (taken - scale.usual) / scale.unit
        band = self.effects.get(f"{name}_band", {}).get(str(_band(scale.bands, held)))
        if band is None:
            return Term(name, f"{value:g}", slope * place, abs(error * place))
        spread = float(np.hypot(error * place, band.error))
        return Term(name, f"{value:g}", slope * place + band.value, spread)


def _band(ends: Sequence[float], value: float) -> int:
    return sum(value >= end for end in ends)


def content(model: LikelihoodModel) -> dict[str, Any]:
    """Give a model as plain JSON values, rounded to 6 digits.

    Args:
        model: the model.
    """
    return {
        "people": [_rounded(model.people.mean), _rounded(model.people.sd)],
        "slopes": {name: [_rounded(each) for each in pair] for name, pair in model.slopes.items()},
        "effects": {
            name: {key: [_rounded(e.value), _rounded(e.error), e.n] for key, e in levels.items()}
            for name, levels in model.effects.items()
        },
        "periods": [_rounded(each) for each in model.periods],
        "laws": {name: [_rounded(each) for each in law.weights] for name, law in model.laws.items()},
        "personal": model.personal,
        "trained_to": model.trained_to,
        "n": model.n,
        "events": model.events,
        "persons": model.persons,
    }


def restored(kept: Mapping[str, Any]) -> LikelihoodModel:
    """Give a model back from its content.

    Args:
        kept: of :func:`content`.

    Example:
        >>> restored(content(LikelihoodModel())).slopes["fit_score"]
        (0.15, 0.15)
    """
    return LikelihoodModel(
        people=PeopleLaw(*kept["people"]),
        slopes=MappingProxyType({name: (pair[0], pair[1]) for name, pair in kept["slopes"].items()}),
        effects=MappingProxyType(
            {
                name: MappingProxyType({key: Effect(*each) for key, each in levels.items()})
                for name, levels in kept["effects"].items()
            }
        ),
        periods=tuple(kept["periods"]),
        laws=MappingProxyType({name: EffectLaw(np.array(each)) for name, each in kept["laws"].items()}),
        **{name: kept[name] for name in ("personal", "trained_to", "n", "events", "persons")},
    )


def version_of(model: LikelihoodModel) -> str:
    """Name a model by a hash of its content.

    Args:
        model: the model.

    Example:
        >>> version_of(LikelihoodModel()) == version_of(restored(content(LikelihoodModel())))
        True
    """
    text = json.dumps(content(model), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return f"m{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


PROPERTIES = OWN
"""Properties in which single people may lean to or against a level."""
