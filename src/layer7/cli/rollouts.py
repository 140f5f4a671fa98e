"""How far each change may go: ``advance``, ``rollouts``; what proposals have cost and brought: ``ledger``."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    flat,
    now,
    opened,
    out,
    percent,
    print_json,
    print_table,
)
from layer7.contract.lifecycle import State
from layer7.nightly.advancing import advance_all
from layer7.rollout.ramp import Ramp
from layer7.storage.database.state import Act

rollouts = typer.Typer(help="How far each change may go now.", no_args_is_help=True)
RampArgument = Annotated[str, typer.Argument(help="The rollout.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("advance")(advance)
    app.command("ledger")(ledger)
    app.add_typer(rollouts, name="rollouts")


def advance(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Let every ramp go one step on where its gates are open, or take it back; made to run every hour."""
    report = advance_all(opened(home), now())
    if as_json:
        print_json(report)
    else:
        rows = [
            (each["rollout"], each["state"], each.get("gate") or "", _said(each))
            for each in report["rollouts"]
        ]
        print_table(f"{report['moved']} moved", ("rollout", "state", "held by", "why"), rows)
    if report["failed"]:
        raise typer.Exit(1)


def _said(each: dict[str, Any]) -> str:
    return str(each["error"]["message"] if "error" in each else each["why"])


@rollouts.command("list")
def list_rollouts(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List ramps, the newest first."""
    found = opened(home).rollouts.list()
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    rows = [
        (each.ramp_id, each.parameter, each.state.value, _reach(each), each.why, _fresh(each))
        for each in found
    ]
    columns = ("rollout", "setting", "state", "who gets it", "why", "evidence")
    print_table("Rollouts", columns, rows)


def _reach(ramp: Ramp) -> str:
    if ramp.state is State.COMPLETED:
        return f"{1 - ramp.holdback:.0%}"
    begun = ramp.state in {State.RUNNING, State.HOLDING}
    return f"{ramp.stages[ramp.stage].share:.0%}" if begun else "nobody"


def _fresh(ramp: Ramp) -> str:
    if ramp.fresh_until is None:
        return ""
    return "expired" if ramp.expired else f"fresh until {ramp.fresh_until[:10]}"


@rollouts.command("show")
def show(rollout: RampArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show a ramp, where it goes back to, and everything that happened to it."""
    store = opened(home).rollouts
    ramp, history = store.get(rollout), store.history(rollout)
    shown = ramp.model_dump(mode="json")
    if as_json:
        print_json(shown | {"history": history})
        return
    print_table(ramp.ramp_id, ("what", "value"), flat(shown))
    rows = [(each["at"], each["actor"], each["action"], each["why"]) for each in history]
    print_table("History", ("at", "who", "what", "why"), rows)


@rollouts.command("approve")
def approve(
    rollout: RampArgument,
    *,
    actor: ActorOption = "",
    why: WhyOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a ramp leave its present stage, where nothing but your approval is missing."""
    act = Act(actor_name(actor), "rollout.approve", rollout, now(), why)
    _print(opened(home).rollouts.approve(rollout, act=act), as_json=as_json)


@rollouts.command("roll-back")
def roll_back(
    rollout: RampArgument,
    *,
    actor: ActorOption = "",
    why: WhyOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a change back; it counts as rolled back once the old value is what is served."""
    act = Act(actor_name(actor), "rollout.roll_back", rollout, now(), why)
    _print(opened(home).rollouts.roll_back(rollout, act=act), as_json=as_json)


@rollouts.command("pause")
def pause(
    rollout: RampArgument,
    *,
    actor: ActorOption = "",
    why: WhyOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a ramp where it is until you resume it; proven harm still takes it back."""
    act = Act(actor_name(actor), "rollout.pause", rollout, now(), why)
    _print(opened(home).rollouts.pause(rollout, act=act), as_json=as_json)


@rollouts.command("resume")
def resume(
    rollout: RampArgument,
    *,
    actor: ActorOption = "",
    why: WhyOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a paused ramp go on; the next check asks its gates again."""
    act = Act(actor_name(actor), "rollout.resume", rollout, now(), why)
    _print(opened(home).rollouts.resume(rollout, act=act), as_json=as_json)


def _print(ramp: Ramp, *, as_json: bool) -> None:
    if as_json:
        print_json(ramp.model_dump(mode="json"))
    else:
        out.print(f"{ramp.ramp_id} is {ramp.state}. {ramp.why}", highlight=False)


def ledger(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what the engine's own proposals were allowed, what they proved, and how good forecasts were."""
    found = opened(home).rollouts.ledger()
    if as_json:
        print_json(asdict(found) | {"discoveries": found.discoveries})
        return
    rows = [
        (name, f"{entry.alpha:.5f}", entry.p_value, "yes" if entry.is_discovery else "no")
        for name, entry in zip(found.tests, found.alphas, strict=True)
    ]
    print_table(
        "The engine's experiments", ("experiment", "alpha of a benefit", "p of it", "proven better"), rows
    )
    out.print(
        f"Accepted share of false adoptions: {percent(found.budget)}. Given so far: {found.spent:.5f}; "
        f"the next one gets {found.next_alpha:.5f}.",
        highlight=False,
    )
    record = found.forecasts
    slope = "cannot tell yet" if record.shrinkage is None else f"{record.shrinkage:.2f}"
    out.print(
        f"Forecasts kept: {percent(record.coverage)} of {record.n}; "
        f"what came for each unit promised: {slope}. Not scored: {found.unscored}.",
        highlight=False,
    )
    out.print(
        f"Interviews lost, as far as proven: {found.harm:.1f} of {found.harm_budget:.1f}.", highlight=False
    )
