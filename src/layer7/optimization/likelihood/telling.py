"""What a model says, in the shapes of the contract."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from scipy import special

from layer7.analytics.cells.chances import SCALES
from layer7.contract.likelihood import LikelihoodTerm, LikelihoodTest, LikelihoodVerdict, PromisedTenth
from layer7.optimization.likelihood.judging import Contest, Scored
from layer7.optimization.likelihood.model import LikelihoodModel
from layer7.statistics.rates.intervals import Interval, normal_quantile

LEVEL = 0.95
UNITS: Mapping[str, str] = {
    "fit_score": "10 points",
    "resume_score": "10 points",
    "applicants": "2.7 times as many",
    "posting_days": "a week",
}
"""What the slope of each number is per."""


def terms_of(model: LikelihoodModel) -> tuple[LikelihoodTerm, ...]:
    """Give everybody's terms: slopes, then the levels of each property, the best first.

    Args:
        model: the model.
    """
    slopes = [
        _term(name, f"per {UNITS[name]}", value, error, n=None)
        for name, (value, error) in model.slopes.items()
    ]
    levels = [
        _term(name, _level(name, key), effect.value, effect.error, n=effect.n)
        for name, effects in model.effects.items()
        for key, effect in sorted(effects.items(), key=lambda item: (-item[1].value, item[0]))
    ]
    return (*slopes, *levels)


def _level(name: str, key: str) -> str:
    """The key of a level; of a band, from where to where it goes."""
    scale = SCALES.get(name.removesuffix("_band"))
    if scale is None or not name.endswith("_band"):
        return key
    ends, at = scale.bands, int(key)
    if at == 0:
        return f"below {ends[0]:g}"
    return f"{ends[-1]:g} and more" if at == len(ends) else f"{ends[at - 1]:g} to {ends[at]:g}"


def _term(name: str, level: str, value: float, error: float, *, n: int | None) -> LikelihoodTerm:
    reach = normal_quantile(LEVEL) * error
    return LikelihoodTerm(
        property=name,
        level=level,
        log_odds=round(value, 4),
        interval=(round(value - reach, 4), round(value + reach, 4)),
        odds_ratio=round(float(np.exp(value)), 4),
        n=n,
    )


def usual_chance(model: LikelihoodModel) -> float:
    """Give the chance that somebody unknown has for an average job.

    Args:
        model: the model.

    Example:
        >>> round(usual_chance(LikelihoodModel()), 3)
        0.058
    """
    return float(special.expit(model.intercept))


def verdict_of(found: Contest, *, version: str, champion: str) -> LikelihoodVerdict:
    """Give what was decided about a challenger.

    Args:
        found: the contest.
        version: name of the challenger.
        champion: name of the model in use when it was judged.
    """
    test = None
    if found.result is not None and found.cut is not None:
        test = _test(found.result, found.cut)
    return LikelihoodVerdict(
        version=version,
        champion=champion,
        adopted=found.adopted,
        reason=found.reason,
        loss_gain=None if found.loss is None else found.loss.value,
        loss_gain_interval=None if found.loss is None else _ends(found.loss.interval),
        test=test,
    )


def _test(found: Scored, cut: int) -> LikelihoodTest:
    told, order, personal = found.kept, found.order, found.personal
    return LikelihoodTest(
        tested_from=datetime.fromtimestamp(cut, UTC).isoformat(),
        n=found.n,
        events=round(found.events),
        came_to_promised=None if told is None else told.ratio,
        came_to_promised_interval=None if told is None else _ends(told.ratio_interval),
        slope=None if told is None else told.slope,
        slope_interval=None if told is None or told.slope_interval is None else _ends(told.slope_interval),
        calibration_error=found.error,
        tenths=tuple(
            PromisedTenth(promised=part.promised, came=part.came, events=part.events, n=part.n_eff)
            for part in found.tenths
        ),
        within_user_auc=None if order is None else order.new,
        within_user_auc_of_fit=None if order is None else order.old,
        within_user_gain=None if order is None else order.value,
        within_user_gain_interval=None if order is None else _ends(order.interval),
        personal_gain=None if personal is None else personal.value,
        personal_gain_interval=None if personal is None else _ends(personal.interval),
    )


def _ends(span: Interval) -> tuple[float, float]:
    return span.low, span.high
