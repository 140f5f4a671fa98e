"""Parity by groups: by hand, laws, and as few false alarms over all nights as claimed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.fairness import Level, Question, checked_groups, crossed, parity, proxy
from layer7.fairness.log_ratio import log_ratio
from layer7.statistics.trials import ArmMoments

ASKED = Question(attribute="gender", metric="interview_rate")


def people(events, n):
    had = np.arange(n) < events
    return ArmMoments.of(np.column_stack([had, np.ones(n)]).astype(float))


def many(dice, rate, n):
    return people(dice.binomial(n, rate), n)


def test_by_hand():
    """log(0.1 / 0.2), variance (1 - p) / (n p) of each arm with n - 1 below, as people are counted."""
    found = log_ratio(people(200, 1000), people(100, 1000))
    assert found.estimate == pytest.approx(math.log(0.5))
    by_hand = math.sqrt((0.8 / 0.2 + 0.9 / 0.1) / 999)
    assert found.standard_error == pytest.approx(by_hand, rel=1e-9)


def test_turning_the_arms_around_turns_the_sign():
    one, two = people(200, 1000), people(90, 700)
    there, back = log_ratio(one, two), log_ratio(two, one)
    assert there.estimate == pytest.approx(-back.estimate)
    assert there.standard_error == pytest.approx(back.standard_error)


def test_chances_count_and_not_only_people():
    """The ratio of interviews to applications, each person with her own number of applications."""
    base = ArmMoments.of(np.array([[2.0, 10.0], [1.0, 5.0], [0.0, 20.0], [1.0, 5.0]]))
    other = ArmMoments.of(np.array([[2.0, 5.0], [2.0, 5.0], [0.0, 5.0], [1.0, 10.0]]))
    assert math.exp(log_ratio(base, other).estimate) == pytest.approx((5 / 25) / (4 / 40))


@pytest.mark.parametrize(
    ("events", "n", "level"),
    [
        (3000, 20_000, Level.BREACH),
        (3950, 20_000, Level.WATCH),
        (4900, 20_000, Level.CERTIFIED),
        (130, 500, Level.NOT_ENOUGH),
    ],
)
def test_levels(events, n, level):
    found = parity({"a": people(5000, 20_000), "b": people(events, n)}, ASKED)
    row = next(each for each in found if each.group == "b")
    assert row.level is level, row


def test_small_groups_are_put_together_and_nothing_is_shown_of_what_stays_small():
    groups = {"a": people(900, 5000), "b": people(3, 30), "c": people(90, 390), "d": people(60, 390)}
    found = {each.group: each for each in parity(groups, ASKED)}
    assert set(found) == {"a", "other small groups"}
    assert found["other small groups"].holds == ("c", "d")
    assert found["other small groups"].rate is not None
    alone = {each.group: each for each in parity({"a": groups["a"], "b": groups["b"]}, ASKED)}
    assert alone["other small groups"].level is Level.NOT_ENOUGH
    assert [alone["other small groups"].rate, alone["a"].ratio] == [None, None]


def test_a_word_that_few_declare_is_never_shown():
    """Groups are in people's own words: one that fewer than 50 have said could be about one of them."""
    hostile = ("jane doe, 5 elm street", "</td><script>alert(1)</script>", "=cmd|'/c calc'!a1")
    groups = {"a": people(900, 5000), "b": people(90, 390)} | {word: people(1, 49) for word in hostile}
    shown = repr(parity(groups, ASKED))
    assert "'b'" in shown
    assert not [word for word in hostile if word in shown]


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"undisclosed": people(500, 9000)},
        {"a": people(0, 5000), "b": people(0, 5000)},
        {"a": people(5000, 5000), "b": people(5000, 5000)},
        {"a": people(0, 0)},
        {"a": people(1, 3), "b": people(2, 3)},
    ],
    ids=["nobody", "all undisclosed", "all silent", "all interviews", "empty", "three people"],
)
def test_what_cannot_be_told_is_not_told(groups):
    for row in parity(groups, ASKED):
        assert (row.level, row.ratio, row.low) == (Level.NOT_ENOUGH, None, None)
        assert row.why


def test_less_is_better_turns_the_ratio_around():
    groups = {"a": people(1000, 5000), "b": people(2000, 5000)}
    more, less = (
        parity(groups, Question(attribute="x", metric="y", higher_is_better=better))
        for better in (True, False)
    )
    assert {row.group: row.level for row in more}["a"] is Level.BREACH
    assert {row.group: row.level for row in less}["b"] is Level.BREACH


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(900, 3000)), min_size=1, max_size=6))
def test_the_order_of_groups_does_not_matter(counts):
    groups = {f"g{at}": people(*pair) for at, pair in enumerate(counts)}
    turned = dict(reversed(groups.items()))
    assert {row.group: row.level for row in parity(groups, ASKED)} == {
        row.group: row.level for row in parity(turned, ASKED)
    }


def test_hardly_any_false_alarm_over_all_nights_where_nothing_differs():
    """40 installations, 6 groups, 30 nights of 40 people a group; claimed: at most 2 % of them."""
    dice, alarms = np.random.default_rng(11), 0
    for _ in range(40):
        events = dice.binomial(40, 0.2, size=(30, 6)).cumsum(axis=0)
        nights = range(9, 30, 3)
        alarms += any(
            row.high is not None and (row.high < 1 or row.low > 1)
            for night in nights
            for row in parity({f"g{g}": people(events[night, g], 40 * (night + 1)) for g in range(6)}, ASKED)
        )
    assert alarms <= 3


def test_a_breach_is_found():
    dice = np.random.default_rng(12)
    groups = {f"g{at}": many(dice, 0.2, 8000) for at in range(5)} | {"harmed": many(dice, 0.12, 8000)}
    assert parity(groups, ASKED)[0].group == "harmed"
    assert parity(groups, ASKED)[0].level is Level.BREACH


def test_what_is_declared_is_checked():
    assert dict(checked_groups({"ethnicity": "Tatar  (Volga)"})) == {"ethnicity": "tatar (volga)"}
    for said in ({"shoe size": "44"}, {"gender": ""}, {"gender": "x" * 50}, {"gender": "<b>"}):
        with pytest.raises(Layer7Error):
            checked_groups(said)
    assert crossed({"gender": "female"}) == {"gender": "female"}


def test_what_is_declared_is_on_the_list_where_there_is_one():
    lists = {"gender": ("Female", "Not  binary")}
    assert dict(checked_groups({"gender": "not BINARY", "age": "40 and over"}, lists)) == {
        "gender": "not binary",
        "age": "40 and over",
    }
    assert dict(checked_groups({"gender": "undisclosed"}, lists)) == {"gender": "undisclosed"}
    with pytest.raises(Layer7Error, match="female, not binary; undisclosed takes it back") as error:
        checked_groups({"gender": "femal"}, lists)
    assert error.value.code == "unknown_choice"


def test_a_proxy_is_found_and_chance_is_none():
    dice = np.random.default_rng(5)
    belongs = dice.integers(0, 2, 3000)
    told = proxy("school", belongs + dice.normal(0, 1, 3000), "a", belongs)
    assert told.needs_review
    # Two normals one standard deviation apart: Phi(1 / sqrt 2) = 0.760.
    assert told.area == pytest.approx(0.760, abs=0.02)
    chance = proxy("weather", dice.normal(0, 1, 3000), "a", belongs)
    assert not chance.needs_review
    missing = proxy("few", np.full(3000, np.nan), "a", belongs)
    assert (missing.area, missing.people) == (None, 0)
