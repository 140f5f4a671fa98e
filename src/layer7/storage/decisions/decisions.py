"""The record of decisions: a recommendation's state moves only together with who moved it, when and why."""

from dataclasses import asdict, dataclass
from typing import Self

from sqlalchemy import Connection, RowMapping, select, update

from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.review import Decision
from layer7.storage.database import schema


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it is kept.

    Args:
        recommendation_id: what it is about.
        action: what was decided; ``supersede`` when a newer proposal took its place.
        actor: who decided.
        at: when, ISO 8601 in UTC.
        why: the reason in the actor's words.
        from_state: where the recommendation stood.
        to_state: where it stood afterwards.
    """

    recommendation_id: str
    action: str
    actor: str
    at: str
    why: str
    from_state: str
    to_state: str

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Give the record of a decision."""
        return cls(
            recommendation_id=decision.recommendation_id,
            action=decision.action.value,
            actor=decision.actor,
            at=decision.at.isoformat(),
            why=decision.why,
            from_state=decision.from_state.value,
            to_state=decision.to_state.value,
        )


def record(connection: Connection, decided: Recorded) -> None:
    """Move a recommendation and keep the decision, inside the caller's unit of work.

    Raises:
        Layer7Error: ``decided_meanwhile`` when the recommendation no longer stands where it stood.
    """
    table = schema.recommendations
    moved = connection.execute(
        update(table)
        .where(table.c.id == decided.recommendation_id, table.c.state == decided.from_state)
        .values(state=decided.to_state, updated_at=decided.at)
    )
    if moved.rowcount != 1:
        raise Layer7Error(
            "decided_meanwhile",
            f"Recommendation {decided.recommendation_id} is no longer {decided.from_state}.",
            "Look at it again.",
        )
    connection.execute(schema.decisions.insert().values(**asdict(decided)))


def read_recommendation(row: RowMapping) -> OptimizationRecommendation:
    """Read a recommendation from its row; the row's state is the one that holds."""
    proposed = OptimizationRecommendation.model_validate_json(row["body"])
    return OptimizationRecommendation.model_validate(proposed.model_dump() | {"state": row["state"]})


def decisions_of(connection: Connection, recommendation_id: str) -> tuple[Recorded, ...]:
    """Give what was decided about a recommendation, the first first."""
    table = schema.decisions
    rows = connection.execute(
        select(table).where(table.c.recommendation_id == recommendation_id).order_by(table.c.id)
    ).mappings()
    return tuple(Recorded(**{name: row[name] for name in Recorded.__slots__}) for row in rows)
