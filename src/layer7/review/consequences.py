"""What a decision will do, in plain words, told from the very plan that will be applied."""

from collections.abc import Mapping

from layer7.configuration.catalogue import parameter
from layer7.configuration.versions import canonical_json
from layer7.contract.recommendation import OptimizationRecommendation, SettingsChange
from layer7.contract.vocabulary import Route
from layer7.errors import Layer7Error
from layer7.review.decision import Action, Decision


def consequences(decision: Decision, recommendation: OptimizationRecommendation) -> tuple[str, ...]:
    """Tell what a decision will do: the text that a reviewer sees before deciding.

    Every value and version in it is read from ``recommendation.plan``, which is what will be applied.

    Args:
        decision: what is decided, or would be.
        recommendation: what it is about.

    Returns:
        Sentences, the most important first.

    Raises:
        Layer7Error: ``another_recommendation`` when the decision is about another one; ``plan_missing``
            when the recommendation has no plan; ``unknown_parameter``.
    """
    if decision.recommendation_id != recommendation.recommendation_id:
        raise Layer7Error(
            "another_recommendation",
            f"The decision is about {decision.recommendation_id}, not {recommendation.recommendation_id}.",
            "Tell it with its own recommendation.",
        )
    if recommendation.plan is None:
        raise Layer7Error(
            "plan_missing", "The recommendation has no plan.", "Plan the change before it is decided on."
        )
    return _TOLD[decision.action](decision, recommendation, recommendation.plan)


def _approve(
    _: Decision, recommendation: OptimizationRecommendation, plan: SettingsChange
) -> tuple[str, ...]:
    if recommendation.recommendation is Route.A_B_TEST:
        return (
            (
                f"Nothing changes for everybody yet: an experiment compares {_name(plan)} as it is"
                f" ({_shown(plan, plan.from_value)}) with {_shown(plan, plan.to_value)}."
            ),
            f"Only if its verdict is to ship, {_turn(plan)}.",
        )
    return (f"Next, {_turn(plan)}.", *_safety(recommendation, plan))


def _apply(
    decision: Decision, recommendation: OptimizationRecommendation, plan: SettingsChange
) -> tuple[str, ...]:
    proof = (f"Experiment {decision.proven_by} speaks for it.",) if decision.proven_by else ()
    return (f"Now {_turn(plan)}.", *proof, *_safety(recommendation, plan))


def _reject(decision: Decision, _: OptimizationRecommendation, plan: SettingsChange) -> tuple[str, ...]:
    return (_stays(plan), f"The recommendation is closed for good. The reason that is kept: {decision.why}")


def _send_back(decision: Decision, _: OptimizationRecommendation, plan: SettingsChange) -> tuple[str, ...]:
    return (
        _stays(plan),
        f"The recommendation goes back and may be proposed again. The question that is kept: {decision.why}",
    )


def _roll_back(
    _: Decision, recommendation: OptimizationRecommendation, plan: SettingsChange
) -> tuple[str, ...]:
    return (
        (
            f"{_name(plan)} goes back from {_shown(plan, plan.to_value)} to {_shown(plan, plan.from_value)}"
            f" for {_people(recommendation)}; later changes of other settings stay."
        ),
        "The served value is read back before this counts as rolled back.",
    )


_TOLD = {
    Action.APPROVE: _approve,
    Action.REJECT: _reject,
    Action.SEND_BACK: _send_back,
    Action.APPLY: _apply,
    Action.ROLL_BACK: _roll_back,
}


def _name(plan: SettingsChange) -> str:
    return f"{plan.parameter} of {plan.component}"


def _turn(plan: SettingsChange) -> str:
    return f"{_name(plan)} goes from {_shown(plan, plan.from_value)} to {_shown(plan, plan.to_value)}"


def _stays(plan: SettingsChange) -> str:
    return f"Nothing changes: {_name(plan)} stays at {_shown(plan, plan.from_value)}."


def _safety(recommendation: OptimizationRecommendation, plan: SettingsChange) -> tuple[str, ...]:
    impact = recommendation.impact_estimate
    return (
        f"It concerns {_people(recommendation)}; the risk is rated {impact.risk_level}.",
        (
            f"It is applied to version {plan.from_version} only: if the settings have changed since,"
            " nothing is applied and it must be planned anew."
        ),
        f"Rolling it back gives {_shown(plan, plan.from_value)} again.",
    )


def _people(recommendation: OptimizationRecommendation) -> str:
    count = recommendation.impact_estimate.users_affected
    return "one person" if count == 1 else f"{count} people"


def _shown(plan: SettingsChange, value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {canonical_json(held)}" for name, held in value.items())
    return f"{canonical_json(value)} {parameter(plan.parameter).unit}".rstrip()
