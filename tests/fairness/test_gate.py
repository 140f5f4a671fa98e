"""The gate: harm to one group is never passed, however well the others fare."""

import numpy as np
import pytest

from layer7.fairness import Arms, Move, judge
from layer7.statistics.trials import ArmMoments

SHARES = {"a": 0.4, "b": 0.25, "c": 0.15, "d": 0.12, "e": 0.08}


def people(events, n):
    had = np.arange(n) < events
    return ArmMoments.of(np.column_stack([had, np.ones(n)]).astype(float))


def nights(effects, *, per_night, count, seed, looks=8):
    """Give what the gate says on some nights of a test; effects multiply a rate of 20 %."""
    dice = np.random.default_rng(seed)
    size = {name: round(per_night * share) for name, share in SHARES.items()}
    control = {name: dice.binomial(n, 0.2, count).cumsum() for name, n in size.items()}
    treated = {
        name: dice.binomial(n, 0.2 * effects.get(name, effects["all"]), count).cumsum()
        for name, n in size.items()
    }
    for night in np.linspace(count / looks, count, looks).astype(int) - 1:
        arms = {
            name: Arms(
                people(control[name][night], n * (night + 1)), people(treated[name][night], n * (night + 1))
            )
            for name, n in size.items()
        }
        verdict = judge(arms, planned=per_night * count)
        yield verdict.move
        if verdict.move is not Move.HOLD:
            return


def ends(effects, *, per_night, seeds=8, count=100):
    last = [[*nights(effects, per_night=per_night, count=count, seed=seed)][-1] for seed in range(seeds)]
    return {move: last.count(move) for move in Move}


@pytest.mark.parametrize(
    "effects", [{"all": 0.9}, {"all": 1.05, "c": 0.7}, {"all": 0.95}, {"all": 1.0, "e": 0.8}]
)
def test_harm_never_passes(effects):
    """Research: 0 of 300 in each of eight harmful settings."""
    assert ends(effects, per_night=1500)[Move.GO_ON] == 0


def test_harm_to_one_group_is_taken_back_though_most_gain():
    assert ends({"all": 1.05, "c": 0.7}, per_night=1500)[Move.ROLL_BACK] == 8


def test_a_gain_for_all_passes():
    assert ends({"all": 1.1}, per_night=1500)[Move.GO_ON] == 8


def test_little_traffic_costs_time_and_not_people():
    found = ends({"all": 1.0}, per_night=150)
    assert found[Move.GO_ON] == 0
    assert found[Move.ROLL_BACK] <= 1


def test_no_change_is_hardly_ever_taken_back():
    assert ends({"all": 1.0}, per_night=600, seeds=20, count=40)[Move.ROLL_BACK] <= 1


def test_a_group_that_falls_behind_while_nobody_is_worse_off_is_harm_too():
    arms = {
        "a": Arms(people(8000, 40_000), people(10_400, 40_000)),
        "b": Arms(people(2000, 10_000), people(2000, 10_000)),
    }
    verdict = judge(arms, planned=20_000)
    assert (verdict.move, "falls behind" in verdict.why) == (Move.ROLL_BACK, True)


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"a": Arms(people(1, 3), people(1, 3))},
        {"undisclosed": Arms(people(0, 5000), people(0, 5000))},
        {"a": Arms(people(5000, 5000), people(5000, 5000))},
    ],
    ids=["nobody", "three people", "all silent", "all interviews"],
)
def test_what_cannot_be_told_holds(groups):
    verdict = judge(groups, planned=1000)
    assert verdict.move is Move.HOLD
    assert all(row.ratio is None for row in verdict.groups)


def test_a_group_of_three_is_put_with_others_and_never_shown():
    large = Arms(people(8000, 40_000), people(8400, 40_000))
    verdict = judge({"a": large, "b": Arms(people(1, 3), people(1, 3))}, planned=20_000)
    assert {row.group: row.ratio for row in verdict.groups}["other small groups"] is None
    assert "b" not in {row.group for row in verdict.groups}
    assert verdict.move is Move.GO_ON


def test_turning_the_arms_around_turns_pass_into_roll_back():
    gain = Arms(people(8000, 40_000), people(9200, 40_000))
    turned = Arms(gain.treatment, gain.control)
    assert judge({"a": gain}, planned=9000).move is Move.GO_ON
    assert judge({"a": turned}, planned=9000).move is Move.ROLL_BACK
    assert judge({"a": turned}, planned=9000, higher_is_better=False).move is Move.GO_ON
