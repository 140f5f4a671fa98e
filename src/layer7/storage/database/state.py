"""The state database: consistent reads, one unit of work for writing, one chain of audit records."""

import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError

from layer7.errors import Layer7Error
from layer7.storage.database import schema, sqlite
from layer7.storage.database.disk import Disk, trouble
from layer7.storage.database.integrity import LOOKED_AT, Mark, faults_of, is_damage

_MIGRATIONS = tuple(sorted((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")))
_GENESIS = "0" * 64
_AUDIT_LOCK = 7_000_001
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to what, when and why: the record that every change of state leaves.

    Args:
        actor: who acts; a reviewer's name, a token's name, or ``layer7`` for the engine itself.
        action: what is done, e.g. ``recommendation.approve``.
        subject: what it is done to, e.g. a recommendation's id; never a person's own id.
        at: when, in UTC.
        why: the reason in the actor's words.
        detail: what a later reader needs besides, as plain JSON values.
    """

    actor: str
    action: str
    subject: str
    at: datetime
    why: str = ""
    detail: Mapping[str, Any] | None = None


class State:
    """The state database of one installation, SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy address.
        audit_key: key of the audit chain, 32 bytes.
        head: file outside the database that remembers the end of the audit chain; whether the database is
            damaged is remembered beside it.
        disk: the disk under the home; None for one of its own.
    """

    def __init__(self, url: str, *, audit_key: bytes, head: Path, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.engine = _engine(url)
        self._reader = self.engine
        if not self.is_sqlite:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._audit_key = audit_key
        self._head = head
        self._mark = Mark(head.with_name("damaged"))
        self._held = threading.local()

    @property
    def is_sqlite(self) -> bool:
        """Whether the state lives in an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    def migrate(self) -> None:
        """Bring the database to this program's schema; a newer database is refused."""
        known = [script.name.partition("_")[0] for script in _MIGRATIONS]
        with self.write() as connection:
            self._alone(connection)
            have = _revision(connection)
            if have == known[-1]:
                return
            if have is not None and have not in known:
                raise Layer7Error(
                    "newer_state",
                    f"The state database is at revision {have}, which this version does not know.",
                    "Install the newer version of layer7 that wrote it.",
                )
            # The library of migrations takes longer to load than most commands run, and is seldom needed.
            import_module("layer7.storage.database.migrations").upgrade(connection)

    @property
    def _file(self) -> Path | None:
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    def look(self) -> None:
        """Look at the database when it is opened, where that takes no time, or where damage was found."""
        small = self._file is not None and self._file.exists() and self._file.stat().st_size <= LOOKED_AT
        if small or self.damaged:
            self.check(thorough=self.damaged)

    @property
    def damaged(self) -> bool:
        """Whether the database was found damaged and not whole since: then nothing is written."""
        return self._mark.set

    def writable(self) -> None:
        """Refuse where nothing may be written.

        Raises:
            Layer7Error: ``state_damaged``; ``disk_failed``.
        """
        if self.damaged:
            raise self._mark.refusal()
        self.disk.writable()

    def check(self, *, thorough: bool = True) -> tuple[str, ...]:
        """Look at every page of the database; what is found, or that nothing is, decides on writing.

        PostgreSQL looks at its own pages when it reads them.

        Args:
            thorough: hold every index against its table too.

        Returns:
            What is wrong; nothing where it is whole.
        """
        with self.disk.told():
            faults = faults_of(self._file, thorough=thorough) if self._file else ()
        if faults:
            self._mark.note(faults)
        else:
            self._mark.take_away()
        return faults

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in words what a damaged database answers, or a full or a failing disk, and remember it."""
        try:
            yield
        except DatabaseError as error:
            known = self.disk.met(error)
            if known is not None:
                raise known from error
            if not is_damage(error):
                raise
            reason = str(error.orig)
            if "not a database" in reason:
                message = "The file in the place of the state database is none."
                raise Layer7Error("state_unreachable", message, "Restore it from a backup.") from error
            if self.is_sqlite:
                self._mark.note([reason])
            raise self._mark.refusal() from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection that sees one consistent moment."""
        held: Connection | None = getattr(self._held, "connection", None)
        if held is not None:
            yield held
            return
        with self._told(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Let all that this thread reads inside be of one moment; one connection serves it all."""
        with self.read() as connection:
            before = self._held.__dict__.copy()
            self._held.connection = connection
            self._held.__dict__.setdefault("seen", {})
            try:
                yield
            finally:
                self._held.__dict__.clear()
                self._held.__dict__.update(before)

    def once(self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        """Read something, but not twice in one :meth:`moment`.

        Args:
            key: its name, of the whole installation.
            read: reads it.
        """
        seen: dict[tuple[str, ...], T] | None = getattr(self._held, "seen", None)
        if seen is None:
            return read()
        if key not in seen:
            seen[key] = read()
        return seen[key]

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction for the log's own bookkeeping; acts of people and engine use :meth:`change`."""
        self.writable()
        try:
            with (
                self._told(),
                self.engine.connect().execution_options(layer7_write=True) as connection,
                connection.begin(),
            ):
                yield connection
        except DatabaseError as error:
            refused = _refused(error)
            if refused is None:
                raise
            raise refused from error

    @contextmanager
    def change(self, act: Act) -> Iterator[Connection]:
        """Open the one unit of work that changes state; change and audit record stand or fall together."""
        with self.write() as connection:
            self._alone(connection)
            yield connection
            end = self._append(connection, act)
        self._remember(end)

    def truncate(self) -> None:
        """Empty the write-ahead log of SQLite, where deleted rows can still be read; waits for nobody.

        Deleted rows of the file itself are overwritten when they are deleted (``secure_delete``).
        """
        if self.is_sqlite:
            with self._told(), self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def join(self, act: Act, within: Connection | None) -> Iterator[Connection]:
        """Go on in the caller's unit of work where there is one, else open one of its own."""
        if within is not None:
            yield within
            return
        with self.change(act) as connection:
            yield connection

    def _alone(self, connection: Connection) -> None:
        """Let one writer at a time go on until its commit, as SQLite does anyway."""
        if not self.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_AUDIT_LOCK)))

    def _remember(self, end: str) -> None:
        """Keep the end of the audit chain outside the database; whole or not at all.

        The change is committed: where the disk has no room any more, the end before it stays there.
        """
        temporary = self._head.with_suffix(f".{secrets.token_hex(8)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(end)
            temporary.replace(self._head)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            known = trouble(error)
            if known is None or known.code != "disk_full":
                raise

    def _append(self, connection: Connection, act: Act) -> str:
        last = connection.execute(
            select(schema.audit.c.id, schema.audit.c.hash).order_by(schema.audit.c.id.desc()).limit(1)
        ).first()
        record = {
            "id": 1 if last is None else last.id + 1,
            "at": act.at.isoformat(),
            "actor": act.actor,
            "action": act.action,
            "subject": act.subject,
            "why": act.why,
            "detail": json.dumps(dict(act.detail or {}), sort_keys=True),
            "previous": _GENESIS if last is None else last.hash,
        }
        digest = self._digest(record)
        connection.execute(schema.audit.insert().values(**record, hash=digest))
        return f"{record['id']} {digest}"

    def _digest(self, record: Mapping[str, Any]) -> str:
        body = json.dumps(record, sort_keys=True, ensure_ascii=True).encode()
        return hmac.digest(self._audit_key, body, hashlib.sha256).hex()

    def audit(self, *, after: int = 0, limit: int = 1000) -> tuple[Mapping[str, Any], ...]:
        """Give audit records in their order.

        Args:
            after: id after which to begin.
            limit: how many at most.
        """
        rows = select(schema.audit).where(schema.audit.c.id > after).order_by(schema.audit.c.id).limit(limit)
        with self.read() as connection:
            return tuple(dict(row) for row in connection.execute(rows).mappings())

    def verify_audit(self) -> int:
        """Check the whole audit chain and give its length.

        Raises:
            Layer7Error: ``audit_broken`` naming the first record that was changed, is missing or was cut off.
        """
        previous, expected = _GENESIS, 0
        hashes: dict[int, str] = {}
        rows = select(schema.audit).order_by(schema.audit.c.id)
        with self.read() as connection:
            for row in connection.execute(rows).mappings():
                expected += 1
                record = {name: row[name] for name in row if name != "hash"}
                if (
                    row["id"] != expected
                    or row["previous"] != previous
                    or row["hash"] != self._digest(record)
                ):
                    raise _broken(f"record {expected} was changed or is missing")
                previous = hashes[expected] = row["hash"]
        remembered = self._head.read_text(encoding="utf-8").split() if self._head.exists() else []
        ends = [f"{number} {digest}".split() for number, digest in hashes.items()]
        if remembered and remembered not in ends:
            raise _broken(f"record {remembered[0]} was once its end and is gone")
        return expected


def _revision(connection: Connection) -> str | None:
    """Give the revision of the database; None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _broken(what: str) -> Layer7Error:
    return Layer7Error(
        "audit_broken",
        f"The audit log does not verify: {what}.",
        "Restore the state database from a backup, and find out who could write to it.",
    )


def _refused(error: DatabaseError) -> Layer7Error | None:
    """Give in words why the database did not do it; None when it was asked for something wrong."""
    reason = str(error.orig).lower()
    if not isinstance(error, OperationalError):
        return None
    if "locked" in reason or "busy" in reason:
        return Layer7Error(
            "state_busy", "The state database is busy; nothing was changed.", "Try again in a moment."
        )
    return Layer7Error(
        "state_unreachable",
        "The state database cannot be used; nothing was changed.",
        "Check that its folder is writable, or that the database server runs.",
    )


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: sqlite.prepare(connection))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("layer7_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
