"""The whole way through real nights: events in, the night finds harm or gain, and the ramp follows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from layer7.contract.lifecycle import State
from layer7.contract.vocabulary import Component
from layer7.experiments.assignment import assign
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.storage.database.state import Act
from nights import JUDGED, night
from rollouts import DAY, KEY, proposal

BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
LATER = BEGAN + 40 * DAY
PEOPLE, EACH = 2_000, 3


def begun(home):
    """Start the experiment of an approved recommendation, and open its ramp."""
    (made,) = home.recommendations.propose([proposal()], BEGAN)
    by = {"actor": "ada", "why": "worth a try", "at": BEGAN}
    drafted = home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment
    home.experiments.start(drafted.experiment_id, act=Act("ada", "experiment.start", "x", BEGAN))
    advance_all(home, BEGAN)
    return home.rollouts.get(f"ramp_{drafted.experiment_id}")


def told(home, ramp, rates):
    """Give what the people of the experiment did: exposed, three applications each, interviews by arm."""
    dice, experiment = np.random.default_rng(11), home.experiments.get(ramp.experiment_id)
    for number in range(PEOPLE):
        user = f"user_{number}"
        found = assign(experiment, user)
        if found is None:
            continue
        about = {"user_id": user, "experiment_id": ramp.experiment_id, "variant_id": found.variant.variant_id}
        yield {"event_type": "EXPERIMENT_EXPOSED", "timestamp": BEGAN.isoformat(), **about}
        for turn in range(EACH):
            name, at = f"{user}-{turn}", BEGAN + timedelta(days=1 + turn)
            about = {
                "user_id": user,
                "application_id": name,
                "job_id": f"job-{name}",
                "resume_version_id": "r",
            }
            yield {"event_type": "APPLICATION_SUBMITTED", "timestamp": at.isoformat(), **about}
            heard = dice.random() < rates[found.variant.variant_id]
            yield {
                "event_type": "STATUS_CHANGED",
                "timestamp": (at + 3 * DAY).isoformat(),
                "outcome": {"status": "interview" if heard else "rejected"},
                **about,
            }


@pytest.mark.parametrize(
    ("rates", "state", "stage", "value"),
    [
        ({"control": 0.4, "treatment": 0.05}, State.ROLLED_BACK, 0, 75.0),
        ({"control": 0.05, "treatment": 0.4}, State.RUNNING, 1, 75.0),
    ],
)
def test_a_night_takes_harm_back_and_lets_gain_go_on(home, take, rates, state, stage, value):
    ramp = begun(home)
    taken = take(home, told(home, ramp, rates), at=LATER)
    assert taken.quarantined == 0
    run = night(home, LATER.date(), now=LATER, only=JUDGED)
    moved = home.rollouts.get(ramp.ramp_id)
    assert (moved.state, moved.stage) == (state, stage), moved.why
    assert home.configs.active(Component.STRATEGY_ENGINE).value(KEY) == value
    assert run.report["advance"]["moved"] == 1
