"""Pseudonyms: keyed, different for every purpose, evenly spread over buckets."""

import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.privacy import Pseudonym, bucket_of, derive_key

MASTER = bytes(range(32))


def test_a_pseudonym_is_the_first_half_of_an_hmac():
    """RFC 2104 with SHA-256, as Python's own library computes it."""
    key = derive_key(MASTER, "learning")
    assert Pseudonym(key).of("Zoë") == hmac.new(key, "Zoë".encode(), hashlib.sha256).hexdigest()[:32]


def test_a_derived_key_is_hkdf():
    """RFC 5869 by hand: extract with an empty salt, expand once."""
    extracted = hmac.digest(bytes(32), MASTER, "sha256")
    assert derive_key(MASTER, "audit") == hmac.digest(extracted, b"layer7/audit\x01", "sha256")


def test_purposes_cannot_be_joined(home):
    purposes = ("learning", "audit", "audit-name", "fairness", "wrapping", "quarantine")
    names = {Pseudonym(derive_key(MASTER, purpose)).of("anna") for purpose in purposes}
    assert len(names) == len(purposes)
    assert home.keys.person("anna") != home.keys.audit_name.of("anna")


@given(st.text(max_size=50), st.text(max_size=50))
def test_names_are_kept_apart(one, other):
    name = Pseudonym(derive_key(MASTER, "learning"))
    if not any("\ud800" <= character <= "\udfff" for character in one + other):
        assert (name.of(one) == name.of(other)) == (one == other)


def test_buckets_are_filled_evenly():
    name = Pseudonym(derive_key(MASTER, "learning"))
    counts = Counter(bucket_of(name.of(f"u{at}"), 16) for at in range(8000))
    assert sorted(counts) == list(range(16))
    # Binomial(8000, 1/16): mean 500, standard deviation 21.7; five of them.
    assert all(abs(count - 500) < 109 for count in counts.values())


@pytest.mark.parametrize("weak", [b"", b"short", bytes(32), b"abcdefg" * 10, bytes(range(31))])
def test_a_weak_master_key_is_refused(weak):
    with pytest.raises(Layer7Error) as error:
        derive_key(weak, "learning")
    assert error.value.code == "weak_key"


def test_a_key_is_never_shown():
    key = derive_key(MASTER, "learning")
    assert key.hex() not in repr(Pseudonym(key))
    assert repr(key) not in repr(Pseudonym(key))
