"""Effects of many kinds, each at many levels, of which most kinds have none at any level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray, column
from layer7.statistics.many.mixture import Mixture

NEXT_TO_NOTHING = 0.04
"""Log odds that a kind without an effect still differs by, as far as nobody minds."""

CENTRE_SCALE = 0.5
SPREAD_SCALE = 0.25
GRID = 41
WORTH = 8.0
"""How many kinds the prior share of those with an effect counts as."""

SHARE = 0.15
_ROUNDS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """One kind of effect at its levels, as estimated.

    Args:
        estimates: one per level, in log odds.
        errors: their standard errors, above 0.
        shared: variance of an error that all of them have in common, 0 or more.
    """

    estimates: FloatArray
    errors: FloatArray
    shared: float = 0.0

    def __post_init__(self) -> None:
        for values in (self.estimates, self.errors):
            column("levels", values)
        if not self.estimates.size or (self.errors <= 0).any() or self.shared < 0:
            raise Layer7Error("bad_error", "No level, or a standard error not above 0.", "Leave these out.")


def sparse_levels(kinds: Sequence[Levels]) -> tuple[Mixture, ...]:
    """Estimate the effects of kinds at their levels, when most kinds have none.

    Level s of kind h is estimated as y ~ N(theta + u, e²), u ~ N(0, shared) the same at all its levels.
    Either the kind has no effect, theta ~ N(0, 0.04²) at all levels; or theta ~ N(mu, tau²) with
    mu ~ N(0, 0.5²) and tau half-normal (0.25), summed out on a grid. How many kinds have one is learned from
    all of them, beginning with three of twenty, worth 8 kinds (EM). With a flat prior in place of that, some
    of many kinds without an effect always stand out.

    Trust it for estimates that are close to normal with known errors, in log odds.

    Args:
        kinds: at least one level each.

    Returns:
        Per kind, what is believed of each level, the chance of no effect summed in.

    Source:
        Mitchell and Beauchamp (1988), JASA 83:1023-1032 (spike and slab); Gelman and others (2013), Bayesian
        Data Analysis, section 5.4, for the levels; Stephens (2017), Biostatistics 18:275-294, for the share.

    Example:
        >>> seen = [([0.5, 0.6], [0.1, 0.1]), ([0.3, 0.0], [0.2, 0.2]), *[([0.1, -0.1], [0.2, 0.2])] * 9]
        >>> found = sparse_levels([Levels(np.array(y), np.array(e)) for y, e in seen])
        >>> [each.mean.round(2).tolist() for each in found[:2]]
        [[0.52, 0.56], [0.02, 0.01]]
    """
    parts = [(_something(each), _nothing(each)) for each in kinds]
    odds = np.array([special.logsumexp(with_it[0]) - without[0] for with_it, without in parts])
    share = SHARE
    for _ in range(_ROUNDS):
        chance = special.expit(odds + special.logit(share))
        share = (chance.sum() + SHARE * WORTH) / (odds.size + WORTH)
    return tuple(
        Mixture.of(
            special.softmax(np.append(with_it[0] + np.log(share), without[0] + np.log1p(-share))),
            np.vstack((with_it[1], without[1])),
            np.vstack((with_it[2], without[2])),
        )
        for with_it, without in parts
    )


def _nothing(kind: Levels) -> tuple[float, FloatArray, FloatArray]:
    """Log likelihood, means and deviations where the kind has no effect."""
    y, e = kind.estimates, kind.errors
    total = e**2 + NEXT_TO_NOTHING**2
    told = 1 + kind.shared * (1 / total).sum()
    common = kind.shared * (y / total).sum() / told
    height = -0.5 * float((np.log(total) + (y - common) * y / total).sum() + np.log(told))
    weight = NEXT_TO_NOTHING**2 / total
    return height, weight * (y - common), NEXT_TO_NOTHING * e / np.sqrt(total)


def _something(kind: Levels) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same where it has one, per spread between levels; heights add up over the prior of the spread."""
    y, e = kind.estimates, kind.errors
    centre = CENTRE_SCALE**2 + kind.shared
    own = CENTRE_SCALE**2 / centre
    spreads = np.linspace(0.0, 4 * SPREAD_SCALE, GRID)[:, None]
    total = e**2 + spreads**2
    precision = (1 / total).sum(axis=1, keepdims=True) + 1 / centre
    middle = (y / total).sum(axis=1, keepdims=True) / precision
    fit = -0.5 * (np.log(total) + y**2 / total).sum(axis=1) + 0.5 * (precision * middle**2)[:, 0]
    prior = special.log_softmax(-0.5 * (spreads[:, 0] / SPREAD_SCALE) ** 2)
    height = fit - 0.5 * np.log(precision[:, 0] * centre) + prior
    pull = e**2 / total
    # Of what all levels have in common, only a part is the kind's own; the rest is the shared error.
    kept = pull - (1 - own)
    deviation = np.sqrt((1 - pull) * e**2 + kept**2 / precision + own * kind.shared)
    return height, kept * middle + (1 - pull) * y, deviation
