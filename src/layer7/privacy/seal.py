"""A person's own words are kept under her own key: destroying the key erases them everywhere."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from layer7.errors import Layer7Error

_NONCE_BYTES = 12


def seal(key: bytes, text: str) -> bytes:
    """Seal a text with AES-256-GCM (NIST SP 800-38D) under a fresh random nonce.

    Args:
        key: the person's own key, 32 bytes.
        text: what she wrote.

    Returns:
        Nonce, then ciphertext with its tag.

    Example:
        >>> open_sealed(bytes(range(32)), seal(bytes(range(32)), "my words"))
        'my words'
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), None)


def open_sealed(key: bytes, sealed: bytes) -> str:
    """Open a sealed text.

    Args:
        key: the person's own key, 32 bytes.
        sealed: what :func:`seal` gave.

    Raises:
        Layer7Error: ``sealed_unreadable`` when the key is another one or the bytes were changed.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except (InvalidTag, ValueError) as error:
        raise Layer7Error(
            "sealed_unreadable",
            "A sealed text could not be opened: its key is another one or its bytes were changed.",
            "Check that the keys folder belongs to this home folder.",
        ) from error
