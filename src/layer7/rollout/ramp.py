"""The ramp of a change: its stages with arms always equal, and where it stands."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.experiments import Experiment
from layer7.contract.fields import Json, NonNegative, Positive, Whole
from layer7.contract.lifecycle import State
from layer7.contract.shapes import Fraction, Identifier, Moment
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.experiments.assignment import coverage_of
from layer7.experiments.plan import CONTROL, control_of

RampState = Literal[State.PENDING, State.RUNNING, State.HOLDING, State.COMPLETED, State.ROLLED_BACK]
"""Where a ramp can stand in its life."""

WIDEST = 0.5
"""Largest share of each arm while both are compared: half of the units."""

SHARES = (0.1, WIDEST)
"""Share of each arm at the stages of specification 11.3; 100 % less the holdback follows."""

STAGE_DAYS = 7.0
FRESH_DAYS = 180.0
HARM_BUDGET = 5.0
"""Lost interviews, as far as they are proven, at which a ramp is taken back whatever its margins accept."""

HOLDBACK = "_holdback"
"""How the name of the experiment that measures a holdback ends."""

_EQUAL = 1e-9


class Stage(Contract):
    """One stage of a ramp."""

    share: Fraction = Field(gt=0, le=WIDEST, description="Share of the units in each arm.")
    days: float = Field(ge=1, description="Days for which it lasts at least.")
    gated: bool = Field(default=True, description="Whether all gates hold it, or its duration alone.")
    approval: bool = Field(default=False, description="Whether a person must approve to leave it.")


class Ramp(Contract):
    """How a change comes into force for more and more units, and how it is taken back."""

    ramp_id: Identifier = Field(description="Its name.")
    experiment_id: Identifier = Field(description="The experiment that measures it.")
    recommendation_id: Identifier | None = Field(default=None, description="What recommended the change.")
    component: Component = Field(description="Whose setting changes.")
    parameter: str = Field(description="Name of the setting.")
    anchor: str = Field(min_length=1, description="Version of the settings that it goes back to.")
    control_value: Json = Field(description="The value before.")
    treatment_value: Json = Field(description="The value tried.")
    stages: tuple[Stage, ...] = Field(min_length=1, description="Its stages before everybody gets it.")
    stage: Whole = Field(default=0, description="Number of the present stage, from 0.")
    state: RampState = Field(default=State.PENDING, description="Where it stands.")
    approved: tuple[Whole, ...] = Field(default=(), description="Stages that a person let it leave.")
    entered_at: Moment | None = Field(default=None, description="When the present stage began.")
    paused: str | None = Field(
        default=None, description="Who holds it where it is, and why; null where nobody does."
    )
    held_by: str | None = Field(default=None, description="The gate that holds it; null where none does.")
    why: str = Field(default="", description="Why it stands where it stands.")
    holdback: Fraction = Field(default=0.05, description="Share of the units that keep the control's value.")
    holdback_id: Identifier | None = Field(default=None, description="The experiment that measures on.")
    harm_budget: NonNegative = Field(default=HARM_BUDGET, description="Most lost interviews it may cost.")
    harm: NonNegative = Field(default=0.0, description="Lost interviews proven so far.")
    version: str | None = Field(default=None, description="Version that brought it to everybody.")
    fresh_until: Moment | None = Field(default=None, description="When its evidence is to be renewed.")
    expired: bool = Field(default=False, description="Whether fresh evidence is asked for.")
    revision: Positive = Field(default=1, description="How often it was written; two writers never both win.")

    @model_validator(mode="after")
    def _grows(self) -> Self:
        shares = [stage.share for stage in self.stages]
        if shares != sorted(set(shares)) or self.stage >= len(shares):
            message = f"stages grow from one to the next, and the present one is among them; came: {shares}"
            raise ValueError(message)
        return self

    @property
    def coverage(self) -> float:
        """Share of the units that take part now, both arms together: 2c."""
        return 2 * self.stages[self.stage].share

    @property
    def is_open(self) -> bool:
        """Whether it still moves by itself: pending, running or holding."""
        return self.state in {State.PENDING, State.RUNNING, State.HOLDING}


def ramp_of(experiment: Experiment, *, anchor: str) -> Ramp:
    """Plan the ramp of an experiment: 10 % in each arm, 50 %, then everybody less the holdback.

    Treatment takes the places [0, c), control [0.5, 0.5 + c) (or the other way round, by the order of the
    variants), c <= 0.5, so nobody ever changes arm. A running experiment goes on from where it is. What no
    person has approved as a recommendation needs approval at every stage.

    Args:
        experiment: the one that measures it, with a control and one treatment of equal shares.
        anchor: the version of the settings to go back to.

    Raises:
        Layer7Error: ``not_rampable`` with other arms; ``no_control``.

    Source:
        Kohavi, Tang and Xu (2020), chapter 15; the layout is that of GrowthBook's safe rollouts.

    Example:
        >>> from layer7.experiments.plan import specified
        >>> small = specified(0).model_copy(update={"coverage": 0.2})
        >>> [stage.share for stage in ramp_of(small, anchor="v1").stages]
        [0.1, 0.5]
    """
    control, treatment = control_of(experiment), _treatment_of(experiment)
    by_hand = experiment.recommendation_id is None
    first = coverage_of(experiment) / 2
    shares = [first, *(share for share in SHARES if share > first + _EQUAL)]
    return Ramp(
        ramp_id=f"ramp_{experiment.experiment_id}",
        experiment_id=experiment.experiment_id,
        recommendation_id=experiment.recommendation_id,
        component=experiment.component,
        parameter=experiment.parameter,
        anchor=anchor,
        control_value=control.value,
        treatment_value=treatment,
        stages=tuple(Stage(share=share, days=STAGE_DAYS, approval=by_hand) for share in shares),
        holdback=min(experiment.holdout, WIDEST),
    )


def _treatment_of(experiment: Experiment) -> Json:
    others = [variant for variant in experiment.variants if variant.variant_id != CONTROL]
    if len(others) != 1 or any(abs(v.allocation - WIDEST) > _EQUAL for v in experiment.variants):
        raise Layer7Error(
            "not_rampable",
            f"{experiment.experiment_id} has no control and treatment of equal shares.",
            "A ramp compares two arms of half each; apply the winner of other experiments by hand.",
        )
    value: Json = others[0].value
    return value


def holdback_of(experiment: Experiment, ramp: Ramp, *, days: float = FRESH_DAYS) -> Experiment:
    """Plan the experiment that measures on after everybody got the change.

    It has the same seed and the same arms, narrowed to the holdback: whoever keeps the control's value had
    it before, and is compared with as many units of the treatment. It may be looked at at any time.

    Args:
        experiment: the one that spoke for the change.
        ramp: its ramp, with a holdback above 0.
        days: for which the evidence counts as fresh.
    """
    return experiment.model_copy(
        update={
            "experiment_id": f"{experiment.experiment_id}{HOLDBACK}",
            "name": f"{experiment.name} (holdback)",
            "seed": experiment.seed or experiment.experiment_id,
            "coverage": 2 * ramp.holdback,
            "coverages": (),
            "maximum_duration_days": int(days),
            "looking": "anytime",
            "status": State.DRAFT,
            "start_date": None,
            "end_date": None,
            "results": None,
            "plan_hash": None,
        }
    )


def stage_interval(stage: Stage) -> timedelta:
    """Give how long a stage lasts at least.

    Args:
        stage: of a ramp.
    """
    return timedelta(days=stage.days)
