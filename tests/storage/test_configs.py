"""Versions are kept forever, the present is a pointer, and going back proves itself."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from layer7.configuration import baseline, plan
from layer7.contract import Component
from layer7.errors import Layer7Error
from layer7.storage.decisions.configs import Configs
from layer7.storage.home import open_home

NOW = datetime(2026, 3, 2, tzinfo=UTC)
STRATEGY = Component.STRATEGY_ENGINE
KEY = "improve_resume_threshold"
BY = {"actor": "maria", "why": "tested", "at": NOW}


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def configs(home) -> Configs:
    return Configs(home.state)


def kinds(configs: Configs) -> list[str]:
    return [move.kind for move in configs.history(STRATEGY)]


def test_before_anything_was_written_the_baseline_is_served_and_reading_writes_nothing(configs):
    assert configs.active(STRATEGY) == baseline(STRATEGY)
    assert configs.current(STRATEGY) == (baseline(STRATEGY), None)
    assert configs.history(STRATEGY) == ()


def test_starting_writes_each_baseline_once(configs, home):
    configs.start(NOW)
    configs.start(NOW)
    assert kinds(configs) == ["baseline"]
    assert home.state.verify_audit() == len(Component)


def test_the_first_change_also_writes_the_baseline_that_it_starts_from(configs):
    after = configs.apply(plan(baseline(STRATEGY), KEY, 70), **BY, recommendation_id="rec_1")
    assert kinds(configs) == ["apply", "baseline"]
    move = configs.history(STRATEGY)[0]
    assert (move.version, move.previous, move.actor, move.why, move.recommendation_id) == (
        after.version,
        baseline(STRATEGY).version,
        "maria",
        "tested",
        "rec_1",
    )


def test_a_version_is_found_by_its_name_in_a_new_process(configs, home):
    after = configs.set(STRATEGY, KEY, 70, **BY)
    again = Configs(home.state)
    assert again.version(STRATEGY, after.version) == after
    assert again.version(STRATEGY, baseline(STRATEGY).version) == baseline(STRATEGY)


def test_a_stale_plan_changes_nothing(configs, home):
    stale = plan(configs.active(STRATEGY), KEY, 70)
    configs.set(STRATEGY, "min_days_in_mode", 5, **BY)
    before = home.state.verify_audit(), kinds(configs)
    with pytest.raises(Layer7Error) as error:
        configs.apply(stale, **BY)
    assert error.value.code == "plan_stale"
    assert (home.state.verify_audit(), kinds(configs)) == before


def test_rolling_back_goes_step_by_step_to_the_baseline_and_no_further(configs):
    for value in (70, 65, 60):
        configs.set(STRATEGY, KEY, value, **BY)
    served = [configs.rollback(STRATEGY, **BY).value(KEY) for _ in range(3)]
    assert served == [65.0, 70.0, 75.0]
    with pytest.raises(Layer7Error, match="Nothing has changed"):
        configs.rollback(STRATEGY, **BY)


def test_after_going_back_and_changing_anew_going_back_undoes_the_new_change(configs):
    configs.set(STRATEGY, KEY, 70, **BY)
    configs.rollback(STRATEGY, **BY)
    configs.set(STRATEGY, KEY, 65, **BY)
    assert configs.rollback(STRATEGY, **BY).value(KEY) == 75.0


def test_going_back_to_a_named_version_skips_what_lies_between(configs):
    first = configs.set(STRATEGY, KEY, 70, **BY)
    configs.set(STRATEGY, KEY, 65, **BY)
    configs.set(STRATEGY, KEY, 60, **BY)
    assert configs.rollback(STRATEGY, first.version, **BY) == first == configs.active(STRATEGY)
    assert configs.rollback(STRATEGY, **BY).value(KEY) == 75.0


@pytest.mark.parametrize(("to", "code"), [("v000000000000", "unknown_version"), ("active", "no_change")])
def test_a_version_that_does_not_exist_or_is_in_force_is_refused(configs, to, code):
    active = configs.set(STRATEGY, KEY, 70, **BY)
    with pytest.raises(Layer7Error) as error:
        configs.rollback(STRATEGY, active.version if to == "active" else to, **BY)
    assert error.value.code == code


def test_a_version_of_one_component_is_unknown_to_another(configs):
    configs.start(NOW)
    with pytest.raises(Layer7Error, match="has no version"):
        configs.version(Component.ORCHESTRATOR, baseline(STRATEGY).version)


def test_the_origin_of_a_value_is_the_move_that_brought_it_also_after_going_back(configs):
    assert configs.origin(STRATEGY, KEY) is None
    configs.set(STRATEGY, KEY, 70, actor="first", why="", at=NOW)
    configs.set(STRATEGY, "min_days_in_mode", 5, actor="other", why="", at=NOW)
    assert configs.origin(STRATEGY, KEY).actor == "first"
    configs.set(STRATEGY, KEY, 65, actor="second", why="", at=NOW)
    assert configs.origin(STRATEGY, KEY).actor == "second"
    configs.rollback(STRATEGY, **BY)
    assert configs.origin(STRATEGY, KEY).actor == "first"


def test_history_comes_in_pages(configs):
    for value in (70, 65, 60):
        configs.set(STRATEGY, KEY, value, **BY)
    first = configs.history(STRATEGY, limit=2)
    rest = configs.history(STRATEGY, before=first[-1].id)
    assert [move.kind for move in first + rest] == ["set", "set", "set", "baseline"]


@pytest.mark.parametrize("table", ["config_versions", "config_moves"])
def test_the_database_itself_refuses_to_change_what_was(configs, home, table):
    configs.start(NOW)
    with pytest.raises(DatabaseError, match="only grows"), home.state.write() as connection:
        connection.execute(text(f"DELETE FROM {table}"))


def test_every_change_of_settings_stands_in_the_audit_log(configs, home):
    configs.set(STRATEGY, KEY, 70, **BY)
    configs.rollback(STRATEGY, **BY)
    acts = [(record["actor"], record["action"], record["why"]) for record in home.state.audit()]
    assert acts == [("maria", "config.set", "tested"), ("maria", "config.rollback", "tested")]
