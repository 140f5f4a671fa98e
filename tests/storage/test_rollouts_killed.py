"""A process that checks a ramp is killed at each of its steps; the next check ends the work, once."""

from datetime import timedelta
from itertools import groupby
from multiprocessing import get_context

import pytest

from children import PRELOAD, advance_until, small_settings
from copies import copied
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from rollouts import DAY, proposal, results
from storage.test_rollouts import FINE, HARM, NOW, STRATEGY

MOST_STEPS = 9


@pytest.fixture(scope="module")
def context():
    """Children fork from a process that has loaded the program already."""
    found = get_context("forkserver")
    found.set_forkserver_preload(PRELOAD)
    return found


def begun(home):
    """Give the experiment of a ramp that runs at its first stage."""
    (made,) = home.recommendations.propose([proposal()], NOW)
    by = {"actor": "ada", "why": "worth a try", "at": NOW}
    drafted = home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment
    home.experiments.start(drafted.experiment_id, act=Act("ada", "x", "x", NOW, "to learn"))
    advance_all(home, NOW)
    return drafted.experiment_id


def analysed(home, name, at, found):
    act = Act("layer7", "experiment.analyse", name, at, "the night's analysis")
    home.experiments.keep_results(name, results(as_of=at, guardrails=found), act=act)


def standing(home, name):
    """Everything that a check may change."""
    ramp = home.rollouts.get(f"ramp_{name}")
    kept = ramp.model_dump(mode="json", exclude={"revision"})
    told = home.rollouts.ledger()
    return {
        "ramp": kept,
        # A roll back is carried out again until it is proven; all else happens once.
        "history": [
            name for name, _ in groupby(each["action"] for each in home.rollouts.history(ramp.ramp_id))
        ],
        "experiments": {
            each.experiment_id: (each.status, [stage.share for stage in each.coverages])
            for each in home.experiments.list()
        },
        "settings": home.configs.active(STRATEGY).version,
        "moves": [each.kind for each in home.configs.history(STRATEGY)],
        "decisions": [each.action for each in home.recommendations.decisions(ramp.recommendation_id)],
        "ledger": (told.tests, told.spent, told.next_alpha, told.harm),
    }


@pytest.mark.parametrize("checks", [0, 1, 2], ids=["widen", "complete", "take back from everybody"])
def test_killed_at_any_point_the_next_check_ends_the_work_once(context, home, tmp_path, checks):
    name, at = begun(home), NOW + 7 * DAY
    analysed(home, name, at, FINE)
    for done in range(checks):
        advance_all(home, at)
        at += 7 * DAY
        measured, found = (f"{name}_holdback", FINE | HARM) if done else (name, FINE)
        analysed(home, measured, at, found)
    home.state.engine.dispose()
    undisturbed = open_home(copied(home.path, tmp_path / "0"), small_settings())
    advance_all(undisturbed, at)
    wanted = standing(undisturbed, name)
    for step in range(1, MOST_STEPS):
        where = copied(home.path, tmp_path / f"{step}")
        child = context.Process(target=advance_until, args=(str(where), at.isoformat(), step))
        child.start()
        child.join(60)
        opened = open_home(where, small_settings())
        advance_all(opened, at)
        assert standing(opened, name) == wanted, step
        assert advance_all(opened, at + timedelta(minutes=1))["moved"] == 0
        assert opened.state.verify_audit() > 0
        opened.state.engine.dispose()
        if child.exitcode == 0:
            break
        assert child.exitcode == -9
    assert 2 < step < MOST_STEPS - 1
    undisturbed.state.engine.dispose()
