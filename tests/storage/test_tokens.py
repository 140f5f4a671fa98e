"""Tokens are shown once, kept as a hash, and void when they should be."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from layer7.contract import Component
from layer7.errors import Layer7Error
from layer7.storage.database import schema
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope, Tokens
from layer7.storage.home import open_home

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ACT = Act("root", "", "", NOW, "for a test")


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def tokens(home) -> Tokens:
    return Tokens(home.state)


def test_the_secret_has_256_bits_and_only_its_hash_is_kept(tokens, home):
    secret, token = tokens.create("maria", [Scope.REVIEW], act=ACT)
    assert len(secret.split("_", 2)[2]) * 6 >= 256
    with home.state.read() as connection:
        row = connection.execute(select(schema.tokens)).mappings().one()
    assert secret not in str(dict(row))
    assert row["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert token.id in secret
    assert tokens.verify(secret, at=NOW) == token


def test_two_tokens_are_never_the_same(tokens):
    secrets = {tokens.create("x", [Scope.READ], act=ACT)[0] for _ in range(5)}
    assert len(secrets) == 5


@pytest.mark.parametrize(
    "wrong", ["", "x", "l7_000000000000_" + "A" * 43, "Bearer", "\ud800", "l7_" + "0" * 5000]
)
def test_a_wrong_secret_gives_nothing(tokens, wrong):
    tokens.create("maria", [Scope.REVIEW], act=ACT)
    assert tokens.verify(wrong, at=NOW) is None


def test_a_secret_with_one_other_character_gives_nothing(tokens):
    secret, _ = tokens.create("maria", [Scope.REVIEW], act=ACT)
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert tokens.verify(other, at=NOW) is None


def test_a_token_is_void_from_its_end_on(tokens):
    end = NOW + timedelta(days=1)
    secret, _ = tokens.create("maria", [Scope.REVIEW], act=ACT, expires_at=end)
    assert tokens.verify(secret, at=end - timedelta(seconds=1)) is not None
    assert tokens.verify(secret, at=end) is None


def test_a_revoked_token_is_void_at_once_and_revoked_once(tokens, home):
    secret, token = tokens.create("maria", [Scope.REVIEW], act=ACT)
    tokens.revoke(token.id, actor="root", why="left", at=NOW)
    assert tokens.verify(secret, at=NOW) is None
    assert [each.revoked_at for each in tokens.list()] == [NOW.isoformat()]
    with pytest.raises(Layer7Error) as error:
        tokens.revoke(token.id, actor="root", why="left", at=NOW)
    assert error.value.code == "unknown_token"
    assert [record["action"] for record in home.state.audit()] == ["token.create", "token.revoke"]


@pytest.mark.parametrize(
    ("name", "scopes", "component"),
    [
        ("", [Scope.READ], None),
        ("a\nb", [Scope.READ], None),
        ("x" * 101, [Scope.READ], None),
        ("x", [], None),
        ("x", [Scope.FLAGS_EVALUATE], None),
    ],
)
def test_a_token_without_a_proper_form_is_refused(tokens, name, scopes, component):
    with pytest.raises(Layer7Error) as error:
        tokens.create(name, scopes, act=ACT, component=component)
    assert error.value.code == "wrong_token"


def test_scopes_open_what_they_name_and_admin_opens_all(tokens):
    _, reader = tokens.create("r", [Scope.READ], act=ACT)
    _, admin = tokens.create("a", [Scope.ADMIN], act=ACT)
    _, flags = tokens.create("f", [Scope.FLAGS_EVALUATE], act=ACT, component=Component.ORCHESTRATOR)
    assert reader.allows(Scope.READ, Scope.REVIEW)
    assert not reader.allows(Scope.REVIEW)
    assert all(admin.allows(scope) for scope in Scope)
    assert flags.component is Component.ORCHESTRATOR
