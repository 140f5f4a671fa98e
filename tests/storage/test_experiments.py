"""Experiments on disk: moves by the table, rivals refused, assignments recorded once."""

from datetime import UTC, datetime

import pytest

from layer7.configuration import Reason
from layer7.contract.lifecycle import State
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.experiments.assignment import assign
from layer7.experiments.plan import specified
from layer7.storage.database.schema import consents
from layer7.storage.database.state import Act
from layer7.storage.decisions.trials import ExperimentRules

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def act(action, subject="exp_001"):
    return Act("ada", f"experiment.{action}", subject, NOW, "to learn")


def running(home, **changes):
    experiment = specified(0).model_copy(update=changes)
    name = experiment.experiment_id
    home.experiments.create(experiment, act=act("create", name))
    return home.experiments.start(name, act=act("start", name))


def code_of(call):
    with pytest.raises(Layer7Error) as raised:
        call()
    return raised.value.code


def test_a_life(any_home):
    started = running(any_home)
    assert started.plan_hash.startswith("plan_")
    store = any_home.experiments
    assert store.pause("exp_001", act=act("pause")).status is State.PAUSED
    assert store.running() == ()
    assert store.resume("exp_001", act=act("resume")).status is State.RUNNING
    assert store.cover("exp_001", 1.0, act=act("cover")).coverages[-1].share == 1.0
    assert store.complete("exp_001", act=act("complete")).status is State.COMPLETED
    assert store.get("exp_001").end_date == NOW.isoformat()
    assert [each.experiment_id for each in store.list(state=State.COMPLETED)] == ["exp_001"]
    assert code_of(lambda: store.start("exp_001", act=act("start"))) == "move_not_allowed"
    assert code_of(lambda: store.cover("exp_001", 1.0, act=act("cover"))) == "not_running"
    assert code_of(lambda: store.get("exp_009")) == "unknown_experiment"


def test_drafts_are_refused_names_used_once_and_rivals_kept_apart(home):
    running(home)
    store = home.experiments
    assert code_of(lambda: store.create(specified(0), act=act("create"))) == "experiment_exists"
    rival = specified(0).model_copy(update={"experiment_id": "exp_002"})
    store.create(rival, act=act("create", "exp_002"))
    assert code_of(lambda: store.start("exp_002", act=act("start", "exp_002"))) == "overlapping_experiments"
    assert store.reject("exp_002", act=act("reject", "exp_002")).status is State.REJECTED
    live = rival.model_copy(update={"experiment_id": "exp_003", "status": State.RUNNING})
    assert code_of(lambda: store.create(live, act=act("create", "exp_003"))) == "not_a_draft"


def test_experiments_of_a_namespace_run_side_by_side(home):
    first = running(home, namespace="mode", coverage=0.5)
    second = running(home, experiment_id="exp_002", namespace="mode", coverage=0.4)
    assert (len(first.segments), len(second.segments)) == (50, 40)
    assert not set(first.segments) & set(second.segments)


def test_a_variant_is_served_with_reason_split_and_recorded_once(home):
    experiment = running(home)
    rules = ExperimentRules(home.experiments, home.assignments, lambda: NOW)
    version = home.configs.active(Component.STRATEGY_ENGINE)
    served = [rules(version, "improve_resume_threshold", user) for user in ("user_1", "user_2", "user_1")]
    assert [each.reason for each in served] == [Reason.SPLIT] * 3
    assert [each.variant for each in served] == ["treatment", "control", "treatment"]
    assert served[0].value == 70.0
    assert served[0].metadata["experimentId"] == experiment.experiment_id
    assert rules(version, "rethink_targets_threshold", "user_1") is None
    assert rules(version, "improve_resume_threshold", None) is None
    assert home.inbox.drain(now=NOW) == 2
    with home.warehouse.open() as tables:
        told = tables.read("events").to_pyarrow().to_pylist()
    assert {row["variant_id"] for row in told} == {"treatment", "control"}
    assert {row["event_type"] for row in told} == {"EXPERIMENT_EXPOSED"}
    assert "user_1" not in str(told)


def test_the_first_variant_is_kept_to(home):
    experiment = running(home)
    assigned = assign(experiment, "user_1")
    assert home.assignments.first(assigned, "user_1", at=NOW) == "treatment"
    swapped = assign(experiment.model_copy(update={"seed": "other"}), "user_1")
    assert home.assignments.first(swapped, "user_1", at=NOW) == "treatment"


def test_nobody_who_said_no_takes_part(home):
    running(home)
    person = home.keys.person("user_1")
    with home.state.write() as connection:
        connection.execute(
            consents.insert().values(
                person=person, purpose="experiments", value="no", at=NOW.isoformat(), source="test"
            )
        )
    rules = ExperimentRules(home.experiments, home.assignments, lambda: NOW)
    assert rules(home.configs.active(Component.STRATEGY_ENGINE), "improve_resume_threshold", "user_1") is None
