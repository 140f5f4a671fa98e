"""How often an alarm rule is right: exact operating characteristics over the law of people's rates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.people.person_rates import Cohort, chance_below

GRID = 200
CLEARLY = 2.0
"""A person whose rate is at least so many times the threshold needs no alarm."""

Rule = Callable[[int], int]
"""Gives for a number of applications the most interviews at which the alarm is raised; -1: never."""


@dataclass(frozen=True, slots=True)
class Operating:
    """What a rule does to people like these, up to a number of applications.

    Args:
        false_alarm: share of those at CLEARLY times the threshold or above who are ever alarmed.
        detection: share of those below the threshold who are.
        right: share of all people who are alarmed rightly.
        wrong: share of all people who are alarmed though their rate is not below the threshold.
    """

    false_alarm: float
    detection: float
    right: float
    wrong: float


def count_rule(least: int, rate: float) -> Rule:
    """The specification's rule: at least so many applications, and a plain rate below a bound.

    Args:
        least: applications from which on it looks.
        rate: the bound.

    Example:
        >>> rule = count_rule(30, 0.02)
        >>> rule(29), rule(30), rule(51)
        (-1, 0, 1)
    """
    return lambda n: -1 if n < least else int(np.ceil(rate * n - 1e-9)) - 1


def posterior_rule(cohort: Cohort, threshold: float, *, sure: float) -> Rule:
    """The rule that looks at the probability that a person's rate is below a bound.

    Args:
        cohort: how people differ.
        threshold: the bound.
        sure: the probability from which on the alarm is raised.

    Example:
        >>> rule = posterior_rule(Cohort(0.045, 25.0, ((1.0, 0.0), (0.0, 1.0)), 500), 0.02, sure=0.8)
        >>> rule(30), rule(90)
        (-1, 0)
    """

    def most(n: int) -> int:
        tried = np.arange(min(n, 60) + 1, dtype=np.float64)
        alarmed = chance_below(cohort, tried, np.full(tried.size, float(n)), threshold) > sure
        return int(alarmed.sum()) - 1

    return most


def operating(rule: Rule, cohort: Cohort, threshold: float, *, by: int, seen: float = 1.0) -> Operating:
    """Compute how often a rule alarms people of a cohort, looked at after every application.

    The chance to have been alarmed by `by` applications is computed exactly for 200 rates (a Markov chain
    on the number of interviews), and averaged over the law of rates.

    Args:
        rule: the rule.
        cohort: how people differ.
        threshold: the rate below which an alarm is right.
        by: applications up to which it looks.
        seen: share of the interviews that are known when the rule looks, above 0 up to 1: answers come late.

    Example:
        >>> cohort = Cohort(0.045, 25.0, ((1.0, 0.0), (0.0, 1.0)), 500)
        >>> plain = operating(count_rule(30, 0.02), cohort, 0.02, by=120)
        >>> round(plain.false_alarm, 2), round(plain.detection, 2)
        (0.2, 0.95)
    """
    a, b = cohort.shape
    rates = special.betaincinv(a, b, (np.arange(GRID) + 0.5) / GRID)
    alarmed = _ever_alarmed(rule, rates * seen, by)
    low, clear = rates < threshold, rates >= CLEARLY * threshold
    return Operating(
        false_alarm=float(alarmed[clear].mean()) if clear.any() else 0.0,
        detection=float(alarmed[low].mean()) if low.any() else 0.0,
        right=float((alarmed * low).mean()),
        wrong=float((alarmed * ~low).mean()),
    )


def _ever_alarmed(rule: Rule, rates: FloatArray, by: int) -> FloatArray:
    bounds = [rule(n) for n in range(1, by + 1)]
    states = max(*bounds, 0) + 2  # the last one: too many interviews for any alarm
    chance = np.zeros((rates.size, states))
    chance[:, 0] = 1.0
    alarmed = np.zeros(rates.size)
    for bound in bounds:
        step = chance * rates[:, None]
        chance = chance - step
        chance[:, 1:] += step[:, :-1]
        chance[:, -1] += step[:, -1]
        if bound >= 0:
            alarmed += chance[:, : bound + 1].sum(axis=1)
            chance[:, : bound + 1] = 0.0
    return alarmed
