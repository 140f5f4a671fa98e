"""S8, a fleet: 500 automatic experiments under one budget of false adoptions, most of them without effect."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.experiments.comparison import unknown
from layer7.experiments.decision import decide
from layer7.experiments.design import Plan
from layer7.experiments.information import reaches
from layer7.experiments.plan import specified, started
from layer7.experiments.replication import Runs, run_often
from layer7.experiments.traffic import Traffic
from layer7.rollout.ledger import granted
from layer7.simulation.scoreboard.experiments import Z, market_past, naive_z
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics.trials import Entry, Guarantee

Floats = NDArray[np.float64]

EXPERIMENTS = 500
LIFTS = (0.0, 0.1, 0.25, 0.5, 1.0, -0.25, -0.5)
SHARES = (0.6, 0.075, 0.075, 0.075, 0.075, 0.05, 0.05)
"""What is planted, as shares of the rate, and how often: 30 % real effects of mixed size, 10 % harmful."""

BUDGET = 0.05
_WEEKS = 4
_START = datetime(2026, 1, 5, tzinfo=UTC)
_WORTHWHILE = 0.25
"""Smallest worthwhile effect of each experiment, as a share of the rate."""

_SUFFICIENT, _MEANINGFUL = 200, 0.3


def fleet(people: int, experiments: int, seed: int) -> Mapping[str, Pair]:
    """Run experiments one after another on one log, each with the alpha that the budget has left for it.

    The engine looks weekly, and its own decision ships or keeps the control at the alpha that it was given
    (LORD++). Beside it stand a t-test on applications every night, and the specification's
    `should_auto_rollout`, asked every night.

    Args:
        people: in the market.
        experiments: how many.
        seed: of the dice.
    """
    traffic = market_past(people, seed).traffic(looks=7 * _WEEKS, weeks=_WEEKS)
    rng = np.random.default_rng(seed + 1)
    lift = rng.choice(LIFTS, experiments, p=SHARES)
    shipped, nightly, checked = (np.zeros(experiments, bool) for _ in range(3))
    verdicts = np.zeros(experiments)
    runs = _all_runs(traffic, lift, rng)
    weekly = np.arange(6, 7 * _WEEKS, 7)
    ledger: list[Entry] = []
    plan = _plan(traffic)
    for at in range(experiments):
        alpha = granted(ledger, budget=BUDGET)
        verdicts[at] = _verdict(runs[at], weekly, plan.model_copy(update={"alpha": alpha}))
        shipped[at] = verdicts[at] > 0
        ledger.append(Entry(alpha / 2, None, bool(shipped[at])))
        nightly[at] = (naive_z(runs[at]) > Z).any()
        checked[at] = should_auto_rollout(runs[at]).any()
    return {
        "false": Pair(_share_of(lift <= 0, shipped), _share_of(lift <= 0, nightly)),
        "harmful": Pair(_share_of(shipped, lift < 0), _share_of(nightly, lift < 0)),
        "found": Pair(_share_of(shipped, lift >= 0.5), _share_of(checked, lift >= 0.5)),
        "kept": Pair(_share_of(verdicts < 0, lift <= -0.5), Figure(0.0, float((lift <= -0.5).sum()))),
    }


def _all_runs(traffic: Traffic, lift: Floats, rng: np.random.Generator) -> list[Runs]:
    """One run per experiment, in their order."""
    replicas = Plan(effect=1.0).replicas(traffic)
    shape = traffic.metric.shape
    return [run_often(replicas, shape, effect=each * traffic.rate, runs=1, rng=rng) for each in lift]


def _plan(traffic: Traffic) -> Experiment:
    """Plan an automatic experiment of four weeks; each gets its own alpha."""
    draft = specified(0).model_copy(
        update={"maximum_duration_days": 7 * _WEEKS, "minimum_effect": _WORTHWHILE * traffic.rate}
    )
    return started(draft, _START)


def _verdict(run: Runs, looks: NDArray[np.int64], plan: Experiment) -> float:
    """1 where the engine decides to ship, -1 where it decides to keep the control, else 0."""
    alpha = plan.alpha
    known = run.information()[looks]
    # Information is rounded to tenths and alpha down to two digits, so that bounds serve many experiments.
    digits = 1 - math.floor(math.log10(alpha))
    spent = math.floor(alpha * 10**digits) / 10**digits
    reach = _reach(tuple(np.round(known / known.max(), 1).tolist()), spent)
    for look, errors in zip(looks.tolist(), reach, strict=True):
        now = _START + timedelta(days=look + 1)
        decision = decide(plan, _results(run, look, errors), now=now)
        if decision.is_final:
            return {"ship": 1.0, "keep_control": -1.0}.get(str(decision.verdict), 0.0)
    return 0.0


def _results(run: Runs, look: int, errors: float) -> ExperimentResults:
    """What a look shows, as the decision reads it."""
    arm = int(run.units[0, look] / 2)
    gap, reach = float(run.estimate[0, look]), errors * float(run.error[0, look])
    nothing = unknown(arm, arm, "Too few units.")
    if not math.isfinite(reach):
        return nothing
    winner = "treatment" if gap > reach else "control" if gap < -reach else None
    said = {"absolute_difference": gap, "confidence_interval": (gap - reach, gap + reach), "winner": winner}
    return nothing.model_copy(update={**said, "blocked_by": ()})


@cache
def _reach(known: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    return reaches(known, guarantee=Guarantee.GROUP_SEQUENTIAL, alpha=alpha, planned=1.0)


def should_auto_rollout(run: Runs) -> NDArray[np.bool_]:
    """The specification's six checks on applications, every night: which nights pass (section 6.3)."""
    begun = np.maximum(run.begun[0], 1.0)
    rate = run.events[0] / begun
    spread = np.sqrt(rate * (1 - rate)).mean(axis=1)
    size = (rate[:, 1] - rate[:, 0]) / np.where(spread > 0, spread, np.inf)
    passed: NDArray[np.bool_] = (begun[:, 1] >= _SUFFICIENT) & (size > _MEANINGFUL) & (naive_z(run)[0] > Z)
    return passed


def _share_of(these: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
    return Figure(float((these & among).sum()), float(among.sum()))


_TRIAL = Trial(name="S8 fleet", run=partial(fleet, 1_200, EXPERIMENTS), short=1, full=200)
_T_TEST = "t-test on applications, p < 0.05 on any night"
_RULE = "should_auto_rollout, every night"

MEASURES = tuple(
    Measure(
        scenario="S8", name=f"500 automatic experiments: {name}", unit=Unit.PERCENT, kind=Kind.SHARE,
        mark=mark, naive=naive, trial=_TRIAL, key=key,
    )
    for name, mark, key, naive in (
        ("false ones among the adopted", Mark(high=BUDGET), "false", _T_TEST),
        ("harmful ones shipped", Mark(high=0.001), "harmful", _T_TEST),
        ("effects of half the rate and more adopted", Mark(low=0.5), "found", _RULE),
        ("harm of half the rate proven and stopped", Mark(low=0.5), "kept", _RULE),
    )
)  # fmt: skip
