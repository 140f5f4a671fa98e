"""Keys live in a folder of their own, outside the backup set: destroying a person's key erases her words.

``master.key`` (or ``LAYER7_MASTER_KEY``) is the root; every purpose's key is derived from the first one and
kept sealed, so that the master key can be changed without renaming anybody. ``keys.db`` holds these, one
random key per person, wrapped, and her own id sealed under it, so that an answer can speak in the caller's
ids while tables and logs hold pseudonyms only.
"""

import base64
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from layer7.errors import Layer7Error
from layer7.privacy import Pseudonym, bucket_of, derive_key, open_sealed, seal
from layer7.storage.database.disk import Disk
from layer7.storage.database.durable import draft, flush
from layer7.storage.database.integrity import faults_of, legible
from layer7.storage.database.sqlite import prepare
from layer7.storage.people.tombstones import Tombstones

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS person (
        name TEXT PRIMARY KEY, wrapped BLOB NOT NULL, sealed_id BLOB NOT NULL
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS root (purpose TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID",
)
_DATABASE = "keys.db"
_NEXT = "master.next"
_PURPOSES = ("learning", "quarantine", "audit", "release", "audit-name", "fairness")
_AT_ONCE = 500
SHUT = "sealed:"
"""How words begin that are sealed with a person's own key."""

_REMEMBERED = 500_000


class Keys:
    """The keys of one installation.

    Args:
        folder: the keys folder; made with access for its owner only.
        master_hex: the master key as hex digits; empty means the file ``master.key``, made when missing.
        buckets: how many storage buckets the installation has.
        disk: the disk under the home; None for one of its own.
    """

    def __init__(self, folder: Path, master_hex: str, *, buckets: int, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._path = folder / _DATABASE
        # SQLite gives its journal the mode of its database.
        self._path.touch(mode=0o600)
        if not master_hex:
            _finish_change(folder)
        master = _master(folder / "master.key", master_hex)
        self._buckets = buckets
        self._wrapping = derive_key(master, "wrapping")
        self._opened = threading.local()
        with self._in_use() as database:
            roots = _roots(database, master)
        self._learning, self.audit_name, self.fairness = (
            Pseudonym(roots[name]) for name in ("learning", "audit-name", "fairness")
        )
        self.quarantine, self.audit, self.release = (
            roots[name] for name in ("quarantine", "audit", "release")
        )
        self.tombstones = Tombstones(folder / "tombstones", self._disk)
        self._known: dict[str, str] = {}
        self._known_beside = self.tombstones.all()

    def _open(self) -> sqlite3.Connection:
        """Give this thread's connection; opened anew in another process, or when the file is another one."""
        found = self._path.stat()
        stamp = (os.getpid(), found.st_dev, found.st_ino)
        held: _Held | None = getattr(self._opened, "held", None)
        if held is None or held.stamp != stamp:
            held = self._opened.held = _Held(open_keys(self._path), stamp)
        return held.database

    @contextmanager
    def _in_use(self) -> Iterator[sqlite3.Connection]:
        with self._disk.told(), legible(self._path), self._open() as database:
            yield database

    def check(self) -> tuple[str, ...]:
        """Look at every page of the keys; gives what is wrong."""
        return faults_of(self._path)

    def person(self, user_id: str) -> str:
        """Give the pseudonym of a person, whether or not she is known yet.

        Whoever comes again after an erasure is somebody new: the next name in a chain that the key links.
        """
        return self._chain(user_id)[-1]

    def _chain(self, user_id: str) -> list[str]:
        """Give the names that a person had and lost, and last the one that she has."""
        erased, names = self.tombstones.all(), [self._learning.of(user_id)]
        while names[-1] in erased:
            # No id holds a NUL, so nobody else can have this name.
            names.append(self._learning.of(f"{user_id}\0{len(names)}"))
        return names

    def former(self, user_id: str) -> str | None:
        """Give the name that a person had before she was last erased; None for one who never was."""
        names = self._chain(user_id)
        return names[-2] if len(names) > 1 else None

    def links(self) -> frozenset[str]:
        """Give those old names by which people who have come again are found; this opens every id."""
        with self._in_use() as database:
            present = [name for (name,) in database.execute("SELECT name FROM person")]
        ids = self.user_ids(present).values() if self.tombstones.all() else ()
        return frozenset(name for user_id in ids for name in self._chain(user_id)[:-1])

    def erased(self, user_ids: Iterable[str]) -> Mapping[str, datetime]:
        """Give when people were last erased, by their own ids; those who never were are left out."""
        erased = self.tombstones.all()
        if not erased:
            return {}
        chains = ((user_id, self._chain(user_id)) for user_id in user_ids)
        return {user_id: erased[names[-2]] for user_id, names in chains if len(names) > 1}

    def destroy(self, person: str) -> bool:
        """Destroy a person's key, and her id with it; gives whether there was one.

        Her tombstone has to be there before, so that nobody makes the key again meanwhile.
        """
        self._disk.writable()
        with self._in_use() as database:
            gone = database.execute("DELETE FROM person WHERE name = ?", [person]).rowcount
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return bool(gone)

    def bucket(self, person: str) -> int:
        """Give the storage bucket of a pseudonym."""
        return bucket_of(person, self._buckets)

    def admit(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Give the pseudonym of each person, making a key for those who come for the first time.

        Args:
            user_ids: the callers' own ids.
        """
        wanted, erased = list(user_ids), self.tombstones.all()
        if erased is not self._known_beside:
            self._known, self._known_beside = {}, erased
        people = {user_id: self.person(user_id) for user_id in wanted if user_id not in self._known}
        if people:
            self._meet(people)
            if len(self._known) > _REMEMBERED:
                self._known = {}
            self._known |= people
        known = self._known
        return {user_id: known.get(user_id) or self.person(user_id) for user_id in wanted}

    def _meet(self, people: Mapping[str, str]) -> None:
        """Make keys for those who have none yet."""
        with self._in_use() as database:
            found = self._wrapped(database, people.values())
            new = [(user_id, name) for user_id, name in people.items() if name not in found]
            if new:
                self._disk.writable()
                keys = [secrets.token_bytes(32) for _ in new]
                rows = [
                    (name, seal(self._wrapping, key.hex()), seal(key, user_id))
                    for (user_id, name), key in zip(new, keys, strict=True)
                ]
                database.execute("BEGIN IMMEDIATE")
                erased = self.tombstones.all()
                kept = [row for row in rows if row[0] not in erased]
                database.executemany("INSERT OR IGNORE INTO person VALUES (?, ?, ?)", kept)
                database.execute("COMMIT")

    def user_ids(self, people: Iterable[str]) -> Mapping[str, str]:
        """Give the callers' own ids of pseudonyms; erased people are left out."""
        with self._in_use() as database:
            wrapped = self._wrapped(database, people)
            sealed = {
                name: sealed_id
                for batch in _batches(wrapped)
                for name, sealed_id in database.execute(
                    f"SELECT name, sealed_id FROM person WHERE name IN ({_marks(batch)})", batch
                )
            }
        return {
            name: open_sealed(_unwrap(self._wrapping, wrapped[name]), words) for name, words in sealed.items()
        }

    def keys(self, people: Iterable[str]) -> Mapping[str, bytes]:
        """Give people's own keys by pseudonym; the unknown and the erased are left out."""
        with self._in_use() as database:
            wrapped = self._wrapped(database, people)
        return {name: _unwrap(self._wrapping, key) for name, key in wrapped.items()}

    def shut(self, person: str, words: str) -> str:
        """Seal words about a person with her own key, as text; of one who has none, no word is kept.

        Args:
            person: her pseudonym.
            words: what is said, for instance why something is done for her.
        """
        key = self.keys([person]).get(person) if words else None
        return "" if key is None else SHUT + base64.b64encode(seal(key, words)).decode()

    def opened(self, person: str, text: str) -> str:
        """Give words that :meth:`shut` sealed; what was never sealed, as it is; nothing once she is erased.

        Args:
            person: her pseudonym.
            text: what is kept.
        """
        if not text.startswith(SHUT):
            return text
        key = self.keys([person]).get(person)
        return "" if key is None else open_sealed(key, base64.b64decode(text.removeprefix(SHUT)))

    def _wrapped(self, database: sqlite3.Connection, people: Iterable[str]) -> dict[str, bytes]:
        return {
            name: wrapped
            for batch in _batches(people)
            for name, wrapped in database.execute(
                f"SELECT name, wrapped FROM person WHERE name IN ({_marks(batch)})", batch
            )
        }


class _Held:
    """A connection that stays open as long as its thread lives: opening one costs more than asking it."""

    def __init__(self, database: sqlite3.Connection, stamp: tuple[int, int, int]) -> None:
        self.database = database
        self.stamp = stamp

    def __del__(self) -> None:
        if os.getpid() == self.stamp[0]:
            self.database.close()


def open_keys(path: Path) -> sqlite3.Connection:
    """Open the database of keys.

    Args:
        path: its file.
    """
    # Where a thread has ended, another one closes what it had opened.
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        prepare(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def change_master(folder: Path, old_hex: str, new_hex: str) -> int:
    """Put another master key in the place of the one in use; pseudonyms and the audit chain stay as they are.

    Everything that the old one seals is sealed anew in one transaction. Where the key is a file, the new one
    lies beside it before, and takes its place after; whoever opens the folder after a kill finishes that.
    Other programs that hold the old key have to be started again.

    Args:
        folder: the keys folder.
        old_hex: the key in use; empty means the file ``master.key``.
        new_hex: the new key; empty makes one and puts it in the place of the file.

    Returns:
        How many people's keys were wrapped anew.

    Raises:
        Layer7Error: ``weak_key``; ``another_master_key`` if the old one is not the one in use.
    """
    old = _master(folder / "master.key", old_hex)
    wrapping = derive_key(old, "wrapping")
    with closing(open_keys(folder / _DATABASE)) as database:
        roots = _roots(database, old)
        # Held until the end, so that nobody judges a new key that is not in use yet.
        database.execute("BEGIN IMMEDIATE")
        fresh = derive_key(_master(folder / _NEXT, new_hex), "wrapping")
        people = database.execute("SELECT name, wrapped FROM person").fetchall()
        database.executemany(
            "UPDATE person SET wrapped = ? WHERE name = ?",
            [(seal(fresh, _unwrap(wrapping, wrapped).hex()), name) for name, wrapped in people],
        )
        sealed = [(seal(fresh, root.hex()), purpose) for purpose, root in roots.items()]
        database.executemany("UPDATE root SET sealed = ? WHERE purpose = ?", sealed)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if not new_hex:
        _finish_change(folder)
    return len(people)


def _finish_change(folder: Path) -> None:
    """Let a new master key that lies beside the old one take its place if it is in use, else drop it."""
    new = folder / _NEXT
    if not new.exists():
        return
    with closing(open_keys(folder / _DATABASE)) as database:
        database.execute("BEGIN IMMEDIATE")
        kept = database.execute("SELECT purpose, sealed FROM root").fetchall()
        try:
            _opened(dict(kept), derive_key(_master(new, ""), "wrapping"))
            new.replace(folder / "master.key")
        except (Layer7Error, FileNotFoundError):
            new.unlink(missing_ok=True)


def _roots(database: sqlite3.Connection, master: bytes) -> dict[str, bytes]:
    """Give the key of each purpose: derived from the first master key, kept sealed under the one in use."""
    wrapping, asked = derive_key(master, "wrapping"), "SELECT purpose, sealed FROM root"
    for statement in _SCHEMA:
        database.execute(statement)
    kept = _opened(dict(database.execute(asked).fetchall()), wrapping)
    new = {purpose: derive_key(master, purpose) for purpose in _PURPOSES if purpose not in kept}
    if new:
        rows = [(purpose, seal(wrapping, root.hex())) for purpose, root in new.items()]
        database.executemany("INSERT OR IGNORE INTO root VALUES (?, ?)", rows)
    return kept | new


def _opened(kept: Mapping[str, bytes], wrapping: bytes) -> dict[str, bytes]:
    try:
        return {purpose: _unwrap(wrapping, sealed) for purpose, sealed in kept.items()}
    except Layer7Error as error:
        raise Layer7Error(
            "another_master_key",
            "The master key is not the one that this keys folder is sealed with.",
            "Give the right one; `layer7 privacy rotate-keys` puts another in its place.",
        ) from error


def _batches(names: Iterable[str]) -> Iterable[list[str]]:
    listed = list(names)
    return (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))


def _marks(batch: list[str]) -> str:
    return ", ".join("?" * len(batch))


def _unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    return bytes.fromhex(open_sealed(wrapping, wrapped))


def _create(path: Path, text: str) -> None:
    """Make a file with all its text, durable; whoever else makes it first is let be."""
    temporary = draft(path, text)
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    flush(path.parent)


def _master(path: Path, master_hex: str) -> bytes:
    if not master_hex and not path.exists():
        _create(path, secrets.token_hex(32))
    try:
        return bytes.fromhex(master_hex or path.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise Layer7Error(
            "weak_key",
            "The master key is not written in hex digits.",
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'.",
        ) from error
