"""What the parts of the resume score should weigh (an addition to specification 5.2)."""

from typing import Literal

from pydantic import Field

from layer7.contract.evidence import Evidenced
from layer7.contract.fields import FrozenDict, FrozenMap, Interval, NonNegative, Positive, Whole
from layer7.contract.shapes import Fraction
from layer7.contract.vocabulary import Route


class ComponentWeights(Evidenced):
    """What the parts of the resume score should weigh; n is applications, interval is of the gain."""

    current_weights: FrozenMap[str, float] | None = Field(
        description="Weights in force, as the log shows them; null where the score is no weighted mean of "
        "the parts, or it cannot be told which."
    )
    off_by: NonNegative | None = Field(
        default=None,
        description="Points by which the nearest weighted mean misses the score (root mean square).",
    )
    learned_weights: FrozenMap[str, float] | None = Field(
        description="Weights that predict best within people; null when they cannot be told."
    )
    weight_intervals: FrozenMap[str, Interval] = Field(
        default_factory=FrozenDict, description="Interval of each learned weight."
    )
    suggested_weights: FrozenMap[str, float] = Field(
        default_factory=FrozenDict, description="New weights; empty without proof that they order better."
    )
    recommendation: Literal["update_weights", "keep_current"] = Field(
        description="What to do; without evidence keep."
    )
    route: Route | None = Field(
        default=None, description="How suggested weights may come into force; null where none are suggested."
    )
    improvement_estimate: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="Gain of the area under the curve over the score in force, out of time, within people.",
    )
    within_auc: FrozenMap[Literal["current", "learned"], Fraction] = Field(
        default_factory=FrozenDict, description="Area under the curve within people, out of time, by which."
    )
    users: Positive | None = Field(default=None, description="People whose outcomes were read.")
    left_out: tuple[str, ...] = Field(
        default=(),
        description="Parts without a weight: fewer than half of the applications with parts have them, or "
        "they never differ within people and their weight in force is not known.",
    )
    needed: Whole | None = Field(
        default=None, description="About how many more applications are needed; null when enough."
    )
    answer: str = Field(description="The outcome in one sentence.")
