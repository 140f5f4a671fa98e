"""The stage ``advance``, and the hourly job beside it: what needs nobody is applied, ramps go one step on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.nightly.night import Night, Outcome
from layer7.rollout.ramp import Ramp
from layer7.storage.decisions.updates import apply_optimization, waiting_for_nobody
from layer7.storage.home import Home

_WAIT = 30.0
_TODAY = timedelta(days=1)


def advance(night: Night) -> Outcome:
    """Let ramps go on, or take them back; a night that looks at the past moves nothing."""
    if night.horizon.end + _TODAY < night.clock():
        return Outcome(0, {"answer": "a past night moves nothing"})
    report = advance_all(night.home, night.clock())
    return Outcome(report["moved"], report)


def advance_all(home: Home, at: datetime) -> dict[str, Any]:
    """Apply what needs nobody, and check every ramp once; doing it again at once changes nothing.

    Ramps are opened for experiments that have none yet. One that cannot be moved keeps nobody else waiting:
    its error is reported beside it.

    Args:
        home: the installation.
        at: the present moment, with offset.

    Returns:
        How many ramps moved, how many failed, for each where it stands and why; and what was applied.

    Raises:
        Layer7Error: ``locked`` while another process advances.
    """
    home.erasures.resume(at)
    home.declared.sweep()
    with home.locks.hold("advance", wait=_WAIT):
        applied = [_applied(home, each, at) for each in waiting_for_nobody(home.recommendations)]
        home.rollouts.open_missing(at)
        told = [_one(home, ramp, at) for ramp in home.rollouts.moving()]
    return {
        "moved": sum(each["moved"] for each in told),
        "failed": sum("error" in each for each in (*told, *applied)),
        "rollouts": told,
        "applied": applied,
    }


def _applied(home: Home, waiting: OptimizationRecommendation, at: datetime) -> Mapping[str, Any]:
    try:
        done = apply_optimization(home.recommendations, home.serving, waiting, at=at)
    except Layer7Error as error:
        failure = {"code": error.code, "message": error.message}
        return {"recommendation_id": waiting.recommendation_id, "error": failure}
    return done.model_dump(mode="json", exclude_none=True)


def _one(home: Home, ramp: Ramp, at: datetime) -> Mapping[str, Any]:
    try:
        checked = home.rollouts.advance(ramp.ramp_id, at)
    except Layer7Error as error:
        failure = {"code": error.code, "message": error.message}
        return {"rollout": ramp.ramp_id, "state": ramp.state.value, "moved": False, "error": failure}
    return {
        "rollout": ramp.ramp_id,
        "state": checked.ramp.state.value,
        "stage": checked.ramp.stage,
        "move": checked.step.move.value,
        "gate": checked.step.gate,
        "why": checked.step.why,
        "moved": checked.moved,
    }
