"""Sealed texts: opened by their own key only, never twice the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.privacy import open_sealed, seal

KEY = bytes(range(32))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_can_be_opened(text):
    assert open_sealed(KEY, seal(KEY, text)) == text


def test_the_same_text_never_looks_the_same():
    assert len({seal(KEY, "words") for _ in range(100)}) == 100


@pytest.mark.parametrize("fault", ["cut", "cut to the nonce", "emptied", "changed"])
def test_changed_bytes_are_found(fault):
    whole = seal(KEY, "words")
    changed = {
        "cut": whole[:-1],
        "cut to the nonce": whole[:12],
        "emptied": b"",
        "changed": whole[:-1] + bytes([whole[-1] ^ 1]),
    }
    with pytest.raises(Layer7Error) as error:
        open_sealed(KEY, changed[fault])
    assert error.value.code == "sealed_unreadable"


def test_another_key_opens_nothing():
    with pytest.raises(Layer7Error):
        open_sealed(bytes(32), seal(KEY, "words"))
