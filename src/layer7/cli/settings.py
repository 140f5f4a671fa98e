"""What the layers run on: ``config show|history|diff|set|rollback|manifest``."""

import json
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
    print_json,
    print_table,
)
from layer7.configuration import CATALOGUE, diff, flag_manifest, parameter, parameters_of
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

config = typer.Typer(help="The settings that the other layers read.", no_args_is_help=True)

ComponentArgument = Annotated[Component, typer.Argument(help="Whose settings.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(config, name="config")


@config.command("show")
def show(
    component: Annotated[Component | None, typer.Argument(help="Whose settings; else all.")] = None,
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the settings in force, with default and meaning."""
    store = opened(home).configs
    versions = [store.active(item) for item in ([component] if component else list(Component))]
    if as_json:
        print_json({item.component: {"version": item.version, **dict(item.content)} for item in versions})
        return
    for version in versions:
        rows = [
            (item.key, version.value(item.key), item.default, item.unit, item.description)
            for item in parameters_of(version.component)
        ]
        title = f"{version.component}  {version.version}"
        print_table(title, ("setting", "value", "default", "unit", "meaning"), rows)


@config.command("history")
def history(component: ComponentArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every move from one version to another, the latest first."""
    moves = opened(home).configs.history(component)
    if as_json:
        print_json([{name: getattr(move, name) for name in type(move).__slots__} for move in moves])
        return
    print_table(
        f"{component}: moves",
        ("at", "kind", "version", "before", "who", "why"),
        [(move.at[:19], move.kind, move.version, move.previous, move.actor, move.why) for move in moves],
    )


@config.command("diff")
def difference(
    component: ComponentArgument,
    old: Annotated[str, typer.Argument(help="A version.", show_default=False)],
    new: Annotated[str | None, typer.Argument(help="Another one; else the one in force.")] = None,
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what differs between two versions."""
    store = opened(home).configs
    after = store.version(component, new) if new else store.active(component)
    found = diff(store.version(component, old), after)
    if as_json:
        print_json([{name: getattr(item, name) for name in type(item).__slots__} for item in found])
        return
    rows = [(item.parameter, item.from_value, item.to_value) for item in found]
    print_table(f"{component}: {old} to {after.version}", ("setting", "from", "to"), rows)


@config.command("set")
def set_value(
    key: Annotated[str, typer.Argument(help="The setting.", show_default=False)],
    value: Annotated[str, typer.Argument(help="Its new value, as JSON.", show_default=False)],
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set one setting by hand; it becomes a new version like any other."""
    wanted = parameter(key)
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    if not why:
        raise Layer7Error("why_missing", "A setting is changed for a reason.", "Say it with --why.")
    version = opened(home).configs.set(
        wanted.component, key, parsed, actor=actor_name(actor), why=why, at=now()
    )
    _moved(version.component, version.version, as_json=as_json)


@config.command("rollback")
def rollback(
    component: ComponentArgument,
    *,
    to: Annotated[str | None, typer.Option("--to", help="A version; else the one before.")] = None,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to an earlier version, and read it back before saying so."""
    version = opened(home).configs.rollback(component, to, actor=actor_name(actor), why=why, at=now())
    _moved(version.component, version.version, as_json=as_json)


def _moved(component: Component, version: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"component": component, "version": version})
    else:
        out.print(f"{component} now runs on [bold]{version}[/].")


@config.command("manifest")
def manifest() -> None:
    """Print the OpenFeature flag manifest of all settings."""
    print_json(flag_manifest())


@config.command("keys")
def keys() -> None:
    """List the names of all settings."""
    for key in CATALOGUE:
        out.print(key, highlight=False)
