"""What came of a recommendation (specification 9.1): carried out, put to the test, or left to people."""

from datetime import datetime

from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.settings import UpdateResult
from layer7.contract.vocabulary import Route
from layer7.errors import Layer7Error
from layer7.review import ENGINE, Action
from layer7.storage.decisions.recommendations import Outcome, Recommendations
from layer7.storage.decisions.serving import Serving


def apply_optimization(
    store: Recommendations, serving: Serving, recommendation: OptimizationRecommendation, *, at: datetime
) -> UpdateResult:
    """Apply by itself what needs nobody; everything else waits for people.

    The specification makes an experiment of an ``a_b_test`` at once; here a person approves it first, and the
    approval drafts it, since an experiment is tried on people.

    Args:
        store: the recommendations.
        serving: reads back what is served.
        recommendation: a proposed one.
        at: the present moment, with offset.

    Raises:
        Layer7Error: ``plan_stale`` when the settings have changed since; ``not_served``.
    """
    name = recommendation.recommendation_id
    if name is None or recommendation.recommendation is not Route.AUTO_APPLY:
        said = f"It waits for a person, since its route is {recommendation.recommendation}."
        return UpdateResult(
            success=True, method="manual_review_pending", recommendation_id=name, message=said
        )
    outcome = store.decide(name, Action.APPROVE, actor=ENGINE, why="It needs nobody.", at=at)
    done = updated(outcome, serving)
    if done is None:
        raise Layer7Error("not_served", f"Approving {name} changed nothing.", "Look at its history.")
    return done


def updated(outcome: Outcome, serving: Serving) -> UpdateResult | None:
    """Say what a decision led to; a changed value is read back first. None where nothing followed.

    Args:
        outcome: of the decision.
        serving: reads back what is served.

    Raises:
        Layer7Error: ``not_served`` when another value is served than was applied.
    """
    decided, version = outcome.recommendation, outcome.version
    if outcome.experiment is not None:
        return UpdateResult(
            success=True,
            method="a_b_test_created",
            recommendation_id=decided.recommendation_id,
            experiment_id=outcome.experiment.experiment_id,
        )
    if version is None:
        return None
    served = serving.for_everybody(decided.parameter)
    if served.value != version.value(decided.parameter):
        raise Layer7Error(
            "not_served",
            f"{decided.parameter} was changed, but another value is served.",
            "Somebody changed it at the same moment; look at the history of its component.",
        )
    return UpdateResult.model_validate(
        {
            "success": True,
            "method": "direct_rollout",
            "recommendation_id": decided.recommendation_id,
            "version": version.version,
            "served_value": served.value,
        }
    )


def waiting_for_nobody(store: Recommendations) -> tuple[OptimizationRecommendation, ...]:
    """Give the proposed recommendations that may be applied by themselves, the oldest first.

    Args:
        store: the recommendations.
    """
    proposed = reversed(store.list(state=State.PROPOSED, limit=1_000))
    return tuple(each for each in proposed if each.recommendation is Route.AUTO_APPLY)
