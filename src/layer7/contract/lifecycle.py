"""States and the moves between them: one enum, one table, one function."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from layer7.errors import Layer7Error


class Kind(StrEnum):
    """What has a life of its own."""

    RECOMMENDATION = "recommendation"
    EXPERIMENT = "experiment"
    ROLLOUT = "rollout"


class State(StrEnum):
    """Where something stands in its life."""

    PROPOSED = "proposed"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PENDING = "pending"
    HOLDING = "holding"


_RECOMMENDATION = {
    State.PROPOSED: {State.APPROVED, State.REJECTED, State.SENT_BACK, State.SUPERSEDED},
    State.SENT_BACK: {State.PROPOSED, State.REJECTED, State.SUPERSEDED},
    State.APPROVED: {State.APPLIED, State.REJECTED, State.SUPERSEDED},
    State.APPLIED: {State.ROLLED_BACK},
    State.REJECTED: set[State](),
    State.ROLLED_BACK: set[State](),
    State.SUPERSEDED: set[State](),
}
_EXPERIMENT = {
    State.DRAFT: {State.RUNNING, State.REJECTED},
    State.RUNNING: {State.PAUSED, State.COMPLETED},
    State.PAUSED: {State.RUNNING, State.COMPLETED},
    State.COMPLETED: set[State](),
    State.REJECTED: set[State](),
}
_ROLLOUT = {
    State.PENDING: {State.RUNNING, State.ROLLED_BACK},
    State.RUNNING: {State.HOLDING, State.COMPLETED, State.ROLLED_BACK},
    State.HOLDING: {State.RUNNING, State.COMPLETED, State.ROLLED_BACK},
    State.COMPLETED: {State.ROLLED_BACK},
    State.ROLLED_BACK: set[State](),
}

ALLOWED: Mapping[Kind, Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        kind: MappingProxyType({state: frozenset(to) for state, to in moves.items()})
        for kind, moves in (
            (Kind.RECOMMENDATION, _RECOMMENDATION),
            (Kind.EXPERIMENT, _EXPERIMENT),
            (Kind.ROLLOUT, _ROLLOUT),
        )
    }
)
"""Every allowed move; a state without a row does not belong to that kind."""


def move(kind: Kind, state: State, to: State) -> State:
    """Give the state after a move, or refuse a move that the table does not allow.

    Args:
        kind: what moves.
        state: where it stands now.
        to: where it should go.

    Returns:
        ``to``.

    Raises:
        Layer7Error: ``move_not_allowed`` when the table has no such move.

    Example:
        >>> move(Kind.RECOMMENDATION, State.PROPOSED, State.APPROVED)
        <State.APPROVED: 'approved'>
    """
    allowed = ALLOWED[kind].get(state, frozenset())
    if to not in allowed:
        ways = ", ".join(sorted(allowed)) or "nowhere: it is final"
        raise Layer7Error(
            "move_not_allowed",
            f"A {kind} that is {state} cannot become {to}; from here it may go to: {ways}.",
            f"Look at its present state with `layer7 {kind}s show ID`.",
        )
    return to
