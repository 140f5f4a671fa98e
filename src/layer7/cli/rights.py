"""A person's rights: ``privacy erase``, ``privacy erasures``, ``privacy rewrite``, ``privacy receipt``."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from layer7.cli.privacy import privacy
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
    progress,
)
from layer7.contract.rights import ErasureReceipt
from layer7.errors import Layer7Error
from layer7.storage.state import Act

UserArgument = Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)]


def register(_app: typer.Typer) -> None:
    """Add the commands of this module; they have joined ``privacy`` when it was loaded."""


@privacy.command("erase")
def erase(
    user_id: UserArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a person (GDPR 17), and give the receipt; asking again gives the same one."""
    if not yes and not typer.confirm(f"Forget {user_id} for good?"):
        raise Layer7Error("not_confirmed", "Nobody was erased.", "Say --yes.")
    act = Act(actor_name(actor), "command line", "", now(), why)
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
    try:
        found = ErasureReceipt.model_validate_json(file.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise Layer7Error(
            "unreadable_file", f"{file} holds no receipt.", "Give the JSON that `privacy erase` printed."
        ) from error
    opened(home).erasures.check(found)
    if as_json:
        print_json({"receipt_id": found.receipt_id, "genuine": True})
        return
    out.print(f"{found.receipt_id} is genuine.", highlight=False)
