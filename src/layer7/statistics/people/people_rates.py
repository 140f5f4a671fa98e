"""The mean of people's rates in groups, when people differ more than chance alone would make them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.statistics.arrays import Column, FloatArray, column, counts

MOST_ALIKE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class GroupRates:
    """The mean rate of each group of people, on the log odds scale too.

    Args:
        value: mean of the people's rates, 0 to 1.
        log_odds: its log odds, moved off the border where a group has no event or only events.
        error: standard error of the log odds.
        people: people in the group.
        events: events in the group.
        trials: effective trials in the group.
        design: by how much the variance of events / trials exceeds that of independent trials, 1 or more.
        correlation: of two trials of one person, the same in all groups.
    """

    value: FloatArray
    log_odds: FloatArray
    error: FloatArray
    people: FloatArray
    events: FloatArray
    trials: FloatArray
    design: FloatArray
    correlation: float


def within_person_correlation(events: Column, trials: Column, expected: Column) -> float:
    """How alike one person's trials are: rho of the beta-binomial, by moments.

    rho = Σ [(k - nm)² - nm(1 - m)] / Σ n(n - 1) m(1 - m), since E(k - nm)² = nm(1 - m)(1 + (n - 1) rho).
    Trust it from some hundred people on; it is held between 0 and 0.5. Nobody with more than one trial: 0.

    Args:
        events: k, one per person.
        trials: n, one per person, may be fractional.
        expected: m, the mean rate of each person's group, 0 to 1.

    Source:
        Kleinman (1973), JASA 68:46-54, section 3.

    Example:
        >>> within_person_correlation([2, 0, 0, 2], [2, 2, 2, 2], 0.5)
        0.5
    """
    k, n, m = np.broadcast_arrays(
        column("events", events), column("trials", trials), column("expected", expected)
    )
    spread = m * (1 - m)
    pairs = float((n * np.maximum(n - 1, 0) * spread).sum())
    excess = float(((k - n * m) ** 2 - n * spread).sum())
    return min(max(excess / pairs, 0.0), MOST_ALIKE) if pairs > 0 else 0.0


def group_rates(group: npt.NDArray[np.integer], events: Column, trials: Column, *, groups: int) -> GroupRates:
    """Estimate the mean of the people's rates in each group, people weighted by what they tell.

    A person with n effective trials tells n / (1 + (n - 1) rho) independent ones, w of them: the estimate is
    Σ w k/n / Σ w, with variance m(1 - m) / Σ w. With rho = 0 it is the pooled rate, with rho = 1 each person
    counts once. Trust it when how much people apply says little about how well they fare: those who apply
    more weigh more. On the log odds scale only, a group without events has half an event added, in as many
    trials as half an event takes in all groups together.

    Args:
        group: the group of each person, 0 to ``groups`` - 1; negative for none.
        events: k, one per person.
        trials: n, one per person; below half a trial a person is left out.
        groups: how many groups there are.

    Raises:
        Layer7Error: ``bad_counts``; ``not_finite``.

    Source:
        Kleinman (1973), JASA 68:46-54, eq. 2.4.

    Example:
        >>> found = group_rates(np.array([0, 0, 1]), [1, 0, 0], [10, 10, 10], groups=2)
        >>> found.value.round(3).tolist(), found.error.round(2).tolist()
        ([0.05, 0.0], [1.03, 1.43])
    """
    k, n = counts("events", events), counts("trials", trials)
    kept = (group >= 0) & (n >= 0.5)
    place, k, n = group[kept], np.minimum(k[kept], n[kept]), n[kept]

    def summed(values: FloatArray) -> FloatArray:
        return np.bincount(place, values, minlength=groups).astype(np.float64)

    pooled = summed(k) / np.maximum(summed(n), 1e-300)
    rho = within_person_correlation(k, n, pooled[place])
    weight = n / (1 + np.maximum(n - 1, 0) * rho)
    telling, told = summed(weight), summed(weight * k / n)
    overall = float(k.sum() / n.sum()) if k.sum() > 0 else 0.5
    # Half an event in as many trials as it takes at the overall rate: nothing moves where nothing is known.
    at_none, at_all = told <= 0, (told >= telling) & (telling > 0)
    extra = np.where(at_none, max(0.5 / overall, 1.0), np.where(at_all, 1.0, 0.0))
    rate = (told + np.where(at_none, 0.5, np.where(at_all, 0.5, 0.0))) / (telling + extra)
    return GroupRates(
        value=np.clip(told / np.maximum(telling, 1e-300), 0, 1),
        log_odds=np.log(rate / (1 - rate)),
        error=1 / np.sqrt(rate * (1 - rate) * (telling + extra)),
        people=summed(np.ones_like(n)),
        events=summed(k),
        trials=summed(n),
        design=1 + np.maximum(summed(n * n) / np.maximum(summed(n), 1e-300) - 1, 0) * rho,
        correlation=rho,
    )
