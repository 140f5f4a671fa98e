"""Machines that reject within hours, beside people who take weeks: neither hides what the other does."""

import numpy as np
import pytest

from layer7.statistics import SilenceMoments, fit_cohorts, fit_silence
from layer7.statistics.silence.moments import DelayLaw


def searched(seed, n, *, prompt, p=0.1, r=0.1):
    """A log of 140 days: so many answers come within hours, the others by a gamma law or a log-normal one."""
    dice = np.random.default_rng(seed)
    age, luck, quick = dice.uniform(0, 140, n), dice.random(n), dice.random(n) < prompt
    slow = dice.gamma(3, 1, n) * 5 if prompt else np.exp(dice.normal(np.log(9), 1.6, n))
    days = np.where(quick, dice.exponential(0.4, n), slow)
    kind = np.where(luck < p, 1, np.where(luck < p + r, 2, 0)) * (days <= age)
    return SilenceMoments.from_days(
        interviews=days[kind == 1], rejections=days[kind == 2], silent=age[kind == 0]
    )


def test_a_share_of_prompt_answers_by_hand():
    law = DelayLaw(10.0, 1.0, prompt=0.4)
    assert law.cdf([0.0, 10.0]) == pytest.approx([0, 0.4 * (1 - np.exp(-30)) + 0.6 * 0.5])
    assert law.cdf([law.half])[0] == pytest.approx(0.5)


def test_prompt_and_late_answers_do_not_pass_for_ever_more_to_come():
    """10 % are rejected and 10 % invited, a third of each within hours; without that share of prompt answers
    42 % were told ever to be answered, half of them after 221 days."""
    model = fit_silence(searched(1, 20_000, prompt=0.35))
    assert model.answered.value == pytest.approx(0.2, abs=0.012)
    assert model.interview.low < 0.1 < model.interview.high
    assert model.rejection_delay.prompt == pytest.approx(0.35, abs=0.05)
    assert model.rejection_delay.half < 15


def test_cohorts_take_the_prompt_share_of_everyone():
    logs = {"one": searched(2, 12_000, prompt=0.35), "other": searched(3, 800, prompt=0.35)}
    told = fit_cohorts(logs)["other"]
    assert told.rejection_delay.prompt > 0.25
    assert told.answered.low < 0.2 < told.answered.high


def test_nothing_is_prompt_where_one_law_says_it_all():
    for seed in range(4):
        model = fit_silence(searched(seed, 20_000, prompt=0.0))
        assert (model.interview_delay.prompt, model.rejection_delay.prompt) == (0.0, 0.0)


def test_answers_that_all_come_on_the_first_day_do_not_promise_others_for_ever():
    """A third is answered at once, nothing came since: 15.8 % were told to be invited, 64 % answered."""
    log = SilenceMoments.from_days(
        interviews=[0] * 300, rejections=[0] * 900, silent=[10] * 500 + [50] * 2_000
    )
    model = fit_silence(log)
    assert model.interview.value == pytest.approx(300 / 3_700, rel=0.02)
    assert model.answered.value == pytest.approx(1_200 / 3_700, rel=0.02)
    few = fit_silence(SilenceMoments.from_days(interviews=[0] * 30, rejections=[0] * 90, silent=[50] * 250))
    assert few.answered.value == pytest.approx(120 / 370, rel=0.02)
