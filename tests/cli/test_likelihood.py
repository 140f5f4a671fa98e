"""The command ``likelihood``: what is in use, what was, and the way back."""

from command_line import answer, layer7
from layer7.optimization.likelihood import LikelihoodModel


def test_what_is_in_use_before_any_log(home):
    found = answer("likelihood", "show", home=home)
    assert (found["since"], found["n"], found["verdict"]) == (None, 0, None)
    assert {term["property"] for term in found["terms"]} >= {"fit_score", "applicants"}
    assert "before any log" in layer7("likelihood", "show", home=home)


def test_there_and_back(home, now):
    model = LikelihoodModel(trained_to=1_000)
    home.likelihoods.adopt(model, model, why="calibrated", at=now)
    assert answer("likelihood", "rollback", "--why", "odd", home=home)["kind"] == "rollback"
    assert answer("likelihood", "show", home=home)["held"]
    assert [step["kind"] for step in answer("likelihood", "versions", home=home)] == ["rollback", "adopt"]
    assert "release" in layer7("likelihood", "release", "--why", "fine", home=home)
    assert "No model is held" in layer7("likelihood", "release", "--why", "again", home=home, code=1)
