"""The threshold of the resume score: moved by proven gains only, by the best evidence there is."""

from dataclasses import replace

import numpy as np
import pytest

from layer7.analytics.optimizing.decisions import FOLDS, STEPS, WIDTH, DecisionMoments, Kind
from layer7.optimization.improve_resume import Decisions, Ground, improve_resume

CUT = 75.0
NAMES = (
    *("cases", "offset", "weight", "weight_squares", "applications", "interviews", "interview_squares"),
    *("unseen", "weighted_interviews", "weighted_unseen"),
)


def moments(rows=None, *, is_linked=False):
    """Sum decisions: fold, offset, is_held, propensity, interviews, applications."""
    arms = [{name: np.zeros((FOLDS, 2 * STEPS)) for name in NAMES} for _ in range(2)]
    if rows is not None:
        fold, offset, held, propensity, interviews, applications = rows
        step = np.floor(offset / WIDTH).astype(int) + STEPS
        weight = 1 / propensity
        values = {
            "cases": np.ones(len(fold)), "offset": offset, "weight": weight, "weight_squares": weight**2,
            "applications": applications, "interviews": interviews, "interview_squares": interviews**2,
            "weighted_interviews": weight * interviews,
        }  # fmt: skip
        for arm, side in zip(arms, (held, ~held), strict=True):
            place = (fold * 2 * STEPS + step)[side]
            for name, value in values.items():
                summed = np.bincount(place, weights=value[side], minlength=FOLDS * 2 * STEPS)
                arm[name] += summed.reshape(FOLDS, 2 * STEPS)
    return DecisionMoments(arms[0], arms[1], is_linked)


def known(*, kind=None, rows=None, exploring=0.0, people=400, weeks=20):
    held = {(each, linked): moments(is_linked=linked) for each in Kind for linked in (False, True)}
    if kind is not None:
        held[kind, False] = moments(rows)
    span = {
        "people": people, "people_near": people // 3, "first": 0, "last": weeks * 604_800, "weeks": weeks,
        "person_weeks": people * weeks, "person_weeks_over": people * weeks,
        "person_weeks_near": people * weeks // 3,
    }  # fmt: skip
    return Decisions(held, span, CUT, exploring)


def decided(rng, effect, *, people=600, weeks=12, share=0.1, explore=True, rate=0.7, steer=0.0):
    """Weekly decisions of people who differ, near a cut of 75; ``effect`` is what going on adds, by score."""
    person = np.repeat(np.arange(people), weeks)
    score = np.round(np.clip(rng.normal(68, 10, people)[person] + rng.normal(0, 2, person.size), 20, 99), 1)
    moved = (score < CUT) & (score > CUT - 3) & (rng.random(person.size) < steer)
    score = np.where(moved, CUT + rng.integers(0, 10, person.size) / 10, score)
    offset = score - CUT
    ruled = offset < 0
    near = (np.abs(offset) < 5) & explore
    flip = near & (rng.random(person.size) < share)
    propensity = np.where(near, np.where(flip, share, 1 - share), 1.0)
    held = ruled ^ flip
    luck = np.exp(rng.normal(0, 0.6, people))[person] * np.exp(0.02 * offset)
    y = rng.poisson(rate * luck * np.maximum(1 + np.where(held, 0.0, effect(score)), 0.0))
    rows = (person % FOLDS, offset, held, propensity, y.astype(float), np.full(person.size, 12.0))
    kept = near if explore else np.ones(person.size, dtype=bool)
    return tuple(row[kept] for row in rows)


def explored(rng, effect, **more):
    return improve_resume(known(kind=Kind.EXPLORED, rows=decided(rng, effect, **more), exploring=0.1))


def test_a_flat_curve_is_not_moved():
    moves = sum(explored(np.random.default_rng(100 + seed), lambda s: 0 * s).is_proven for seed in range(60))
    # At most 2 % are expected; Binomial(60, 0.02) exceeds 4 once in 150.
    assert moves <= 4


def test_a_gain_is_found_and_the_move_goes_the_right_way():
    down = explored(np.random.default_rng(1), lambda s: 0.5 + 0 * s)
    assert (down.is_proven, down.ground) == (True, Ground.EXPLORATION)
    assert down.move.offset == -5.0
    assert down.move.probability > 0.99
    assert down.move.interval.low > 0
    up = explored(np.random.default_rng(1), lambda s: -0.6 + 0 * s)
    assert up.is_proven
    assert up.move.offset > 3
    assert up.effect.value < 0 < down.effect.value


def test_an_effect_that_turns_at_a_score_moves_the_cut_near_it():
    found = [
        explored(np.random.default_rng(seed), lambda s: 0.25 * (s - 72.0), people=3_000) for seed in range(8)
    ]
    assert all(each.is_proven for each in found)
    assert abs(np.median([CUT + each.move.offset for each in found]) - 72) <= 1


def test_propensities_that_do_not_add_up_are_not_believed():
    fold, offset, held, propensity, y, sent = decided(np.random.default_rng(3), lambda s: 0 * s)
    wrong = np.where(propensity < 0.5, 0.3, 0.7)
    found = improve_resume(known(kind=Kind.EXPLORED, rows=(fold, offset, held, wrong, y, sent)))
    assert found.ground is Ground.NOTHING
    assert "do not add up" in found.why_not["exploration"]


def test_a_jump_at_an_obeyed_cut_is_read_from_a_discontinuity():
    rows = decided(np.random.default_rng(4), lambda s: 1.0 + 0 * s, explore=False, people=2_000)
    found = improve_resume(known(kind=Kind.RULED, rows=rows))
    assert (found.ground, found.is_proven) == (Ground.DISCONTINUITY, True)
    assert found.move.offset == -2.5
    assert found.density.jump.p_value > 0.05


def test_a_steered_score_gives_no_discontinuity():
    rows = decided(np.random.default_rng(5), lambda s: 1.0 + 0 * s, explore=False, people=2_000, steer=0.5)
    found = improve_resume(known(kind=Kind.RULED, rows=rows))
    assert (found.ground, found.move) == (Ground.NOTHING, None)
    assert "steered" in found.why_not["discontinuity"]
    assert found.needed > 100
    assert "deterministic rule leaves no evidence" in found.answer


def test_a_rule_that_is_not_obeyed_gives_no_discontinuity():
    rows = list(decided(np.random.default_rng(6), lambda s: 0 * s, explore=False))
    rows[2] = np.random.default_rng(6).random(rows[0].size) < 0.5
    found = improve_resume(known(kind=Kind.RULED, rows=tuple(rows)))
    assert "does not follow" in found.why_not["discontinuity"]


@pytest.mark.parametrize("kind", list(Kind))
def test_few_or_no_cases_give_an_answer_and_no_number(kind):
    nothing = improve_resume(replace(known(), span=known().span | {"people": 0}))
    assert nothing.answer.startswith("Not enough data")
    rng = np.random.default_rng(7)
    rows = tuple(row[:30] for row in decided(rng, lambda s: 0 * s))
    few = improve_resume(known(kind=kind, rows=rows))
    assert (few.ground, few.move, few.is_proven) == (Ground.NOTHING, None, False)
    assert all(few.why_not.values())


def test_silence_alone_gives_no_move():
    rows = list(decided(np.random.default_rng(8), lambda s: 0 * s))
    rows[4] = np.zeros(rows[0].size)
    found = improve_resume(known(kind=Kind.EXPLORED, rows=tuple(rows)))
    assert (found.ground, found.move, found.needed) == (Ground.NOTHING, None, None)
