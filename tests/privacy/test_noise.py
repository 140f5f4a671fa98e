"""The noise is OpenDP's, as large as the loss that it proves asks for; without OpenDP nothing is released."""

import ast
import math
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import layer7.privacy
from layer7.errors import Layer7Error
from layer7.privacy import noise
from layer7.privacy.budget import advantage_of
from layer7.privacy.cells import SCALE, CellTable, Layout
from layer7.privacy.noise import noisy, off

MANY = Layout([CellTable("many", tuple(f"c{at}" for at in range(4000)), ("x",), 3)])


def test_the_proven_loss_is_at_most_what_is_charged():
    for layout in (MANY, Layout(MANY.tables, rho_micro=195_000), Layout([CellTable("a", ("b",), (), 1)])):
        assert layout.rho * (1 - 1e-6) <= noise._proven(layout).map(layout.l2) <= layout.rho


def test_the_noise_is_as_large_as_said():
    """8,000 draws: the standard deviation within five of its own (1 / sqrt(2 n))."""
    found = noisy(np.zeros((4000, 2), np.int64), MANY) / SCALE
    assert abs(found.std() / MANY.sigma - 1) < 5 / math.sqrt(2 * found.size)
    assert abs(found.mean()) < 5 * MANY.sigma / math.sqrt(found.size)
    assert len(np.unique(found)) > 3000


def test_what_is_not_released_stays_zero():
    layout = Layout([CellTable("a", ("x",), ("m", "n"), 1), CellTable("b", ("y",), (), 1)])
    found = noisy(np.full((2, 3), 10**6), layout)
    assert found[1, 1:].tolist() == [0, 0]
    assert layout.used.tolist() == [[True, True, True], [True, False, False]]


def test_two_releases_that_differ_by_one_person_do_not_tell_her():
    """4,000 pairs: success at most that of the best attack on the charged loss, plus three deviations.

    With exact counts the same attack is right every time.
    """
    present = np.arange(4000) % 2 == 0
    base = np.full((4000, 2), 60 * SCALE)
    target = np.where(present[:, None], [SCALE, SCALE // 2], 0)
    moved = noisy(base + target, MANY) - noisy(base, MANY)
    right = float(((moved.sum(axis=1) > SCALE * 3 / 4) == present).mean())
    ceiling = 0.5 + advantage_of(2 * MANY.rho) / 2
    assert right <= ceiling + 3 * 0.5 / math.sqrt(4000)
    exact_moved = (base + target) - base
    assert ((exact_moved.sum(axis=1) > 0) == present).all()


@pytest.mark.parametrize("fault", ["missing", "another version", "broken"])
def test_without_opendp_market_insights_are_off_and_say_why(monkeypatch, fault):
    def version(_name):
        if fault == "missing":
            raise metadata.PackageNotFoundError
        return "0.15.1" if fault == "another version" else noise.OPENDP

    def broken():
        raise OSError("cannot load the library")

    monkeypatch.setattr(noise.metadata, "version", version)
    if fault == "broken":
        monkeypatch.setattr(noise, "_opendp", broken)
    said = off()
    assert said is not None
    assert said.startswith("Market insights are off: OpenDP")
    with pytest.raises(Layer7Error) as error:
        noisy(np.zeros((4000, 2), np.int64), MANY)
    assert error.value.code == "insights_off"


def test_nothing_on_the_way_to_a_release_can_be_seeded():
    """The noise comes from the operating system, by OpenDP; dice that somebody could repeat would undo it."""
    room = Path(layer7.privacy.__file__).parent
    for name in ("bounding", "noise", "cells", "pooled"):
        tree = ast.parse((room / f"{name}.py").read_text("utf-8"))
        words = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        words |= {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        assert not words & {"random", "default_rng", "seed", "RandomState"}, name


def test_noise_whose_loss_is_never_proven_is_not_drawn(monkeypatch):
    unproven = SimpleNamespace(map=lambda _distance: math.inf)
    monkeypatch.setattr(noise, "_gaussian", lambda _scale: unproven)
    with pytest.raises(Layer7Error) as refused:
        noise._proven(MANY)
    assert refused.value.code == "noise_unproven"
