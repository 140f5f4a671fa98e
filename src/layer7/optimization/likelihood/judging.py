"""Is a model good enough to be used, and not worse than the one in use: told on applications it never saw."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from layer7.analytics.cells.chances import Chances
from layer7.optimization.likelihood.model import PROPERTIES, LikelihoodModel
from layer7.optimization.likelihood.training import own_terms, train, trained
from layer7.statistics.chances.background import LEAST_PEOPLE
from layer7.statistics.chances.forecasts import (
    LEAST_EVENTS,
    Kept,
    LossGain,
    Promises,
    Tenth,
    calibration_error,
    kept,
    loss_gain,
    tenths,
)
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.within.auc import AucGain, auc_gain
from layer7.statistics.within.panels import panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TESTED_SHARE = 0.2
"""The latest interviews, by time of submission, that a model is tested on."""

LEAST_LEARNED = 80.0
"""Interviews that a model is learned from before it can be adopted."""

MOST_WORSE = 0.005
"""Share of the loss, and of the area within people, that a challenger may cost at most."""

TOLERATED = (0.8, 1.25)
"""Where the ratio of came to promised, and the slope, may lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of a model's promises.

    Args:
        kept: whether they were kept; None below 20 interviews.
        error: equal-mass calibration error.
        tenths: promised and came by tenths of the applications.
        order: area within people of the whole model against the fit score alone; None while it cannot be
            told.
        personal: area within people with leanings of the persons against without; None likewise.
        n: applications they were for.
        events: interviews among them.
        people: people among them.
    """

    kept: Kept | None
    error: float
    tenths: tuple[Tenth, ...]
    order: AucGain | None
    personal: AucGain | None
    n: int
    events: float
    people: int


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """A challenger against the model in use, on the same later applications.

    Args:
        served: the challenger, learned from everything.
        tested: the same learned from before the cut.
        cut: seconds since 1970 from which on applications were held out; None while there is no such cut.
        result: what came of the challenger's promises; None likewise.
        loss: of its loss against that of the model in use; None likewise.
        order: its area within people against that of the model in use; None while it cannot be told.
        adopted: whether it is better than nothing and not worse than what is in use.
        reason: why, in words.
    """

    served: LikelihoodModel
    tested: LikelihoodModel
    cut: int | None
    result: Scored | None
    loss: LossGain | None
    order: AucGain | None
    adopted: bool
    reason: str


def cut_of(chances: Chances) -> int | None:
    """Give the moment from which on a fifth of all interviews were applied for; None below 100 in all.

    Args:
        chances: the applications.
    """
    rows = chances.attempts
    sent = np.sort(chances.sent[rows.events > 0])
    if sent.size < LEAST_LEARNED + LEAST_EVENTS:
        return None
    return int(sent[int(sent.size * (1 - TESTED_SHARE))])


def split(chances: Chances, cut: int) -> tuple[Chances, Chances]:
    """Give the applications sent before a moment and those sent from then on.

    Args:
        chances: the applications.
        cut: seconds since 1970.
    """
    before, after = np.flatnonzero(chances.sent < cut), np.flatnonzero(chances.sent >= cut)
    return _part(chances, before), _part(chances, after)


def _part(chances: Chances, rows: Ints) -> Chances:
    return replace(chances, attempts=chances.attempts.take(rows), sent=chances.sent[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Promised log odds of applications.

    Args:
        shared: by everybody's terms and the person's average.
        whole: with the leanings of the person, where the model uses them.
        leaning: of the person to the levels of each application.
    """

    shared: Floats
    whole: Floats
    leaning: Floats


def scores(model: LikelihoodModel, known: Chances, asked: Chances) -> Scores:
    """Promise chances, knowing of each person what was sent before.

    Args:
        model: everybody's terms.
        known: earlier applications of the same people.
        asked: applications to promise for, their people and levels numbered alike.
    """
    own = own_terms(model, known)
    rows = asked.attempts
    # ``value`` holds the cohort's effect, and so does the offset.
    shared = model.intercept + model.offset(asked) + (own.value - own.cohort)[rows.person]
    leaning = np.zeros(len(rows))
    found = own.leanings
    for place, name in enumerate(PROPERTIES):
        size = len(asked.keys[name]) + 1
        table = np.zeros(asked.people.size * size)
        here = found.cells.place == place
        table[found.cells.person[here] * size + found.cells.level[here]] = found.value[here]
        codes = rows.levels[name]
        leaning += np.where(codes >= 0, table[rows.person * size + codes], 0.0)
    return Scores(shared, shared + leaning if model.personal else shared, leaning)


def contest(chances: Chances, *, trained_to: int, champion: LikelihoodModel) -> Contest:
    """Learn a challenger, test it on later applications, and decide whether it is adopted.

    It is learned once from what was sent before the cut and tested on what was sent from then on, and once
    from everything; the second is served. Adopted if (1) there are 80 interviews before the cut, and 20 of
    at least 20 applicants after it, (2) it is not proven that its promises are broken (ratio of came to
    promised, and slope, have intervals that reach 0.8 to 1.25), and (3) either it is proven that neither its
    loss nor its area within people is worse than that of the model in use by more than 0.005, or one of
    them is proven to be better and the other is no worse on average. Leanings of single people are used
    unless they order worse than without on average.

    Args:
        chances: applications of some people, all of theirs.
        trained_to: the end of the night, seconds since 1970.
        champion: the tested form of the model in use; it never saw what was sent from its own cut on.
    """
    cut = cut_of(chances)
    if cut is None:
        everything = train(chances, trained_to=trained_to)
        reason = f"cannot tell yet: {LEAST_LEARNED + LEAST_EVENTS:.0f} interviews are needed"
        return Contest(everything, everything, None, None, None, None, adopted=False, reason=reason)
    before, after = split(chances, cut)
    model, basis = trained(before, trained_to=cut)
    everything, _ = trained(chances, trained_to=trained_to, start=basis)
    mine, theirs = scores(model, before, after), scores(champion, before, after)
    personal = _order(after, mine.shared, mine.shared + mine.leaning)
    used = personal is None or personal.value >= 0
    whole = mine.shared + mine.leaning if used else mine.shared
    promises, rival = _promises(after, whole), _promises(after, theirs.whole)
    result = Scored(
        kept=kept(promises),
        error=calibration_error(promises),
        tenths=tenths(promises),
        order=_order(after, after.attempts.numbers["fit_score"], whole),
        personal=personal,
        n=len(after.attempts),
        events=float(after.attempts.events.sum()),
        people=int(np.unique(after.attempts.person).size),
    )
    loss, order = loss_gain(rival, promises), _order(after, theirs.whole, whole)
    adopted, reason = verdict(result, loss, order)
    return Contest(
        served=replace(everything, personal=used),
        tested=replace(model, personal=used),
        cut=cut,
        result=result,
        loss=loss,
        order=order,
        adopted=adopted,
        reason=reason,
    )


def verdict(result: Scored, loss: LossGain, order: AucGain | None) -> tuple[bool, str]:
    """Decide whether a challenger is adopted, and say why.

    Args:
        result: what came of its promises.
        loss: its loss against that of the model in use.
        order: its area within people against that of the model in use.
    """
    told = result.kept
    if result.people < LEAST_PEOPLE:
        return False, f"cannot tell yet: {result.people} people after the cut, {LEAST_PEOPLE} are needed"
    if told is None:
        return False, f"cannot tell yet: {result.events:.0f} interviews after the cut, 20 are needed"
    spans = {"came to promised": told.ratio_interval, "slope": told.slope_interval}
    for name, span in spans.items():
        if span is not None and (span.high < TOLERATED[0] or span.low > TOLERATED[1]):
            return False, f"not calibrated: {name} is {span.low:.2f} to {span.high:.2f}, not 0.8 to 1.25"
    words = _words(loss, order)
    better = loss.interval.low > 0 or (order is not None and order.interval.low > 0)
    on_average = loss.value >= 0 and (order is None or order.value >= 0)
    as_good = loss.interval.low >= -MOST_WORSE and (order is None or order.interval.low >= -MOST_WORSE)
    if as_good or (better and on_average):
        return True, f"calibrated, and {'better' if better else 'not worse'} than the model in use: {words}"
    return False, f"that it is worse than the model in use cannot be excluded: {words}"


def _words(loss: LossGain, order: AucGain | None) -> str:
    """The two comparisons in words."""
    said = f"{100 * loss.value:+.2f} % of the loss ({_span(loss.interval, 100)})"
    if order is None:
        return said
    return f"{said}, {order.value:+.4f} of the area within persons ({_span(order.interval, 1)})"


def _span(interval: Interval, scale: float) -> str:
    digits = 2 if scale > 1 else 4
    return f"{scale * interval.low:+.{digits}f} to {scale * interval.high:+.{digits}f}"


def _promises(asked: Chances, log_odds: Floats) -> Promises:
    rows = asked.attempts
    return Promises(log_odds, rows.events, rows.trials, rows.person)


def _order(asked: Chances, old: Floats, new: Floats) -> AucGain | None:
    rows = asked.attempts
    codes = rows.levels.get("company", np.full(len(rows), -1))
    cluster = np.where(codes >= 0, codes, -1 - np.arange(len(rows)))
    held = panel(np.zeros((len(rows), 1)), rows.events, rows.trials, person=rows.person, cluster=cluster)
    return auc_gain(held, old[held.kept], new[held.kept], who=rows.person[held.kept])
