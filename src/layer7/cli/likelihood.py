"""How likely an interview is: the command ``likelihood`` shows the model in use and takes it back."""

from typing import Annotated

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
    percent,
    print_json,
    print_table,
)
from layer7.contract.likelihood import Likelihood, LikelihoodMove, LikelihoodTerm, LikelihoodTest
from layer7.storage.services.likelihood_shown import shown

likelihood = typer.Typer(help="How likely an interview is, and by which model.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(likelihood, name="likelihood")


@likelihood.command("show")
def show(
    *,
    terms: Annotated[
        bool, typer.Option("--terms", help="All terms, not only those that surely do something.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the model in use: its terms, and how its promises for later applications were kept."""
    found = shown(opened(home))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print_model(found)
    listed = found.terms if terms else _sure(found)
    rows = [
        (
            term.property.replace("_", " "),
            term.level or "",
            f"{term.log_odds:+.2f}",
            f"{term.interval[0]:+.2f} to {term.interval[1]:+.2f}",
            f"x {term.odds_ratio:.2f}",
            "" if term.n is None else f"{term.n:,}",
        )
        for term in listed
    ]
    print_table("Terms", ("property", "level", "log odds", "95 % interval", "odds", "n"), rows)


def _print_model(found: Likelihood) -> None:
    since = "before any log" if found.since is None else f"in use since {found.since[:10]}"
    out.print(f"[bold]{found.version}[/], {since}{', held' if found.held else ''}", highlight=False)
    out.print(
        f"Learned from {found.n:,} applications of {found.people:,} people, {found.events:,} interviews; "
        f"somebody unknown has {percent(found.usual_chance)} for an average job",
        highlight=False,
    )
    if found.verdict is None:
        return
    verb = "adopted" if found.verdict.adopted else "not adopted"
    out.print(f"Latest challenger {found.verdict.version}: {verb}, {found.verdict.reason}", highlight=False)
    if found.verdict.test is not None:
        _print_test(found.verdict.test)


def _print_test(test: LikelihoodTest) -> None:
    rows = [
        ("interviews that came / were promised", test.came_to_promised, test.came_to_promised_interval),
        ("slope (1 is perfect)", test.slope, test.slope_interval),
        ("right order within a person, fit score alone", test.within_user_auc_of_fit, None),
        ("right order within a person, the model", test.within_user_auc, None),
        ("gain of the model", test.within_user_gain, test.within_user_gain_interval),
        ("gain by what is learned of single persons", test.personal_gain, test.personal_gain_interval),
    ]
    print_table(
        f"Tested on {test.n:,} applications from {test.tested_from[:10]} on, {test.events} interviews",
        ("what", "value", "95 % interval"),
        [
            (
                name,
                "cannot tell yet" if value is None else f"{value:.3f}",
                "" if span is None else f"{span[0]:.3f} to {span[1]:.3f}",
            )
            for name, value, span in rows
        ],
    )


def _sure(found: Likelihood) -> list[LikelihoodTerm]:
    """Give the slopes, and of the levels those that surely do something."""
    return [term for term in found.terms if term.n is None or term.interval[0] * term.interval[1] > 0]


@likelihood.command("versions")
def versions(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to show.")] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List which models came into use, were refused or taken back, the latest first."""
    found = opened(home).likelihoods.history(limit=limit)
    if as_json:
        print_json([move.model_dump(mode="json") for move in found])
        return
    rows = [(move.id, move.at[:19], move.kind, move.version, move.actor, move.why) for move in found]
    print_table("Models", ("step", "at", "what", "version", "who", "why"), rows)


@likelihood.command("rollback")
def rollback(
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="The model to go back to; else the one before.")
    ] = None,
    why: WhyOption,
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to an earlier model and hold it until it is released."""
    _tell(opened(home).likelihoods.rollback(to, actor=actor_name(actor), why=why, at=now()), as_json=as_json)


@likelihood.command("release")
def release(
    *, why: WhyOption, actor: ActorOption = "", home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Let nights adopt models again after a rollback."""
    _tell(opened(home).likelihoods.release(actor=actor_name(actor), why=why, at=now()), as_json=as_json)


def _tell(move: LikelihoodMove, *, as_json: bool) -> None:
    if as_json:
        print_json(move.model_dump(mode="json"))
    else:
        out.print(f"{move.kind}: {move.version} is in use (before: {move.previous})", highlight=False)
