"""The command ``likelihood``: what is in use, what was, and the way back."""

import json

import pytest
from typer.testing import CliRunner

from layer7.cli.app import build
from layer7.errors import Layer7Error
from layer7.optimization.likelihood import LikelihoodModel


@pytest.fixture
def layer7(home, monkeypatch):
    monkeypatch.setenv("LAYER7_HOME", str(home.path))
    monkeypatch.setenv("LAYER7_MASTER_KEY", home.settings.master_key)
    monkeypatch.setenv("LAYER7_BUCKETS", str(home.settings.buckets))

    def run(*words):
        words = ("likelihood", *words)
        found = CliRunner().invoke(build(words), list(words))
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return json.loads(found.stdout) if "--json" in words else found.stdout

    return run


def test_what_is_in_use_before_any_log(layer7):
    found = layer7("show", "--json")
    assert (found["since"], found["n"], found["verdict"]) == (None, 0, None)
    assert {term["property"] for term in found["terms"]} >= {"fit_score", "applicants"}
    assert "before any log" in layer7("show")


def test_there_and_back(layer7, home, now):
    model = LikelihoodModel(trained_to=1_000)
    home.likelihoods.adopt(model, model, why="calibrated", at=now)
    assert layer7("rollback", "--why", "odd", "--json")["kind"] == "rollback"
    assert layer7("show", "--json")["held"]
    assert [step["kind"] for step in layer7("versions", "--json")] == ["rollback", "adopt"]
    assert "release" in layer7("release", "--why", "fine")
    with pytest.raises(Layer7Error, match="No model is held"):
        layer7("release", "--why", "again")
