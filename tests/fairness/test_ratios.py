"""Impact ratios: by hand, and the correspondence study beside plain counting and beside fairlearn."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate

from layer7.errors import Layer7Error
from layer7.fairness import Level, Question, impact_ratios, parity
from layer7.statistics.trials import ArmMoments

FILE = Path(__file__).parents[2] / "examples" / "correspondence_study.csv"


@pytest.fixture(scope="module")
def study():
    """People and contacts by ethnic group: 9,784 applications to as many vacancies."""
    counts = defaultdict(lambda: [0, 0])
    with FILE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts[row["group"]][0] += int(row["n"])
            counts[row["group"]][1] += int(row["n"]) * int(row["contacted"])
    return {name: tuple(pair) for name, pair in counts.items()}


def people(n, selected):
    had = np.arange(n) < selected
    return ArmMoments.of(np.column_stack([had, np.ones(n)]).astype(float))


def test_by_hand():
    small, best, other = impact_ratios([("a", 100, 50), ("b", 100, 30), ("c", 3, 3)])
    assert (best.ratio, best.ratio_low) == (1.0, None)
    assert other.ratio == 0.6
    # log(0.6) -+ 1.96 sqrt(1/30 - 1/100 + 1/50 - 1/100)
    assert (round(other.ratio_low, 3), round(other.ratio_high, 3)) == (0.42, 0.858)
    # Below 2 % of the people it is shown, and nobody is compared with it.
    assert (small.is_small, small.ratio) == (True, 2.0)


@pytest.mark.parametrize("counts", [[("a", 1, 2)], [("a", 5, 1), ("a", 5, 1)], [("a", 5, -1)]])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(Layer7Error, match="Count again"):
        impact_ratios(counts)


def test_nobody_selected_and_nobody_there():
    assert [each.ratio for each in impact_ratios([("a", 10, 0), ("b", 0, 0)])] == [None]
    assert impact_ratios([]) == ()


def test_the_study_gives_what_plain_counting_gives(study):
    found = {each.category: each for each in impact_ratios((n, *pair) for n, pair in study.items())}
    assert sum(each.people for each in found.values()) == 9784
    assert (found["Russian"].people, found["Russian"].selected) == (1018, 428)
    assert (found["Jewish"].people, found["Jewish"].selected) == (988, 424)
    for name, (n, selected) in study.items():
        assert found[name].rate == selected / n
        assert found[name].low < selected / n < found[name].high
    # Bashkir names were sent less often than 2 %: they are shown, and nobody is compared with them.
    assert found["Bashkir"].is_small
    assert {name for name, each in found.items() if each.ratio == 1} == {"Jewish"}
    below = {name for name, each in found.items() if each.ratio < 0.8}
    assert below == {"Armenian", "Chechen/Azeri", "Georgian", "Tajik/Uzbek", "Tatar"}


def test_the_study_beside_fairlearn(study):
    """fairlearn 0.15: rates and ratios by definition; intervals by 25 bootstraps, within a quarter."""
    groups = np.repeat(list(study), [n for n, _ in study.values()])
    said = np.concatenate([np.arange(n) < selected for n, selected in study.values()]).astype(int)
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=said,
        y_pred=said,
        sensitive_features=groups,
        n_boot=25,
        ci_quantiles=[0.025, 0.975],
        random_state=3,
    )
    found = impact_ratios((name, *pair) for name, pair in study.items())
    assert {each.category: each.rate for each in found} == pytest.approx(frame.by_group.to_dict())
    best = max(each.rate for each in found)
    assert frame.ratio() == pytest.approx(min(each.rate for each in found) / best)
    low, high = frame.by_group_ci
    for each in found:
        near = (each.high - each.low) / 4
        assert each.low == pytest.approx(low[each.category], abs=near)
        assert each.high == pytest.approx(high[each.category], abs=near)


def test_the_study_looked_at_every_night_proves_less_than_one_look(study):
    """With an interval that may be looked at every night, no group is below 0.8 for sure."""
    found = {
        each.group: each
        for each in parity(
            {name: people(*pair) for name, pair in study.items()},
            Question(attribute="ethnicity", metric="contacted"),
        )
    }
    assert found["other small groups"].level is Level.NOT_ENOUGH
    assert found["other small groups"].rate is None
    assert found["Russian"].level is Level.CERTIFIED
    assert found["Jewish"].level is Level.CERTIFIED
    assert found["Chechen/Azeri"].ratio == pytest.approx((303 / 959) / ((3542 - 303) / (9784 - 959)))
    assert {each.level for each in found.values()} <= {Level.CERTIFIED, Level.NOT_ENOUGH, Level.WATCH}
    for each in found.values():
        if each.ratio is not None:
            assert each.low < each.ratio < each.high
