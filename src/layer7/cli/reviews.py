"""What people decide: ``recommendations``, ``audit``."""

from typing import Annotated, Any

import typer

from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    now,
    opened,
    out,
    print_json,
    print_table,
)
from layer7.contract.recommendation import OptimizationRecommendation, RecommendationState
from layer7.review import Action, consequences, decide, possible_actions
from layer7.storage.decisions.updates import updated
from layer7.storage.people.keys import SHUT

recommendations = typer.Typer(help="What the engine proposes, and what you decide.", no_args_is_help=True)
audit = typer.Typer(
    help="Who did what, when and why; in a chain that shows every change.", no_args_is_help=True
)

IdArgument = Annotated[str, typer.Argument(help="The recommendation's id.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(recommendations, name="recommendations")
    app.add_typer(audit, name="audit")
    for action in (Action.APPROVE, Action.REJECT, Action.SEND_BACK, Action.ROLL_BACK):
        _add_decision(action)


@recommendations.command("list")
def list_recommendations(
    *,
    state: Annotated[
        RecommendationState | None, typer.Option("--state", help="Only those that stand there.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List recommendations, the newest first."""
    found = opened(home).recommendations.list(state=state, limit=limit)
    if as_json:
        print_json([item.model_dump(mode="json") for item in found])
        return
    if not found:
        out.print("No recommendation. The next night may bring one: layer7 nightly")
        return
    print_table(
        "Recommendations",
        ("id, state, route", "setting, and why", "people"),
        [
            (
                f"{item.recommendation_id}\n{item.state}\n{item.recommendation}",
                f"{item.component}.{item.parameter}\n{item.reasoning} Risk: {impact.risk_level}.",
                impact.users_affected,
            )
            for item, impact in ((each, each.impact_estimate) for each in found)
        ],
    )


@recommendations.command("show")
def show_recommendation(
    recommendation_id: IdArgument, *, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show one recommendation with its evidence, the exact plan, and what was decided."""
    store = opened(home).recommendations
    item, history = store.get(recommendation_id), store.decisions(recommendation_id)
    if as_json:
        decided = [{name: getattr(each, name) for name in type(each).__slots__} for each in history]
        print_json(item.model_dump(mode="json") | {"decisions": decided})
        return
    _describe(item)
    if history:
        print_table(
            "Decisions",
            ("at", "who", "what", "why"),
            [(each.at[:19], each.actor, each.action, each.why) for each in history],
        )


def _describe(item: OptimizationRecommendation) -> None:
    evidence = item.evidence
    interval = " to ".join(f"{end:.3g}" for end in evidence.confidence_interval or ())
    out.print(f"[bold]{item.component}.{item.parameter}[/]  {item.state}  ({item.recommendation})")
    out.print(item.reasoning, markup=False)
    print_table(
        "Evidence",
        ("what", "value"),
        [
            (
                evidence.metric_improved,
                f"{_short(evidence.improvement_amount)} ({interval or 'no interval'})",
            ),
            ("n", f"{evidence.sample_size:,}"),
            ("p", _short(evidence.p_value)),
            ("people affected", f"{item.impact_estimate.users_affected:,}"),
            ("benefit", item.impact_estimate.expected_benefit),
            ("risk", item.impact_estimate.risk_level),
            ("what would change this", item.what_would_change_this),
        ],
    )
    if item.plan is not None:
        print_table(
            "The plan",
            ("setting", "from", "to", "from version"),
            [(item.plan.parameter, item.plan.from_value, item.plan.to_value, item.plan.from_version)],
        )
    for action in possible_actions(item.state) if item.state else ():
        if action in {Action.APPROVE, Action.REJECT, Action.SEND_BACK, Action.ROLL_BACK}:
            out.print(f"  layer7 recommendations {_command(action)} {item.recommendation_id}", style="dim")


def _short(value: float | None) -> str:
    return "cannot tell" if value is None else f"{value:.3g}"


def _command(action: Action) -> str:
    return action.value.replace("_", "-")


def _add_decision(action: Action) -> None:
    words = {
        Action.APPROVE: "Approve a recommendation: its very plan is carried out, or put to the test.",
        Action.REJECT: "Reject a recommendation; say why.",
        Action.SEND_BACK: "Send a recommendation back for better evidence; say why.",
        Action.ROLL_BACK: "Take an applied recommendation back; the old value is served again.",
    }

    @recommendations.command(_command(action), help=words[action])
    def decision(
        recommendation_id: IdArgument,
        *,
        why: WhyOption = "",
        actor: ActorOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        installation = opened(home)
        store = installation.recommendations
        shown = store.get(recommendation_id)
        who, at = actor_name(actor), now()
        told = consequences(decide(shown, action, actor=who, at=at, why=why), shown)
        outcome = store.decide(recommendation_id, action, actor=who, why=why, at=at)
        result = updated(outcome, installation.serving)
        if as_json:
            print_json(
                {
                    "recommendation_id": recommendation_id,
                    "state": outcome.recommendation.state,
                    "follows": outcome.follows,
                    "version": outcome.version.version if outcome.version else None,
                    "consequences": list(told),
                    "result": None if result is None else result.model_dump(mode="json"),
                }
            )
            return
        out.print(f"{recommendation_id} is now [bold]{outcome.recommendation.state}[/].")
        for sentence in told:
            out.print(f"  {sentence}", markup=False)
        if outcome.experiment is not None:
            out.print(f"  Its experiment is drafted: {outcome.experiment.experiment_id}.", highlight=False)


@audit.command("verify")
def verify_audit(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check the whole chain of audit records."""
    length = opened(home).state.verify_audit()
    if as_json:
        print_json({"verified": True, "records": length})
    else:
        out.print(f"The audit log verifies: {length:,} records, none changed, none missing.")


@audit.command("list")
def list_audit(
    *,
    after: Annotated[int, typer.Option("--after", help="Begin after this record.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List audit records in their order."""
    records: tuple[Any, ...] = opened(home).state.audit(after=after, limit=limit)
    if as_json:
        print_json([dict(item) for item in records])
        return
    rows = [
        (r["id"], r["at"][:19], r["actor"], r["action"], r["subject"], _readable(r["why"])) for r in records
    ]
    print_table("Audit log", ("id", "at", "who", "what", "to what", "why"), rows)


def _readable(why: str) -> str:
    """Say of words that are sealed with a person's key that they are; her export opens them."""
    return "(sealed with her key)" if why.startswith(SHUT) else why
