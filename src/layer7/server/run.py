"""Running the app: one process, no query strings and no bodies in any log."""

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from socket import socket

import uvicorn
from fastapi import FastAPI

from layer7.server.app import Wiring, create_app
from layer7.server.http.context import Clock
from layer7.server.http.guard import LOOPBACK
from layer7.storage.home import Home


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen.

    Args:
        host: name or address to bind to.
        port: 0 for a free one.
        names: hosts that requests may name besides; ``*`` for any.
    """

    host: str = "127.0.0.1"
    port: int = 8007
    names: tuple[str, ...] = ()


class _Wordless(logging.Filter):
    """Takes the traceback out of uvicorn's error records: its words could hold what a caller sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


_WORDLESS = _Wordless()


def serve(
    home: Home,
    address: Address,
    *,
    clock: Clock,
    wiring: Wiring | None = None,
    started: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve an installation until it is told to stop; what waits is written before it ends.

    Args:
        home: the installation.
        address: where to listen.
        clock: now, in UTC.
        wiring: what it brings besides; its hosts follow from the address.
        started: is told the port once it listens.
    """
    wiring = replace(wiring or Wiring(), hosts=allowed_hosts(address))
    server = server_of(create_app(home, clock=clock, wiring=wiring), address)
    server.started_hook = started
    # What is loaded stays: the collector need not walk through it between two answers.
    gc.freeze()
    server.run()


def allowed_hosts(address: Address) -> frozenset[str] | None:
    """Give the hosts that requests may name; None for any.

    Args:
        address: where the server listens.

    Example:
        >>> sorted(allowed_hosts(Address("10.0.0.5", names=("layer7.example",))))
        ['10.0.0.5', '127.0.0.1', '::1', 'layer7.example', 'localhost']
        >>> allowed_hosts(Address("0.0.0.0", names=("*",))) is None
        True
    """
    return None if "*" in address.names else LOOPBACK | {address.host, *address.names}


class Server(uvicorn.Server):
    """A uvicorn server that tells when it listens, and where."""

    started_hook: Callable[[int], None] = staticmethod(lambda _: None)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self.started_hook(self.servers[0].sockets[0].getsockname()[1])


def server_of(app: FastAPI, address: Address) -> Server:
    """Make the server of an app, for those who run it in a thread of their own.

    Args:
        app: what :func:`layer7.server.app.create_app` made.
        address: where to listen.
    """
    logging.getLogger("uvicorn.error").addFilter(_WORDLESS)
    return Server(
        uvicorn.Config(
            app,
            host=address.host,
            port=address.port,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            log_level="warning",
            timeout_graceful_shutdown=10,
        )
    )
