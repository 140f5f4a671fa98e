"""What has to be on the disk when a call returns: the file, and its name in its folder."""

import os
import secrets
from pathlib import Path


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Args:
        path: the file or folder.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def draft(path: Path, text: str) -> Path:
    """Write a text for its owner's eyes beside a file, under another name, and wait until it is on the disk.

    Args:
        path: the file that it will be.
        text: all that it holds.
    """
    temporary = path.with_suffix(f".{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        temporary.unlink()
        raise
    return temporary


def write_whole(path: Path, text: str) -> None:
    """Write a file for its owner's eyes that is there whole, or as it was before.

    Args:
        path: the file; another one of that name is replaced.
        text: all that it holds.
    """
    temporary = draft(path, text)
    temporary.replace(path)
    flush(path.parent)
