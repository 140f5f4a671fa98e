"""What people, or the engine itself, decide about a recommendation: frozen data from one pure function."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from layer7.contract.lifecycle import ALLOWED, Kind, State, move
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Route
from layer7.errors import Layer7Error

ENGINE = "layer_7"
"""The actor's name when the engine decides by itself."""


class Action(StrEnum):
    """What can be decided about a recommendation."""

    APPROVE = "approve"
    REJECT = "reject"
    SEND_BACK = "send_back"
    APPLY = "apply"
    ROLL_BACK = "roll_back"


class NextStep(StrEnum):
    """What follows a decision."""

    APPLY = "apply"
    EXPERIMENT = "experiment"
    REVISE = "revise"
    NONE = "none"


LEADS_TO = {
    Action.APPROVE: State.APPROVED,
    Action.REJECT: State.REJECTED,
    Action.SEND_BACK: State.SENT_BACK,
    Action.APPLY: State.APPLIED,
    Action.ROLL_BACK: State.ROLLED_BACK,
}
"""The state that each action leads to."""

NEEDS_REASON = frozenset({Action.REJECT, Action.SEND_BACK})
"""Actions that say no, and therefore why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a recommendation, by whom, when and why.

    Args:
        recommendation_id: what it is about.
        action: what was decided.
        actor: who decided; :data:`ENGINE` for the engine itself.
        at: when, with offset.
        why: the reason in the actor's words; empty where none is needed.
        from_state: where the recommendation stood.
        to_state: where it stands now.
        proven_by: the experiment whose verdict carries the decision; None without one.
    """

    recommendation_id: str
    action: Action
    actor: str
    at: datetime
    why: str
    from_state: State
    to_state: State
    proven_by: str | None = None


def possible_actions(state: State) -> tuple[Action, ...]:
    """List what can be decided about a recommendation in a state.

    Args:
        state: where the recommendation stands.

    Example:
        >>> [action.value for action in possible_actions(State.PROPOSED)]
        ['approve', 'reject', 'send_back']
    """
    reachable = ALLOWED[Kind.RECOMMENDATION].get(state, frozenset())
    return tuple(action for action, to in LEADS_TO.items() if to in reachable)


def decide(
    recommendation: OptimizationRecommendation,
    action: Action,
    *,
    actor: str,
    at: datetime,
    why: str = "",
    proven_by: str | None = None,
) -> Decision:
    """Make a decision about a recommendation, or refuse one that is not allowed.

    Args:
        recommendation: what it is about, in its present state.
        action: what is decided.
        actor: who decides; :data:`ENGINE` may approve only what its route lets apply by itself.
        at: when, with offset.
        why: the reason; needed to reject and to send back.
        proven_by: the experiment whose verdict was to ship; needed to apply what goes through a test.

    Raises:
        Layer7Error: ``move_not_allowed`` by the table of states; ``actor_missing``; ``reason_missing``;
            ``naive_time``; ``person_needed``; ``experiment_needed``; ``recommendation_unnamed``.
    """
    name = recommendation.recommendation_id
    if not name:
        raise Layer7Error("recommendation_unnamed", "The recommendation has no name.", "Store it first.")
    to_state = move(Kind.RECOMMENDATION, recommendation.state, LEADS_TO[action])
    _require_form(action, actor=actor, at=at, why=why)
    _require_route(recommendation.recommendation, action, actor=actor, proven_by=proven_by)
    return Decision(
        name, action, actor.strip(), at, why.strip(), recommendation.state, to_state, proven_by or None
    )


def next_step(action: Action, route: Route) -> NextStep:
    """Say what follows a decision; an approved test stays approved until its experiment has ended.

    Args:
        action: what was decided.
        route: how the recommendation may come into force.

    Example:
        >>> next_step(Action.APPROVE, Route.A_B_TEST).value, next_step(Action.APPROVE, Route.AUTO_APPLY).value
        ('experiment', 'apply')
    """
    if action is Action.APPROVE:
        return NextStep.EXPERIMENT if route is Route.A_B_TEST else NextStep.APPLY
    return NextStep.REVISE if action is Action.SEND_BACK else NextStep.NONE


def _require_form(action: Action, *, actor: str, at: datetime, why: str) -> None:
    if not actor.strip():
        raise Layer7Error("actor_missing", "A decision needs to say who makes it.", "Give the actor's name.")
    if action in NEEDS_REASON and not why.strip():
        raise Layer7Error(
            "reason_missing", f"To {action.replace('_', ' ')} needs a reason.", "Say why, in a sentence."
        )
    if at.tzinfo is None:
        raise Layer7Error("naive_time", "The time of the decision has no offset.", "Give it in UTC.")


def _require_route(route: Route, action: Action, *, actor: str, proven_by: str | None) -> None:
    if action is Action.APPROVE and actor.strip() == ENGINE and route is not Route.AUTO_APPLY:
        raise Layer7Error(
            "person_needed",
            f"The engine may not approve what goes through {route}; only {Route.AUTO_APPLY} needs nobody.",
            "Let a person approve it.",
        )
    if action is Action.APPLY and route is Route.A_B_TEST and not proven_by:
        raise Layer7Error(
            "experiment_needed",
            "It goes through an experiment first, and none is named whose verdict was to ship.",
            "Start the experiment, and apply with its name when it has ended well.",
        )
