"""The examples of the method pages run and say what they show."""

import doctest
from pathlib import Path

import pytest

METHODS = Path(__file__).parents[2] / "docs" / "methods"


@pytest.mark.parametrize("page", ["rates-under-silence.md", "score-calibration.md", "strategy-thresholds.md"])
def test_the_examples_of_the_page_run(page):
    failed, tried = doctest.testfile(str(METHODS / page), module_relative=False, encoding="utf-8")
    assert (failed, tried > 0) == (0, True)
