"""The server and who may use it: ``serve``, ``tokens``."""

import socket
from datetime import timedelta
from typing import Annotated

import typer

from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    err,
    home_path,
    now,
    opened,
    out,
    print_json,
    print_table,
)
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.server import run
from layer7.server.installation import wiring
from layer7.server.run import Address
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope
from layer7.storage.home import Home

tokens = typer.Typer(help="Who may use the server: make, list and revoke tokens.", no_args_is_help=True)

_LOOPBACK = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve)
    app.add_typer(tokens, name="tokens")


def serve(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8700,
    host: Annotated[str, typer.Option("--host", help="Address; beyond this machine only on purpose.")] = (
        _LOOPBACK
    ),
    home: HomeOption = None,
) -> None:
    """Serve pages, events and settings; the first start makes a token and prints a ready-to-open address."""
    serve_home(opened(home), port=port, host=host)


def serve_home(home: Home, *, port: int, host: str = _LOOPBACK) -> None:
    """Serve a home folder until it is told to stop; a damaged state is served as far as it can be read."""
    if home.state.check():
        err.print("The state database is damaged and is only read: `layer7 check`.", style="bold red")

    def started(listening: int) -> None:
        address = f"http://{host}:{listening}/"
        if home.tokens.list():
            out.print(f"Serving at [bold]{address}[/]", highlight=False)
            out.print("Your token opens it; a new one: layer7 tokens create NAME --scope admin", style="dim")
            return
        act = Act("layer7", "token.create", "", now(), "the first start")
        secret, _ = home.tokens.create("first start", [Scope.ADMIN], act=act)
        out.print("Serving. Open this address; its token is shown only this once:")
        out.print(f"{address}?token={secret}", style="bold", highlight=False, soft_wrap=True)

    address = Address(host, _free(host, port))
    run.serve(home, address, clock=now, wiring=wiring(home, now), started=started)


def _free(host: str, port: int) -> int:
    """Give the port, after trying it; a free one for 0."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Layer7Error(
                "port_taken", f"Port {port} at {host} cannot be used.", "Name another one with --port."
            ) from error
        return int(probe.getsockname()[1])


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="Who or what will hold it.", show_default=False)],
    *,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; may be given again.")],
    component: Annotated[
        Component | None, typer.Option("--component", help="The one component whose flags it may read.")
    ] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="Void after so many days.")] = None,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token; its secret is shown only this once."""
    at = now()
    secret, token = opened(home).tokens.create(
        name,
        scope,
        act=Act(actor_name(actor), "token.create", "", at, why),
        component=component,
        expires_at=at + timedelta(days=days) if days else None,
    )
    if as_json:
        print_json({"id": token.id, "token": secret, "scopes": sorted(token.scopes)})
    else:
        out.print(secret, highlight=False, soft_wrap=True)


@tokens.command("list")
def list_tokens(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List tokens without their secrets."""
    found = opened(home).tokens.list()
    rows = [
        (item.id, item.name, " ".join(sorted(item.scopes)), item.component, item.expires_at, item.revoked_at)
        for item in found
    ]
    names = ("id", "name", "scopes", "component", "expires", "revoked")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(f"Tokens of {home_path(home)}", names, rows)


@tokens.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="The token's id.", show_default=False)],
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a token, from this moment on."""
    at = now()
    opened(home).tokens.revoke(token_id, actor=actor_name(actor), why=why, at=at)
    if as_json:
        print_json({"id": token_id, "revoked": at.isoformat()})
    else:
        out.print(f"{token_id} is revoked.")
