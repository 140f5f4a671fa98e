"""Buckets: every conformance case, the stock SDK, and the promises that ramps rest on."""

import random
import string

import numpy as np
import pytest
from growthbook import Experiment, GrowthBook
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.experiments.bucketing import (
    arm_ranges,
    bucket,
    buckets,
    choose,
    choose_all,
    in_namespace,
)
from vectors_file import vectors

CASES = vectors("growthbook_hash_cases")
IDS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=12)


@pytest.mark.parametrize(("seed", "value", "version", "expected"), CASES["hash"])
def test_hashes(seed, value, version, expected):
    if expected is None:
        with pytest.raises(Layer7Error):
            bucket(seed, value, version=version)
    else:
        assert bucket(seed, value, version=version) == expected


@pytest.mark.parametrize(("name", "asked", "ranges"), CASES["getBucketRange"])
def test_ranges(name, asked, ranges):
    arms, coverage, weights = asked
    found = arm_ranges(arms, coverage, weights)
    assert np.array(found) == pytest.approx(np.array(ranges)), name


@pytest.mark.parametrize(("name", "place", "ranges", "arm"), CASES["chooseVariation"])
def test_choices(name, place, ranges, arm):
    found = choose(place, [tuple(ends) for ends in ranges])
    assert (-1 if found is None else found) == arm, name
    assert choose_all(np.array([place]), [tuple(ends) for ends in ranges]).tolist() == [arm], name


@pytest.mark.parametrize(("name", "unit", "namespace", "inside"), CASES["inNamespace"])
def test_namespaces(name, unit, namespace, inside):
    assert in_namespace(unit, *namespace) is inside, name


@given(IDS, st.lists(IDS, max_size=8))
def test_many_at_once_are_as_one_by_one(seed, units):
    assert buckets(seed, units).tolist() == [bucket(seed, unit) for unit in units]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 4))
def test_nobody_changes_arm_when_coverage_grows(one, other, arms):
    places = np.linspace(0, 0.9999, 500)
    low, high = sorted((one, other))
    before = choose_all(places, arm_ranges(arms, low))
    after = choose_all(places, arm_ranges(arms, high))
    assert (after[before >= 0] == before[before >= 0]).all()


def test_the_stock_sdk_agrees_on_every_assignment():
    rng = random.Random(7)
    for number in range(400):
        unit = "".join(rng.choices(string.ascii_letters + "äßж😀", k=rng.randint(1, 20)))
        coverage = rng.choice([0.1, 0.5, 1.0])
        weights = rng.choice([[0.5, 0.5], [0.8, 0.2], [0.2, 0.3, 0.5]])
        seed = f"exp_{number % 7}"
        sdk = GrowthBook(attributes={"id": unit})
        result = sdk.run(
            Experiment(
                key=seed,
                variations=list(range(len(weights))),
                weights=weights,
                coverage=coverage,
                seed=seed,
                hashVersion=2,
            )
        )
        own = choose(bucket(seed, unit), arm_ranges(len(weights), coverage, weights))
        assert (result.variationId if result.inExperiment else None) == own


def test_experiments_are_independent():
    units = [f"user_{number}" for number in range(20_000)]
    first = choose_all(buckets("exp_001", units), arm_ranges(2, 1.0))
    second = choose_all(buckets("exp_002", units), arm_ranges(2, 1.0))
    cells = np.array([[np.sum((first == a) & (second == b)) for b in (0, 1)] for a in (0, 1)])
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / len(units)
    assert ((cells - expected) ** 2 / expected).sum() < 10.8  # chi-square, 1 degree of freedom, p = 0.001


def test_equal_weights_stand_in_for_wrong_ones():
    assert arm_ranges(2, 1.0, [0.4, 0.1]) == ((0.0, 0.5), (0.5, 1.0))
    assert buckets("s", []).size == 0
    with pytest.raises(Layer7Error, match="NUL"):
        buckets("s", ["a\0b"])
