"""When to follow up: the day by which most of those who answer have answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import scipy
from scipy import special

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.silence.model import SilenceModel, fit_silence
from layer7.statistics.silence.moments import SilenceMoments

LEAST_ANSWERS = 50
LEAST_FOLDS = 6
HALF = 0.5
FARTHEST = 3650.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """After how many days silence makes a follow-up reasonable.

    Args:
        days: by then half of all answers that ever come have come; None while it cannot be told.
        interval: its interval; None with ``days``.
        still: chance that any answer still comes to an application silent until then; None with ``days``.
        current: share of the answers that have come by the day in force; None with ``days``.
        current_interval: its interval; None with ``days``.
        answers: answers it rests on.
        n: applications it rests on.
        needed: about how many more applications are needed; None when enough.
    """

    days: float | None
    interval: Interval | None
    still: float | None
    current: float | None
    current_interval: Interval | None
    answers: int
    n: int
    needed: int | None


def answered_by(model: SilenceModel, days: Column) -> FloatArray | None:
    """Share of the answers that ever come which have come by a day: (pF(t) + rG(t)) / (p + r).

    Args:
        model: the cohort's silence model.
        days: days since submission, not negative.

    Returns:
        One share per day; None while no answer was ever seen.

    Example:
        >>> log = SilenceMoments.from_days(interviews=[3, 9], rejections=[5, 20], silent=[200] * 36)
        >>> answered_by(fit_silence(log), [0, 9, 400]).round(2).tolist()
        [0.0, 0.58, 1.0]
    """
    p, r = model.interview_share, model.rejection_share
    if p + r <= 0:
        return None
    age = column("days", days)
    return (p * model.interview_delay.cdf(age) + r * model.rejection_delay.cdf(age)) / (p + r)


def unseen_answers(model: SilenceModel, days: int) -> FloatArray:
    """How much of a trial for *any answer* a silent application takes off, for ages in whole days.

    As `SilenceModel.unseen_weight` for interviews:
    v(t) = (p(1 - F) + r(1 - G)) / ((p + r)(1 - pF - rG)), at t + 1/2, at most 1.

    Args:
        model: the cohort's silence model.
        days: how many cells, from day 0 on.

    Example:
        >>> log = SilenceMoments.from_days(interviews=[3, 9], rejections=[5, 20], silent=[200] * 36)
        >>> unseen_answers(fit_silence(log), 400)[[0, 20, 399]].round(2).tolist()
        [0.98, 0.19, 0.0]
    """
    ages = np.arange(days) + 0.5
    done = answered_by(model, ages)
    if done is None:
        return model.unseen_by_day(days)
    share = min(model.interview_share + model.rejection_share, 1.0)
    # With every application answered nothing is unseen; rounding must not make it 0 / 0.
    silent = np.maximum(np.maximum(1 - share * done, 1 - done), np.finfo(float).tiny)
    return np.minimum(1.0, (1 - done) / silent)


def follow_up(folds: Sequence[SilenceMoments], current: float, *, level: float = 0.95) -> FollowUp:
    """Finds the day by which half of all answers that ever come have come, from the hazard of answers.

    t solves (pF(t) + rG(t)) / (p + r) = 1/2 in the silence model of all folds, so that answers still to come
    count; its interval is a jackknife of ln t over the folds, which hold different people. By then silence
    is no longer what those who will answer mostly show. That a follow-up brings an answer is not said; only
    an experiment can.

    Trust it from 50 answers on, in at least 6 folds.

    Args:
        folds: disjoint parts of the log, each person's applications in one fold.
        current: the day in force, above 0.
        level: confidence of the intervals.

    Source:
        The model of `layer7.statistics.silence.model`; Efron and Stein (1981), Annals of Statistics
        9:586-596.

    Example:
        >>> dice = np.random.default_rng(1)
        >>> folds = [SilenceMoments.from_days(rejections=np.exp(2 + dice.normal(size=20)), silent=[300] * 30)
        ...          for _ in range(8)]
        >>> told = follow_up(folds, 7.0)
        >>> 6 < told.interval.low < told.days < told.interval.high < 11
        True
    """
    whole = reduce(add, folds, SilenceMoments())
    answers, n = int(whole.interviewed + whole.rejected), int(whole.n)
    filled = [at for at, fold in enumerate(folds) if fold.interviewed + fold.rejected > 0]
    if answers < LEAST_ANSWERS or len(filled) < LEAST_FOLDS:
        short = max(LEAST_ANSWERS - answers, LEAST_ANSWERS / 2)
        return _unknown(answers, n, needed=int(np.ceil(short * (n + 3) / (answers + 1))))
    centre = _told(whole, current)
    parts = (reduce(add, (folds[i] for i in range(len(folds)) if i != at), SilenceMoments()) for at in filled)
    others = np.array([_told(part, current) for part in parts])
    reach = np.sqrt((len(filled) - 1) * others.var(axis=0)) * special.stdtrit(
        len(filled) - 1, (1 + level) / 2
    )
    share = float(np.exp(centre[2]))
    ends = [(float(centre[i] - reach[i]), float(centre[i] + reach[i])) for i in (0, 1)]
    return FollowUp(
        days=float(np.exp(centre[0])),
        interval=Interval(float(np.exp(ends[0][0])), float(np.exp(ends[0][1])), level),
        still=share * (1 - HALF) / max(1 - share * HALF, 1e-12),
        current=float(special.expit(centre[1])),
        current_interval=Interval(float(special.expit(ends[1][0])), float(special.expit(ends[1][1])), level),
        answers=answers,
        n=n,
        needed=None,
    )


def _unknown(answers: int, n: int, *, needed: int) -> FollowUp:
    return FollowUp(
        days=None, interval=None, still=None, current=None, current_interval=None, answers=answers, n=n,
        needed=needed,
    )  # fmt: skip


def _told(moments: SilenceMoments, current: float) -> FloatArray:
    """Ln t, the log odds of the share by the current day, and ln of the share that is ever answered."""
    model = fit_silence(moments, profile=False)
    done = answered_by(model, np.array([current]))
    by_now = 0.5 if done is None else float(np.clip(done[0], 1e-6, 1 - 1e-6))
    share = min(max(model.interview_share + model.rejection_share, 1e-12), 1.0)
    return np.array([np.log(_day(model, HALF)), special.logit(by_now), np.log(share)])


def _day(model: SilenceModel, share: float) -> float:
    def short(log_day: float) -> float:
        done = answered_by(model, np.array([np.exp(log_day)]))
        return share - (0.0 if done is None else float(done[0]))

    low, high = np.log(1e-3), np.log(FARTHEST)
    if short(high) > 0:
        return FARTHEST
    return float(np.exp(scipy.optimize.brentq(short, low, high))) if short(low) > 0 else float(np.exp(low))
