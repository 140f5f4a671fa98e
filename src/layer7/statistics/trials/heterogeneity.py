"""Whether an effect differs between parts of the units, and what is believed of it in each part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.many.shrinkage import shrink
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.trials.contrast import Contrast


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """What several parts of the units say of one effect.

    Args:
        p_value: of the effect being the same in all parts.
        effects: in each part, drawn towards the others as far as they are alike.
        intervals: of these.
        spread: standard deviation of the effect between parts.
    """

    p_value: float
    effects: tuple[float, ...]
    intervals: tuple[Interval, ...]
    spread: float


def heterogeneity(parts: Sequence[Contrast], *, scale: float, level: float = 0.95) -> Heterogeneity:
    """Compare an effect between parts of the units.

    Q = Σ w (d - m)² with w = 1 / se² and m the weighted mean is chi-squared with k - 1 degrees of freedom
    where the effect is the same in all k parts. Each part's effect is then shrunk towards the others
    (:func:`layer7.statistics.many.shrinkage.shrink`): the part with the largest estimate is the one that
    chance has flattered most.

    Args:
        parts: the effect in each of two parts or more, with an error above 0.
        scale: how far parts seldom differ, in the effect's unit, above 0.
        level: of the intervals, between 0 and 1.

    Raises:
        Layer7Error: ``too_few_parts``; ``bad_error``; ``not_finite``.

    Source:
        Cochran (1954), Biometrics 10:101-129, section 3; Dixon and Simon (1991), Biometrics 47:871-881, for
        shrinking the effects of subsets.

    Trust:
        From about 20 units per arm and part on. The intervals are of a posterior: of six parts they hold the
        truth in 99 % where parts do not differ, 93 % where they differ by the scale, 90 % by twice the scale.

    Example:
        >>> about = {"standard_error": 0.02, "freedom": np.inf, "n": 500}
        >>> parts = [Contrast(estimate=d, **about) for d in (0.05, 0.0, 0.01)]
        >>> found = heterogeneity(parts, scale=0.02)
        >>> round(found.p_value, 3), [round(effect, 3) for effect in found.effects]
        (0.174, [0.03, 0.013, 0.017])
    """
    if len(parts) < 2:
        raise Layer7Error("too_few_parts", f"{len(parts)} parts of the units.", "Two are the least.")
    effects = np.array([part.estimate for part in parts])
    errors = np.array([part.standard_error for part in parts])
    found = shrink(effects, errors, scale=scale)
    weights = errors**-2.0
    q = float((weights * (effects - np.average(effects, weights=weights)) ** 2).sum())
    low, high = found.effects.interval(level)
    return Heterogeneity(
        p_value=float(special.chdtrc(len(parts) - 1, q)),
        effects=tuple(found.effects.mean.tolist()),
        intervals=tuple(Interval(*ends, level) for ends in zip(low.tolist(), high.tolist(), strict=True)),
        spread=found.spread,
    )
