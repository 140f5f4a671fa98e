"""A person's rights: ``privacy status``, ``export``, ``import``, ``erase``, and what became of erasures."""

from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from layer7.cli.privacy import privacy
from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    actor_name,
    now,
    opened,
    out,
    print_json,
    print_table,
    progress,
)
from layer7.contract.rights import ErasureReceipt, PersonExport
from layer7.errors import Layer7Error
from layer7.storage.database.state import Act
from layer7.storage.services.portability import Portability
from layer7.storage.services.standing import Standing

Read = TypeVar("Read", bound=BaseModel)
UserArgument = Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)]


def register(_app: typer.Typer) -> None:
    """Add the commands of this module; they have joined ``privacy`` when it was loaded."""


@privacy.command("erase")
def erase(
    user_id: UserArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a person (GDPR 17), and give the receipt; asking again gives the same one."""
    if not yes and not typer.confirm(f"Forget {user_id} for good?"):
        raise Layer7Error("not_confirmed", "Nobody was erased.", "Say --yes.")
    act = Act(actor_name(actor), "command line", "", now())
    receipt = opened(home).erasures.erase(user_id, act=act)
    if as_json:
        print_json(receipt.model_dump(mode="json"))
        return
    out.print(f"{receipt.receipt_id}: erased at {receipt.erased_at}", highlight=False)
    print_table("Rows deleted", ("place", "n"), list(receipt.removed.items()))
    out.print(f"Hidden by now, rewritten by the next night: {', '.join(receipt.waiting)}", highlight=False)
    print_table("What stays", ("what", "why"), list(receipt.kept.items()))


@privacy.command("erasures")
def erasures(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List erasures and how far they have come, the latest first."""
    found = opened(home).erasures.list()
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    rows = [
        (each.receipt.receipt_id, each.receipt.erased_at, each.rewritten_at, each.gone_at) for each in found
    ]
    print_table("Erasures", ("receipt", "erased", "no file in use holds her", "nor any on the disk"), rows)


@privacy.command("rewrite")
def rewrite(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Write the files without the erased now, in place of waiting for the night, and delete the old ones."""
    place = opened(home)
    with place.locks.hold("nightly", wait=0.0), progress("Rewriting", 1.0, quiet=as_json):
        files = place.rewriting.run(at=now(), progress=lambda _: None)
        gone = place.rewriting.settle(at=now(), at_once=True)
    if as_json:
        print_json({"files": files, "erased_from_disk": gone})
        return
    out.print(f"{files} files were rewritten; {gone} erased people are gone from the disk.", highlight=False)


@privacy.command("receipt")
def receipt(
    file: Annotated[Path, typer.Argument(help="A receipt as JSON.", show_default=False)],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a receipt was given by this installation and is unchanged."""
    found = _read(file, ErasureReceipt, "privacy erase")
    opened(home).erasures.check(found)
    if as_json:
        print_json({"receipt_id": found.receipt_id, "genuine": True})
        return
    out.print(f"{found.receipt_id} is genuine.", highlight=False)


@privacy.command("status")
def status(user_id: UserArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what is kept of a person, what it is used for and contributed to, and what she may ask for."""
    found = Standing(opened(home)).of(user_id)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if found.erased_at is not None:
        out.print(f"Forgotten at {found.erased_at}; what follows came after.", highlight=False)
    print_table(
        f"Kept of {user_id}",
        ("what", "used for", "rows"),
        [(kept.holds, kept.used_for, kept.rows) for kept in found.kept],
    )
    print_table(
        "Uses",
        ("purpose", "value", "used"),
        [(use.purpose.replace("_", " "), use.value, "yes" if use.allowed else "no") for use in found.uses],
    )
    for title, lines in (("Part of", found.contributed_to), ("The promise", found.promise)):
        out.print(f"[bold]{title}[/]")
        for line in lines:
            out.print(f"- {line}", highlight=False)
    print_table(
        "What you may ask for", ("right", "command"), [(one.right, one.command) for one in found.rights]
    )


@privacy.command("export")
def export(
    user_id: UserArgument,
    *,
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a person everything that is kept of her (GDPR 15, 20), in a form that can be taken in again."""
    found = Portability(opened(home)).export(user_id, at=now())
    if file is None:
        print_json(found.model_dump(mode="json"))
        return
    file.write_text(found.model_dump_json(indent=1), encoding="utf-8")
    said = {"file": str(file), "events": len(found.events), "places": len(found.kept)}
    if as_json:
        print_json(said)
    else:
        out.print(f"{said['events']:,} events and {said['places']} other places written to {file}")


@privacy.command("import")
def take(
    file: Annotated[Path, typer.Argument(help="What `privacy export` wrote.", show_default=False)],
    *,
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in what another installation gave of a person; the next night learns the same from it."""
    document = _read(file, PersonExport, "privacy export")
    act = Act(actor_name(actor), "", "", now(), "Brought from another installation.")
    summary = Portability(opened(home)).take(document, act=act)
    if as_json:
        print_json(summary.as_json())
        return
    out.print(f"{summary.accepted:,} events taken, {summary.duplicate:,} there before.", highlight=False)


def _read(file: Path, model: type[Read], command: str) -> Read:
    try:
        return model.model_validate_json(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Layer7Error(
            "unreadable_file", f"{file} cannot be read as that.", f"Give the JSON of `{command}`."
        ) from error
