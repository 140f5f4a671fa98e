"""What goes with a level for one person alone, and people's averages."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from layer7.statistics.chances.additive import Attempts
from layer7.statistics.chances.deviations import PeopleLaw
from layer7.statistics.chances.leanings import leanings, learn_laws, own_averages, person_cells
from layer7.statistics.chances.sparse_effects import DEFAULT_LAW

LAW = PeopleLaw(-3.0, 0.8)


def rows_of(counts):
    """Applications from (person, level, n, interviews)."""
    person = np.repeat([c[0] for c in counts], [c[2] for c in counts])
    level = np.repeat([c[1] for c in counts], [c[2] for c in counts])
    events = np.concatenate([[1.0] * c[3] + [0.0] * (c[2] - c[3]) for c in counts])
    return Attempts(person, events, np.ones(events.size), {"industry": level})


def test_an_average_is_that_of_the_posterior():
    """Reference: numerical integration of the posterior by scipy."""
    k, t = 3.0, 40.0

    def weight(a):
        return special.expit(a) ** k * special.expit(-a) ** (t - k) * stats.norm.pdf(a, -3.0, 0.8)

    total = integrate.quad(weight, -9, 4)[0]
    mean = integrate.quad(lambda a: special.expit(a) * weight(a), -9, 4)[0] / total
    value, _ = own_averages(np.array([k]), np.array([t]), np.zeros(1), LAW)
    assert special.expit(value[0]) == pytest.approx(mean, rel=1e-3)


def test_better_jobs_explain_interviews_away():
    k, t = np.full(2, 4.0), np.full(2, 40.0)
    value, _ = own_averages(k, t, np.array([0.0, 1.0]), LAW)
    assert value[1] < value[0] - 0.5


def test_cells_by_hand():
    """Level 0 with 10 applications and 3 interviews, against 20 with 1; four applications are no cell."""
    rows = rows_of([(0, 0, 10, 3), (0, 1, 20, 1), (1, 0, 4, 2), (1, 1, 8, 0)])
    found = person_cells(rows, np.zeros(len(rows)), [rows.levels["industry"]])
    assert found.person.tolist() == [0, 0, 1]
    assert found.n.tolist() == [10, 20, 8]
    assert found.cells.events.tolist() == [3, 1, 0]
    assert found.cells.rest_trials.tolist() == [20, 10, 4]


def test_nearly_everybody_has_no_leaning_and_who_has_one_gets_it():
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(200), 60)
    level = rng.integers(0, 5, person.size)
    chance = np.where((person < 20) & (level == 2), 0.5, 0.06)
    rows = Attempts(
        person, (rng.random(person.size) < chance).astype(float), np.ones(person.size), {"x": level}
    )
    cells = person_cells(rows, np.zeros(len(rows)), [level])
    laws = learn_laws(cells, LAW, 1)
    found = leanings(cells, LAW, laws)
    planted = (found.cells.person < 20) & (found.cells.level == 2)
    assert 0.01 < laws[0].effects < 0.06
    assert np.median(found.value[planted]) > 1.0
    assert np.abs(found.value[~planted]).mean() < 0.05


def test_nobody_gives_the_laws_believed_beforehand():
    none = np.zeros(0, dtype=np.int64)
    cells = person_cells(Attempts(none, np.zeros(0), np.zeros(0)), np.zeros(0), [none, none])
    laws = learn_laws(cells, LAW, 2)
    assert laws == (DEFAULT_LAW, DEFAULT_LAW)
    assert leanings(cells, LAW, laws).value.size == 0
