"""Effects within people: what changes from one application of a person to another of the same person.

People differ more than anything that they do, and who applies when, or to what, is no accident. So effects
are read from comparisons of a person with herself: each person has a rate of her own, whatever it is, and
only how her interviews fall among her applications counts.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.within.panels import LEAST_GROUPS, Codes, Panel, by_group, centred, conditional, times

STEPS = 60
SETTLED = 1e-10
TOO_STEEP = 30.0
SAME = 1e-10
"""A column with less than this share of its variance within people does not vary there: that is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class WithinFit:
    """Logarithms of rate ratios within people, and how sure they are.

    Args:
        coefficients: one per column of the design.
        covariance: inverse of the information, times the design effect.
        log_likelihood: the conditional one, less the penalty.
        design_effect: by how much applications of one person, and of one cluster, hang together.
    """

    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float
    design_effect: float

    @property
    def standard_errors(self) -> FloatArray:
        """Square roots of the variances."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance))
        return errors


def fit_within(rows: Panel, *, penalty: float = 0.0) -> WithinFit:
    """Maximum conditional likelihood of rate_i = exp(a_person + x_i b), with a rate for each person.

    The person's own rate drops out: given her k events, they fall on her applications in proportion to
    n_i exp(x_i b). With one event per person this is the conditional logit exactly; with more, it is the
    conditional Poisson likelihood, which needs no more than that the rate is log-linear (rate ratios in
    place of odds ratios; at 4 % they differ by 4 % of their distance from 1 at most).

    The covariance is A⁻¹ with the information A (the penalty's included), times :func:`design_effect`.

    Trust it from about 50 events and 20 people on; it speaks of what people have, not of what they would
    have if they changed.

    Args:
        rows: the applications.
        penalty: takes penalty b² / 2 off the log-likelihood, so that a level without an event stays finite.

    Raises:
        Layer7Error: ``no_fit`` if there are no events, a column does not vary within people, or a
            coefficient runs off.

    Source:
        Chamberlain (1980), Review of Economic Studies 47:225-238, for conditioning on the person;
        Wooldridge (1999), Journal of Econometrics 90:77-97, for counts that are not Poisson.

    Example:
        >>> from layer7.statistics.within.panels import panel
        >>> x = np.array([[0.0], [1.0]] * 40)
        >>> rows = panel(x, [0, 1] * 30 + [1, 0] * 10, np.ones(80), person=np.arange(80) // 2,
        ...              cluster=np.arange(80))
        >>> round(float(np.exp(fit_within(rows).coefficients[0])), 3)
        3.0
    """
    beta, information = _highest(rows, np.zeros(rows.design.shape[1]), penalty)
    height, expected = _penalised(rows, beta, penalty)
    scores = times(centred(rows, expected), rows.events - expected)
    effect = design_effect(scores, information, rows)
    covariance = np.asarray(np.linalg.inv(information) * effect, dtype=np.float64)
    return WithinFit(beta, covariance, height, effect)


def _highest(rows: Panel, start: FloatArray, penalty: float) -> tuple[FloatArray, FloatArray]:
    """Climb by Newton steps, halved while they lead down; gives the summit and the information there."""
    beta = start
    height, expected = _penalised(rows, beta, penalty)
    for _ in range(STEPS):
        slope = rows.design.T @ (rows.events - expected) - penalty * beta
        information = _information(rows, expected) + penalty * np.eye(beta.size)
        step = _solve(information, slope)
        new, then = _penalised(rows, beta + step, penalty)
        while new < height - SETTLED and np.abs(step).max() > SETTLED:
            step = step / 2
            new, then = _penalised(rows, beta + step, penalty)
        beta, height, expected = beta + step, new, then
        if np.abs(beta).max(initial=0.0) > TOO_STEEP:
            raise _no_fit()
        if float(np.abs(slope @ step)) < SETTLED:
            return beta, information
    raise _no_fit()


def _information(rows: Panel, expected: FloatArray) -> FloatArray:
    """Σ μ x x' less what people's own rates take: Σ_u (Σ_{i of u} μ x)(Σ_{i of u} μ x)' / Σ_{i of u} μ."""
    if not rows.people:
        return np.zeros((rows.design.shape[1],) * 2)
    weighted = times(rows.design, expected)
    sums = by_group(weighted, rows.person)
    hits = np.add.reduceat(expected, rows.starts)
    whole, taken = weighted.T @ rows.design, (sums / hits) @ sums.T
    found = np.asarray(whole - taken, dtype=np.float64)
    found[np.diag(found) < SAME * np.diag(whole)] = 0.0
    return found


def _penalised(rows: Panel, beta: FloatArray, penalty: float) -> tuple[float, FloatArray]:
    height, expected = conditional(rows, beta)
    return height - penalty * float(beta @ beta) / 2, expected


def design_effect(scores: FloatArray, information: FloatArray, rows: Panel) -> float:
    """By how much applications that hang together widen intervals: variance against independence, at least 1.

    tr(A⁻¹ V) / q with the information A, q effects and V = S_person + S_cluster - S_both, each S the sum of
    the outer products of its groups' summed scores, times g / (g - 1) for the smaller number g of groups. One
    number for all effects: with some hundred groups a whole matrix V is too noisy for a dozen of effects (its
    inverse rejects too much, and held above A it rejects nothing).

    Args:
        scores: one row per application.
        information: A.
        rows: the applications.

    Source:
        Cameron, Gelbach and Miller (2011), eq. 2.3, for V; Rao and Scott (1981), JASA 76:221-230, section 3,
        for dividing a statistic by the mean of the design effects.

    Example:
        >>> from layer7.statistics.within.panels import panel
        >>> rows = panel(np.zeros((4, 1)), [1, 0, 1, 0], np.ones(4), person=np.array([0, 0, 1, 1]),
        ...              cluster=np.arange(4))
        >>> design_effect(np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.eye(1), rows)
        16.0
    """
    persons, clusters, single = (_outer(scores, codes) for codes in (rows.person, rows.cluster, rows.pair))
    ratio = np.linalg.solve(information, persons + clusters - single)
    mean = float(np.trace(ratio)) / max(scores.shape[1], 1)
    return float(np.maximum(mean * rows.groups / max(rows.groups - 1, 1), 1.0))


def _outer(scores: FloatArray, codes: Codes) -> FloatArray:
    """Σ over groups of the outer product of a group's summed scores."""
    sums = by_group(scores, codes)
    return np.asarray(sums @ sums.T, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinTest:
    """A joint test that some effects are all zero within people.

    Args:
        p_value: probability of such data if they are.
        statistic: the score statistic over its design effect, about χ² with ``effects`` degrees of freedom.
        effects: how many effects are tested.
        groups: people or clusters it rests on, whichever are fewer.
    """

    p_value: float
    statistic: float
    effects: int
    groups: int


def score_test(
    rows: Panel,
    tested: npt.NDArray[np.bool_],
    *,
    penalty: float = 0.0,
    start: FloatArray | None = None,
) -> WithinTest:
    """Tests jointly whether effects are zero, all others in the design being free.

    Score test on the conditional likelihood: with U the score of the q tested columns at their zero, made
    orthogonal to the free ones, A its information and d its :func:`design_effect`, T = U'A⁻¹U / d; T / q is
    held against F(q, g - 1) with g groups. It fits nothing that is tested, so levels without an event do no
    harm.

    Trust it from 20 groups more than effects on. It is held against chance alone, not against what
    else may differ between a person's own applications.

    Args:
        rows: the applications.
        tested: which columns of the design, at least one.
        penalty: as in :func:`fit_within`, on the free effects.
        start: where the free effects may lie, one per column, such as the whole fit's; saves steps.

    Raises:
        Layer7Error: ``no_fit`` if tested columns do not vary within people, or there are too few groups.

    Source:
        Rao (1948) for the score test; Rao and Scott (1981), JASA 76:221-230, for the design effect.

    Example:
        >>> from layer7.statistics.within.panels import panel
        >>> dice = np.random.default_rng(1)
        >>> x = np.column_stack([dice.random(400) < 0.5, dice.random(400) < 0.5]).astype(float)
        >>> rows = panel(x, dice.random(400) < 0.1 + 0.4 * x[:, 0], np.ones(400),
        ...              person=np.arange(400) // 10, cluster=np.arange(400))
        >>> score_test(rows, np.array([True, False])).p_value < 0.001
        True
    """
    beta = np.zeros(tested.size)
    if not tested.all():
        near = np.zeros(int((~tested).sum())) if start is None else start[~tested]
        beta[~tested], _ = _highest(rows.select(~tested), near, penalty)
    groups, effects = rows.groups, int(tested.sum())
    if groups < effects + LEAST_GROUPS:
        raise _no_fit()
    _, expected = conditional(rows, beta)
    spread = centred(rows, expected)
    information = _information(rows, expected)
    turn = _solve(information[np.ix_(~tested, ~tested)], information[np.ix_(~tested, tested)])
    left = spread[:, tested] - spread[:, ~tested] @ turn
    scores, own = times(left, rows.events - expected), times(left, expected).T @ left
    total = scores.sum(axis=0)
    statistic = float(total @ _solve(own, total)) / design_effect(scores, own, rows)
    p_value = float(special.fdtrc(effects, groups - 1, max(statistic, 0.0) / effects))
    return WithinTest(p_value=p_value, statistic=statistic, effects=effects, groups=groups)


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    if matrix.size == 0:
        return np.zeros(right.shape)
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if not np.isfinite(matrix).all() or (scale <= 0).any():
        raise _no_fit()
    scaled = matrix / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e10:
        raise _no_fit()
    found = np.linalg.solve(scaled, (right.T / scale).T)
    return np.asarray((found.T / scale).T, dtype=np.float64)


def _no_fit() -> Layer7Error:
    return Layer7Error(
        "no_fit",
        "Effects within people cannot be told from these applications.",
        "Wait for more interviews of more people, with different values within each.",
    )
