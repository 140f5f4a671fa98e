"""What fits one person, why, and what she says herself: ``personalize``, ``explain``."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from importlib import import_module
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
from layer7.errors import Layer7Error
from layer7.insights.explaining import spoken_value
from layer7.insights.words import counted
from layer7.personalization.wishes import FORGET, PAUSED
from layer7.storage.database.state import Act
from layer7.storage.services.explanations import Explanations
from layer7.storage.services.personalized import Personalized

personalize = typer.Typer(help="Settings of one person, and her own word on them.", no_args_is_help=True)

UserArgument = Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)]
FieldArgument = Annotated[str, typer.Argument(help="A field, as `personalize show` lists it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(personalize, name="personalize")
    app.command("explain")(explain)


@personalize.command("show")
def show(user_id: UserArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show a person's settings: what she chose, what was learned, what is everybody's."""
    found = Personalized(opened(home)).of(user_id)
    if found is None:
        raise unknown()
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = [
        (
            name,
            "everybody's" if each.value is None else spoken_value(name, each.value),
            each.origin,
            "" if each.target is None else spoken_value(name, each.target),
            "" if each.interval is None else " to ".join(spoken_value(name, end) for end in each.interval),
            each.n,
        )
        for name, each in found.learned.items()
    ]
    columns = ("field", "value", "origin", "her data say", "95 % interval", "n")
    print_table(f"Settings of {user_id}", columns, rows)
    out.print(f"personalisation: {found.consent}{', paused' if found.paused else ''}", style="dim")


@personalize.command("set")
def set_wish(
    user_id: UserArgument,
    field: FieldArgument,
    value: Annotated[str, typer.Argument(help="What she wishes; lists are separated by semicolons.")],
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a value that a person chose herself; it is served from now on, whatever is learned."""
    _say(user_id, field, value, act=_act(actor, why), options=(home, as_json))


@personalize.command("reset")
def reset(
    user_id: UserArgument,
    field: FieldArgument,
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a chosen value back: what is learned, or everybody's value, holds again."""
    _say(user_id, field, None, act=_act(actor, why), options=(home, as_json))


@personalize.command("pause")
def pause(
    user_id: UserArgument,
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop learning for now: her settings stay as they are, and no letter is written."""
    _say(user_id, PAUSED, value=True, act=_act(actor, why), options=(home, as_json))


@personalize.command("resume")
def resume(
    user_id: UserArgument,
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on learning; what happened meanwhile counts, unless it is forgotten."""
    _say(user_id, PAUSED, None, act=_act(actor, why), options=(home, as_json))


@personalize.command("forget")
def forget(
    user_id: UserArgument,
    item: Annotated[
        str | None, typer.Argument(help="What is not to be learned, as `explain` names it.")
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Forget all that happened from this day on, e.g. 2026-03-02."),
    ] = None,
    again: Annotated[bool, typer.Option("--learn-again", help="Take that back.")] = False,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget one thing that was learned, which is not learned again; or all that happened since a day."""
    if (item is None) == (since is None):
        raise Layer7Error(
            "nothing_named", "Nothing is named to forget, or two things.", "Name ITEM, or --since DAY."
        )
    if since is not None:
        _forget_since(user_id, since, act=_act(actor, why), options=(home, as_json))
        return
    _say(user_id, f"{FORGET}{item}", None if again else True, act=_act(actor, why), options=(home, as_json))


def explain(
    user_id: Annotated[str | None, typer.Argument(help="The person, in your own id.")] = None,
    key: Annotated[str | None, typer.Argument(help="Only this, as the list names it.")] = None,
    *,
    setting: Annotated[
        str | None, typer.Option("--setting", help="Where a served setting came from, back to the log.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain what was learned of a person, or where a served setting came from."""
    found = Explanations(opened(home))
    if setting is not None:
        _walk(found, setting, user_id, as_json=as_json)
    elif user_id is None:
        raise Layer7Error("nothing_to_explain", "Nobody is named.", "Name a person, or --setting KEY.")
    elif key is None:
        _list(found, user_id, as_json=as_json)
    else:
        item = found.item(user_id, key)
        if item is None:
            raise unknown()
        _print(item.model_dump(mode="json"), as_json=as_json)


def _walk(found: Explanations, setting: str, user_id: str | None, *, as_json: bool) -> None:
    walked = found.setting(setting, user_id)
    if as_json:
        print_json(walked.model_dump(mode="json"))
        return
    rows = [(each.step, each.name, each.at, each.words) for each in walked.steps]
    print_table(f"Where {setting} comes from", ("step", "name", "at", "what it says"), rows)


def _list(found: Explanations, user_id: str, *, as_json: bool) -> None:
    learned = found.learned(user_id)
    if learned is None:
        raise unknown()
    if as_json:
        print_json(learned.model_dump(mode="json"))
        return
    out.print(f"[bold]{user_id}[/], personalisation: {learned.consent}", highlight=False)
    for each in learned.items:
        out.print(each.key, style="bold", markup=False, highlight=False)
        for line in (each.words, each.evidence, f"Undo: {each.undo}"):
            out.print(f"  {line}", markup=False, highlight=False)
    if not learned.items:
        out.print("Nothing is learned of this person yet.")
    if learned.forgotten:
        out.print(f"Not learned: {'; '.join(learned.forgotten)}", markup=False, highlight=False)


def _print(item: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    for name, value in item.items():
        if value is not None:
            out.print(f"{name}: {value}", markup=False, highlight=False)


def _say(user_id: str, field: str, value: object, *, act: Act, options: tuple[Any, bool]) -> None:
    home, as_json = options
    said = opened(home).personal.wish(user_id, field, value, act=act)
    if as_json:
        print_json({"user_id": user_id, "field": field, "value": said})
    else:
        out.print(_words(field, said), markup=False)


def _words(field: str, said: Any) -> str:
    """What holds from now on."""
    if field == PAUSED:
        return "Learning is paused; her settings stay as they are." if said else "Learning goes on."
    if field.startswith(FORGET):
        item = field.removeprefix(FORGET)
        return f"{item} is forgotten, and not learned again." if said else f"{item} may be learned again."
    return f"{field} is taken back." if said is None else f"{field} is now {spoken_value(field, said)}."


def _forget_since(user_id: str, since: str, *, act: Act, options: tuple[Any, bool]) -> None:
    home, as_json = options
    try:
        day = date.fromisoformat(since)
    except ValueError as error:
        raise Layer7Error("invalid_date", f"{since!r} is not a day.", "Write it like 2026-03-02.") from error
    # Learning again takes the libraries of tables, which the other commands here do without.
    forgetting = import_module("layer7.nightly.forgetting")
    told = forgetting.forget_since(opened(home), user_id, day, act=act)
    if as_json:
        print_json(asdict(told))
        return
    events, left = counted(told.events, "event"), counted(told.applications, "application")
    out.print(f"Gone since {told.since}: {events}. Left: {left}.")
    nights = counted(told.nights, "night")
    out.print(f"Learned again over {nights}. Letters and figures are made anew by the next night.")


def _act(actor: str, why: str) -> Act:
    return Act(actor_name(actor), "", "", now(), why)


def unknown() -> Layer7Error:
    """Give the error for somebody of whom nothing is known."""
    return Layer7Error(
        "unknown_user", "Nothing is known of this person.", "Check the id; ids are the callers' own."
    )
