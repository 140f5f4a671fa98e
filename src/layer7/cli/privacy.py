"""What people allow, and what is promised to them: ``privacy``."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    home_path,
    now,
    opened,
    out,
    print_json,
    print_table,
)
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.privacy import Consent, may_use
from layer7.storage.database.state import Act
from layer7.storage.people.keys import change_master
from layer7.storage.settings import load_settings

privacy = typer.Typer(help="What people allow, and what is promised to them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(privacy, name="privacy")


@privacy.command("consent")
def consent(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    *,
    said: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="PURPOSE=VALUE, e.g. experiments=no; may be given again.", show_default=False
        ),
    ] = None,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a person allows, and record what she says from now on."""
    house = opened(home)
    if said:
        act = Act(actor_name(actor), "", "", now(), why)
        house.consents.say(user_id, _read(said), act=act, source="command line")
        house.declared.sweep()
    found = house.consents.of(house.keys.person(user_id))
    words = house.consents.history(user_id)
    if as_json:
        history = [{name: getattr(word, name) for name in word.__dataclass_fields__} for word in words]
        print_json({"user_id": user_id, "consent": _holds(found), "history": history})
        return
    since = {word.purpose: f"{word.at[:16]} ({word.source})" for word in words}
    rows = (
        (
            name.replace("_", " "),
            held["value"],
            "yes" if held["allowed"] else "no",
            since.get(name, "default"),
        )
        for name, held in _holds(found).items()
    )
    print_table(f"What {user_id} allows", ("purpose", "value", "used", "since"), rows)


def _holds(found: Consent | None) -> dict[str, Mapping[str, object]]:
    """What holds for each purpose; an unreadable record counts as no."""
    return {
        purpose.value: {
            "value": "unreadable" if found is None else found.value(purpose),
            "allowed": may_use(found, purpose),
        }
        for purpose in Purpose
    }


def _read(said: Iterable[str]) -> dict[Purpose, str]:
    found = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals or name not in Purpose.__members__.values():
            raise Layer7Error(
                "unknown_parameter",
                f"{text!r} is not PURPOSE=VALUE.",
                f"The purposes are: {', '.join(Purpose)}.",
            )
        found[Purpose(name)] = value
    return found


@privacy.command("rotate-keys")
def rotate_keys(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Put a new master key in the place of the old one; stop the server before, and start it again after.

    Where LAYER7_MASTER_KEY is set, it is the new key, and LAYER7_OLD_MASTER_KEY the one before it.
    """
    path = home_path(home)
    settings = load_settings(path)
    if settings.master_key and not settings.old_master_key:
        raise Layer7Error(
            "old_key_missing",
            "The master key comes from the settings, and the one before it is not known.",
            "Set LAYER7_MASTER_KEY to the new key and LAYER7_OLD_MASTER_KEY to the old one.",
        )
    people = change_master(path / "keys", settings.old_master_key, settings.master_key)
    if as_json:
        print_json({"people": people})
        return
    out.print(f"The master key was changed; {people:,} people's keys are wrapped anew.")
