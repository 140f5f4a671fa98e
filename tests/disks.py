"""Disks that are really small, and flushes that really fail; other processes find it by its name."""

import ctypes
import json
import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from errno import EIO
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from children import NOW, small_settings
from layer7.contract.reading import read_event
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.storage.database.state import Act
from layer7.storage.home import Home, open_home

NO_SMALL_DISK = 77
"""How a process ends that could not have a small disk."""

T = TypeVar("T")
_SYSTEM = ctypes.CDLL(None, use_errno=True)

_NEW_MOUNTS, _NEW_USER = 0x20000, 0x10000000
_PRIVATE_BELOW = 0x40000 | 0x4000

_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER = 38, 22, 2
_FLUSHES = {"x86_64": (74, 75), "aarch64": (82, 83)}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def mount_small(folder: Path, size: int) -> None:
    """Put a disk of some bytes at a folder, for this process alone; it is gone when the process is.

    Raises:
        OSError: this machine does not let the process have mounts of its own.
    """
    user, group = os.getuid(), os.getgid()
    _checked(_SYSTEM.unshare(_NEW_MOUNTS | (_NEW_USER if os.geteuid() else 0)))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _checked(_SYSTEM.mount(b"none", b"/", None, _PRIVATE_BELOW, None))
    _checked(_SYSTEM.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={size}".encode()))


def fill(path: Path) -> None:
    """Write a file until its disk is full, to the last page."""
    with path.open("ab", buffering=0) as file:
        for piece in (bytes(1 << 20), bytes(4096)):
            with suppress(OSError):
                while True:
                    file.write(piece)


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("yes", ctypes.c_ubyte),
        ("no", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def with_failing_flushes(act: Callable[..., T], *given: Any) -> T:
    """Do something in a thread in which every flush of a file fails, in whatever library it is asked for.

    Raises:
        OSError: this machine does not let a thread be told so.
    """

    def failing() -> T:
        _fail_flushes()
        return act(*given)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(failing).result()


def _fail_flushes() -> None:
    """Let the system refuse this thread's flushes (seccomp, of this thread alone and until it ends)."""
    one, other = _FLUSHES[platform.machine()]
    steps = (_Step * 5)(
        _Step(_LOAD, 0, 0, 0),
        _Step(_EQUAL, 2, 0, one),
        _Step(_EQUAL, 1, 0, other),
        _Step(_RETURN, 0, 0, _ALLOW),
        _Step(_RETURN, 0, 0, _ERRNO | EIO),
    )
    program = _Program(len(steps), steps)
    _checked(_SYSTEM.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(_SYSTEM.prctl(_SET_FILTER, _FILTER, ctypes.byref(program), 0, 0))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def live_on_a_full_disk(folder: str, megabytes: int, told: str) -> None:
    """Fill the disk of a home, and note what is refused then, what is done, and how it is afterwards."""
    disk, found = Path(folder), dict[str, Any]()
    try:
        mount_small(disk, megabytes << 20)
    except OSError:
        sys.exit(NO_SMALL_DISK)
    home = _opened(disk)
    _take(home, disk, 0)
    home.consents.say("anna", {Purpose.FAIRNESS_MONITORING: "yes"}, act=_act(), source="test")
    home.declared.declare("anna", {"gender": "female"}, act=_act())
    found["held"] = [home.reserve.held >> 20]
    _crowd(home, disk)
    found["refused"] = [
        _outcome(partial(_accept, home, "new", "anna")),
        _outcome(partial(_accept, home, "another", "stranger")),
        _outcome(partial(_take, home, disk, 1)),
    ]
    found["read"] = _known(home)
    found["withdrawn"] = _outcome(
        lambda: dict(home.consents.say("ben", {Purpose.EXPERIMENTS: "no"}, act=_act(), source="test").said)
    )
    found["events"] = [
        _outcome(
            partial(_say, home, "cara", event_type="CONSENT_CHANGED", purpose="experiments", value=False)
        ),
        _outcome(partial(_say, home, "dora", event_type="ERASURE_REQUESTED")),
    ]
    found["heard"] = [dict(home.consents.of(home.keys.person("cara")).said), home.erasures.resume(NOW)]
    _crowd(home, disk)
    found["erased"] = [_outcome(partial(_erase, home, "anna"))]
    _crowd(home, disk)
    _close(home)
    found["erased"] += [_outcome(lambda: _erase(_opened(disk), "ben"))]
    home = _opened(disk)
    found["held"] += [home.reserve.held >> 20]
    _close(home)
    (disk / "ballast").unlink()
    home = _opened(disk)
    found["held"] += [home.reserve.held >> 20]
    found["after"] = [
        _outcome(partial(_accept, home, "new", "cara")),
        _outcome(partial(_erase, home, "anna")),
    ]
    found["left"] = [_known(home), any(home.check().values())]
    found["audit"] = home.state.verify_audit()
    Path(told).write_text(json.dumps(found))


def _opened(disk: Path) -> Home:
    return open_home(disk / "home", small_settings().model_copy(update={"reserve_mb": 16}))


def _close(home: Home) -> None:
    home.state.engine.dispose()
    home.keys._opened.held = None


def _crowd(home: Home, disk: Path) -> None:
    """Leave no room at all, neither on the disk nor in the write-ahead log, which is used again."""
    home.state.truncate()
    fill(disk / "ballast")


def _act() -> Act:
    return Act("dpo", "test", "", NOW)


def _line(name: str, user_id: str) -> str:
    said = {"event_type": "APPLICATION_SUBMITTED", "timestamp": "2026-01-10T09:00:00+01:00"}
    ids = {"application_id": f"a{name}", "job_id": "j", "resume_version_id": "r"}
    return json.dumps(said | ids | {"event_id": name, "user_id": user_id})


def _take(home: Home, disk: Path, first: int) -> int:
    path = disk.with_name("events.jsonl")
    lines = [_line(f"e{at}", ("anna", "ben", "cara", "dora")[at % 4]) for at in range(first, first + 30)]
    path.write_text("\n".join(lines))
    return home.ingest.files([path], now=lambda: NOW, progress=lambda *_: None).accepted


def _accept(home: Home, name: str, user_id: str) -> str:
    line = _line(name, user_id)
    return home.inbox.accept([(line, read_event(line, now=NOW))], now=NOW, source="http")[0].status


def _say(home: Home, user_id: str, **said: object) -> str:
    line = json.dumps(said | {"event_id": user_id, "user_id": user_id, "timestamp": NOW.isoformat()})
    return home.inbox.accept([(line, read_event(line, now=NOW))], now=NOW, source="http")[0].status


def _erase(home: Home, user_id: str) -> dict[str, Any]:
    receipt = home.erasures.erase(user_id, act=_act())
    return {"key_destroyed": receipt.key_destroyed, "declared": receipt.removed["declared"]}


def _outcome(act: Callable[[], Any]) -> Any:
    """What an act gives, or the code of its refusal."""
    try:
        return act()
    except Layer7Error as error:
        return error.code


def _known(home: Home) -> list[str]:
    """Who has a key."""
    people = [home.keys.person(user_id) for user_id in ("anna", "ben", "cara", "dora", "stranger")]
    return sorted(home.keys.user_ids(people).values())
