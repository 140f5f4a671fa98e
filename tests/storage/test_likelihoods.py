"""Which model is in use, which were, and the way back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from layer7.errors import Layer7Error
from layer7.optimization.likelihood import LikelihoodModel, version_of
from layer7.storage.database import schema
from layer7.storage.decisions.likelihoods import Likelihoods
from layer7.storage.services.likelihood_shown import shown

AT = datetime(2026, 3, 2, tzinfo=UTC)
NONE = LikelihoodModel()
ONE, TWO = (replace(NONE, trained_to=at, n=100) for at in (1_000, 2_000))


def adopt(home, model):
    return home.likelihoods.adopt(model, model, why="calibrated", at=AT)


def test_before_any_log_what_is_believed_is_in_use(home):
    found = home.likelihoods.in_use()
    assert (found.version, found.move, found.held) == (version_of(NONE), None, False)
    assert shown(home).since is None
    with pytest.raises(Layer7Error, match="No model was adopted"):
        home.likelihoods.rollback(actor="me", why="no", at=AT)


def test_back_and_held_until_released(home):
    store = home.likelihoods
    adopt(home, ONE)
    adopt(home, TWO)
    assert store.in_use().version == version_of(TWO)
    step = store.rollback(actor="me", why="odd orders", at=AT)
    assert (step.version, step.previous) == (version_of(ONE), version_of(TWO))
    assert store.in_use().held
    assert store.in_use().served.trained_to == 1_000
    with pytest.raises(Layer7Error, match="in use already"):
        store.rollback(version_of(ONE), actor="me", why="again", at=AT)
    store.release(actor="me", why="mended", at=AT)
    assert not store.in_use().held
    assert [move.kind for move in store.history()] == ["release", "rollback", "adopt", "adopt"]
    assert home.state.verify_audit() == 4


def test_back_to_what_was_believed_before_any_log(home):
    adopt(home, ONE)
    home.likelihoods.rollback(actor="me", why="start anew", at=AT)
    assert home.likelihoods.in_use().served == NONE or home.likelihoods.in_use().version == version_of(NONE)


def test_a_refused_challenger_stands_in_the_history_and_moves_nothing(home):
    adopt(home, ONE)
    home.likelihoods.refuse(TWO, why="not calibrated", at=AT)
    assert home.likelihoods.in_use().version == version_of(ONE)
    with pytest.raises(Layer7Error, match="There is no model"):
        home.likelihoods.model(version_of(TWO))


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_model_is_refused_and_the_one_before_it_serves(home, damage):
    """Truncated, no such file, or another model under its name."""
    adopt(home, ONE)
    adopt(home, TWO)
    versions = schema.likelihood_versions
    with home.state.write() as connection:
        rows = dict(connection.execute(select(versions.c.version, versions.c.content)).all())
        bad = rows[version_of(ONE)] if damage is None else damage
        of_two = versions.c.version == version_of(TWO)
        connection.execute(update(versions).where(of_two).values(content=bad))
    store = Likelihoods(home.state)
    found = store.in_use()
    assert (found.version, found.served.trained_to) == (version_of(ONE), 1_000)
    with pytest.raises(Layer7Error, match="gives another name"):
        store.model(version_of(TWO))


def test_an_unknown_model_is_refused(home):
    adopt(home, ONE)
    with pytest.raises(Layer7Error, match="There is no model"):
        home.likelihoods.rollback("m000000000000", actor="me", why="typo", at=AT)
    assert home.likelihoods.in_use().version == version_of(ONE)
