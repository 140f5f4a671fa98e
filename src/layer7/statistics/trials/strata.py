"""One comparison out of those of the stages of a ramp, which are never pooled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from layer7.statistics.trials.contrast import Comparison, stratified


def together(parts: Sequence[Comparison], weights: Sequence[float]) -> Comparison:
    """Combines the comparisons of strata with fixed weights.

    Values, difference and effect size are weighted means, their errors those of
    :func:`layer7.statistics.trials.contrast.stratified`. The lift is the combined difference / the combined
    control, with the standard error of the weighted mean of the strata's lifts.

    Args:
        parts: one comparison per stratum, at least one.
        weights: positive, one per stratum, such as the stratum's units.

    Raises:
        Layer7Error: ``bad_weights``.

    Source:
        Crook, Frasca, Kohavi and Longbotham (2009), KDD, section 4.

    Example:
        >>> from layer7.statistics.trials import ArmMoments, MetricKind, compare
        >>> def day(control, treatment):
        ...     def arm(n, k):
        ...         return ArmMoments(n=n, sums=np.array([k]), products=np.array([[k]]))
        ...     return compare(arm(*control), arm(*treatment), kind=MetricKind.SHARE)
        >>> days = [day((990_000, 20_000.0), (10_000, 230.0)), day((500_000, 5_000.0), (500_000, 6_000.0))]
        >>> round(together(days, [1_000_000, 1_000_000]).difference.estimate, 9)
        0.00239899
    """
    difference = stratified([part.difference for part in parts], weights)
    if len(parts) == 1:
        return parts[0]
    share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    control = float(share @ np.array([part.control for part in parts]))
    lifts = [part.lift for part in parts if part.lift is not None]
    sizes = [part.effect_size for part in parts if part.effect_size is not None]
    lift = None
    if control != 0 and len(lifts) == len(parts):
        lift = replace(stratified(lifts, weights), estimate=difference.estimate / abs(control))
    return Comparison(
        control=control,
        treatment=float(share @ np.array([part.treatment for part in parts])),
        difference=difference,
        lift=lift,
        effect_size=float(share @ np.array(sizes)) if len(sizes) == len(parts) else None,
    )
