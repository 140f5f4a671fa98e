"""Whether a recommendation is worth a reviewer's time, given what was asked before."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation

QUIET = timedelta(days=28)
"""So long the same question rests after it was answered with no."""

GROWTH = 1.25
"""So much more evidence makes an open or refused question a new one."""


def worth_asking(new: OptimizationRecommendation, earlier: Iterable[OptimizationRecommendation]) -> bool:
    """Decide whether a proposal should be put before people.

    A question about a setting that is still open is not asked again for a slightly different number, and
    one that was refused rests for four weeks; both come back when the evidence has grown by a quarter, and
    an open one also when the settings that it started from have changed.

    Args:
        new: the proposal, with its plan.
        earlier: recommendations made before, of any setting.
    """
    same = (item for item in earlier if (item.component, item.parameter) == (new.component, new.parameter))
    return all(_differs(new, item) for item in same)


def _differs(new: OptimizationRecommendation, old: OptimizationRecommendation) -> bool:
    grown = new.evidence.sample_size >= GROWTH * old.evidence.sample_size
    if old.state in {State.PROPOSED, State.SENT_BACK}:
        stale = bool(new.plan and old.plan and new.plan.from_version != old.plan.from_version)
        return grown or stale
    if old.state == State.REJECTED and new.as_of and old.as_of:
        rested = datetime.fromisoformat(new.as_of) - datetime.fromisoformat(old.as_of) >= QUIET
        return grown or rested
    return True
