"""Keyed pseudonyms: who a row belongs to, without saying who she is."""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from layer7.errors import Layer7Error

_KEY_BYTES = 32
_HEX = 32


def derive_key(master: bytes, purpose: str) -> bytes:
    """Derive the key of one purpose from the master key, so that tables of two purposes cannot be joined.

    Args:
        master: the master key, at least 32 bytes of randomness.
        purpose: name of the use, e.g. ``"learning"``, ``"audit"``, ``"fairness"``.

    Returns:
        32 bytes (HKDF-SHA-256, RFC 5869).

    Raises:
        Layer7Error: ``weak_key`` when the master key is short or all one byte.

    Example:
        >>> master = bytes(range(32))
        >>> derive_key(master, "learning") != derive_key(master, "audit")
        True
    """
    if len(master) < _KEY_BYTES or len(set(master)) < 8:
        raise Layer7Error(
            "weak_key",
            f"The master key has {len(master)} bytes of which {len(set(master))} differ; "
            f"it needs at least {_KEY_BYTES} random bytes.",
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'.",
        )
    info = f"layer7/{purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(master)


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """Turns a person's id into the name that one purpose knows her by.

    Args:
        key: the purpose's key, 32 bytes, from :func:`derive_key`.
    """

    key: bytes

    def __repr__(self) -> str:
        return "Pseudonym(key=...)"

    def of(self, user_id: str) -> str:
        """Give the pseudonym of an id: 128 bits of HMAC-SHA-256 (RFC 2104) as 32 hex digits.

        Example:
            >>> name = Pseudonym(derive_key(bytes(range(32)), "learning")).of("user_123")
            >>> len(name)
            32
        """
        return hmac.digest(self.key, user_id.encode(), hashlib.sha256).hex()[:_HEX]


def bucket_of(pseudonym: str, buckets: int) -> int:
    """Give the storage bucket of a pseudonym, 0 to ``buckets - 1``, the same on every machine.

    Example:
        >>> bucket_of("0000002a" + "0" * 24, 16)
        10
    """
    return int(pseudonym[:8], 16) % buckets
