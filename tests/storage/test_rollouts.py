"""Ramps on disk: from a recommendation to everybody and back, and nobody moves one twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import Barrier, Thread

import pytest

from children import PRELOAD, advance
from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Component, Route
from layer7.errors import Layer7Error
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.rollout.gates import ROLLING_BACK, Move
from layer7.storage.database.state import Act
from layer7.storage.decisions.rollouts import Rollouts
from layer7.storage.decisions.serving import Serving
from layer7.storage.decisions.trials import Lookup
from layer7.storage.decisions.updates import apply_optimization
from rollouts import DAY, KEY, guardrail, proposal, results

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STRATEGY = Component.STRATEGY_ENGINE
HARM = {"interviews_per_unit": guardrail((-0.05, -0.02), non_inferior=False)}
FINE = {name: guardrail() for name in ("interviews_per_unit", "applications_per_unit")}


def act(action="test", at=NOW, subject="x"):
    return Act("ada", f"rollout.{action}", subject, at, "to learn")


def approved(home, value=70):
    """Propose a value, let a person approve its test, and give the drafted experiment."""
    (made,) = home.recommendations.propose([proposal(value)], NOW)
    by = {"actor": "ada", "why": "worth a try", "at": NOW}
    return home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment


def begun(home, at=NOW):
    """Give the ramp of an experiment that has just started."""
    drafted = approved(home)
    home.experiments.start(drafted.experiment_id, act=act(at=at))
    advance_all(home, at)
    return home.rollouts.get(f"ramp_{drafted.experiment_id}")


def analysed(home, experiment_id, at, **changes):
    said = {"guardrails": FINE} | changes
    home.experiments.keep_results(experiment_id, results(as_of=at, **said), act=act(at=at))


def at_everybody(home):
    """Give a ramp that went through all its stages, and when."""
    ramp = begun(home)
    for days in (7, 14):
        analysed(home, ramp.experiment_id, NOW + days * DAY)
        advance_all(home, NOW + days * DAY)
    return home.rollouts.get(ramp.ramp_id), NOW + 14 * DAY


def served(home, *users):
    serving = Serving(home.configs, home.recommendations, Lookup(home.experiments, home.assignments))
    return [serving.evaluate(KEY, component=None, targeting_key=user).value for user in users]


def code_of(call):
    with pytest.raises(Layer7Error) as raised:
        call()
    return raised.value.code


USERS = [f"user_{number}" for number in range(120)]


def test_approving_a_test_drafts_its_experiment_in_the_same_unit_of_work(home):
    before = home.state.verify_audit()
    drafted = approved(home)
    assert home.experiments.get(drafted.experiment_id) == drafted
    assert home.state.verify_audit() == before + 2
    assert [variant.value for variant in drafted.variants] == [70.0, 75.0]
    assert (drafted.status, drafted.coverage) == (State.DRAFT, 0.2)
    assert drafted.alpha == pytest.approx(0.00274, abs=1e-5)


def test_from_a_recommendation_to_everybody_less_the_holdback_with_its_lineage(any_home):
    ramp, at = at_everybody(any_home)
    assert (ramp.state, ramp.stage) == (State.COMPLETED, 1)
    assert any_home.configs.active(STRATEGY).value(KEY) == 70.0
    moved = any_home.configs.history(STRATEGY)[0]
    assert (moved.recommendation_id, moved.kind) == (ramp.recommendation_id, "apply")
    assert any_home.recommendations.get(ramp.recommendation_id).state is State.APPLIED
    told = [each for each in any_home.state.audit() if each["action"] == "rollout.complete"]
    assert [each["subject"] for each in told] == [ramp.ramp_id]
    assert any_home.experiments.get(ramp.experiment_id).status is State.COMPLETED
    holdback = any_home.experiments.get(ramp.holdback_id)
    assert (holdback.status, holdback.coverage) == (State.RUNNING, 0.1)
    history = [each["action"] for each in any_home.rollouts.history(ramp.ramp_id)]
    assert history == ["rollout.open", "rollout.start", "rollout.advance", "rollout.complete"]
    assert any_home.state.verify_audit() > 0
    assert advance_all(any_home, at)["moved"] == 0


def test_who_is_served_what_at_every_stage_and_nobody_changes_arm(home):
    ramp = begun(home)
    first = served(home, *USERS)
    analysed(home, ramp.experiment_id, NOW + 7 * DAY)
    advance_all(home, NOW + 7 * DAY)
    second = served(home, *USERS)
    analysed(home, ramp.experiment_id, NOW + 14 * DAY)
    advance_all(home, NOW + 14 * DAY)
    third = served(home, *USERS)
    assert [values.count(70.0) / len(USERS) for values in (first, second, third)] == pytest.approx(
        [0.1, 0.5, 0.95], abs=0.1
    )
    for earlier, later in ((first, second), (second, third)):
        assert all(after == 70.0 for before, after in zip(earlier, later, strict=True) if before == 70.0)
    lookup = Lookup(home.experiments, home.assignments)
    version = home.configs.active(STRATEGY)
    held = [user for user, value in zip(USERS, third, strict=True) if value == 75.0]
    assert {lookup(version, KEY, user).variant for user in held} == {"control"}


def test_harm_is_taken_back_within_one_check_and_the_recommendation_closed(any_home):
    ramp = begun(any_home)
    analysed(any_home, ramp.experiment_id, NOW, units=5, guardrails=FINE | HARM)
    assert served(any_home, *USERS).count(70.0) > 0
    advance_all(any_home, NOW + timedelta(hours=1))
    back = any_home.rollouts.get(ramp.ramp_id)
    assert (back.state, back.why) == (State.ROLLED_BACK, "Proven worse: interviews_per_unit.")
    assert set(served(any_home, *USERS)) == {75.0}
    closed = any_home.recommendations.decisions(ramp.recommendation_id)[-1]
    assert (closed.to_state, closed.why) == ("rejected", "Proven worse: interviews_per_unit.")
    assert advance_all(any_home, NOW + timedelta(hours=2))["rollouts"] == []


def test_harm_after_everybody_got_it_moves_the_pointer_back(home):
    ramp, at = at_everybody(home)
    home.configs.set(STRATEGY, "min_days_in_mode", 5, actor="ada", why="other", at=at)
    analysed(home, ramp.holdback_id, at + DAY, guardrails=FINE | HARM)
    advance_all(home, at + DAY)
    assert home.rollouts.get(ramp.ramp_id).state is State.ROLLED_BACK
    in_force = home.configs.active(STRATEGY)
    assert (in_force.value(KEY), in_force.value("min_days_in_mode")) == (75.0, 5.0)
    assert home.recommendations.get(ramp.recommendation_id).state is State.ROLLED_BACK
    assert home.experiments.get(ramp.holdback_id).status is State.COMPLETED


def test_old_evidence_asks_for_new(home):
    ramp, at = at_everybody(home)
    advance_all(home, at + 179 * DAY)
    assert not home.rollouts.get(ramp.ramp_id).expired
    report = advance_all(home, at + 180 * DAY)
    assert home.rollouts.get(ramp.ramp_id).expired
    assert report["rollouts"][0]["move"] == "expire"
    assert home.experiments.get(ramp.holdback_id).status is State.COMPLETED
    assert home.configs.active(STRATEGY).value(KEY) == 70.0
    assert advance_all(home, at + 181 * DAY)["moved"] == 0


def test_a_paused_ramp_goes_no_further_until_it_is_resumed_and_harm_still_takes_it_back(any_home):
    ramp = begun(any_home)
    due = NOW + 7 * DAY
    analysed(any_home, ramp.experiment_id, due)
    paused = any_home.rollouts.pause(ramp.ramp_id, act=act("pause"))
    assert (paused.state, paused.held_by, paused.why) == (State.HOLDING, "pause", "Paused by ada: to learn.")
    assert advance_all(any_home, due)["moved"] == 0
    assert any_home.rollouts.resume(ramp.ramp_id, act=act("resume")).paused is None
    assert code_of(lambda: any_home.rollouts.resume(ramp.ramp_id, act=act("resume"))) == "not_paused"
    assert advance_all(any_home, due)["moved"] == 1
    any_home.rollouts.pause(ramp.ramp_id, act=act("pause", due))
    analysed(any_home, ramp.experiment_id, due, guardrails=FINE | HARM)
    advance_all(any_home, due)
    assert any_home.rollouts.get(ramp.ramp_id).state is State.ROLLED_BACK
    assert code_of(lambda: any_home.rollouts.pause(ramp.ramp_id, act=act("pause"))) == "not_running"


def test_what_people_do_meanwhile_is_respected(home):
    ramp = begun(home)
    home.configs.set(STRATEGY, "min_days_in_mode", 5, actor="ada", why="other", at=NOW)
    assert advance_all(home, NOW + DAY)["moved"] == 0
    home.configs.set(STRATEGY, KEY, 60, actor="ada", why="mine", at=NOW)
    advance_all(home, NOW + DAY)
    back = home.rollouts.get(ramp.ramp_id)
    assert (back.state, back.why) == (State.ROLLED_BACK, "The setting was changed by hand meanwhile.")
    assert set(served(home, *USERS[:20])) == {60.0}


def test_a_change_of_people_asks_them_at_every_stage(home):
    drafted = approved(home)
    own = drafted.model_copy(update={"experiment_id": "exp_own", "recommendation_id": None})
    home.experiments.reject(drafted.experiment_id, act=act())
    home.experiments.create(own, act=act())
    home.experiments.start("exp_own", act=act())
    advance_all(home, NOW)
    approve = act("approve", NOW + 7 * DAY)
    assert code_of(lambda: home.rollouts.approve("ramp_exp_own", act=approve)) == "approval_too_early"
    analysed(home, "exp_own", NOW + 7 * DAY)
    advance_all(home, NOW + 7 * DAY)
    held = home.rollouts.get("ramp_exp_own")
    assert (held.state, held.held_by) == (State.HOLDING, "approval")
    home.rollouts.approve("ramp_exp_own", act=approve)
    advance_all(home, NOW + 7 * DAY)
    assert home.rollouts.get("ramp_exp_own").stage == 1
    analysed(home, "exp_own", NOW + 14 * DAY)
    home.rollouts.approve("ramp_exp_own", act=act("approve", NOW + 14 * DAY))
    advance_all(home, NOW + 14 * DAY)
    assert home.configs.history(STRATEGY)[0].kind == "rollout"
    home.rollouts.roll_back("ramp_exp_own", act=act("roll_back", NOW + 15 * DAY))
    assert home.configs.active(STRATEGY).value(KEY) == 75.0
    assert code_of(lambda: home.rollouts.roll_back("ramp_exp_own", act=approve)) == "move_not_allowed"
    assert code_of(lambda: home.rollouts.get("ramp_x")) == "unknown_rollout"


def test_what_needs_nobody_is_applied_by_the_engine_and_the_rest_waits(home):
    made = proposal().model_dump() | {"recommendation": Route.AUTO_APPLY}
    (auto,) = home.recommendations.propose([OptimizationRecommendation.model_validate(made)], NOW)
    (applied,) = advance_all(home, NOW)["applied"]
    assert (applied["method"], applied["served_value"]) == ("direct_rollout", 70.0)
    assert home.recommendations.get(auto.recommendation_id).state is State.APPLIED
    assert advance_all(home, NOW)["applied"] == []
    told = apply_optimization(home.recommendations, home.serving, proposal(60), at=NOW)
    assert (told.method, told.version) == ("manual_review_pending", None)


def test_a_stale_plan_keeps_nobody_else_waiting(home):
    made = proposal().model_dump() | {"recommendation": Route.AUTO_APPLY}
    home.recommendations.propose([OptimizationRecommendation.model_validate(made)], NOW)
    home.configs.set(STRATEGY, "min_days_in_mode", 5, actor="ada", why="other", at=NOW)
    report = advance_all(home, NOW)
    assert (report["failed"], report["applied"][0]["error"]["code"]) == (1, "plan_stale")


# --- two at once, killed, repeated


def test_two_threads_that_saw_the_same_ramp_move_it_once(any_home):
    ramp = begun(any_home)
    at = NOW + 7 * DAY
    analysed(any_home, ramp.experiment_id, at)
    barrier, told = Barrier(2), []

    def worker():
        seen = any_home.rollouts._seen(ramp.ramp_id)
        barrier.wait()
        try:
            told.append(RacedRollouts(any_home, seen).advance(ramp.ramp_id, at).moved)
        except Layer7Error as error:
            told.append(error.code)

    threads = [Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == ["True", "moved_meanwhile"]
    moved = any_home.rollouts.get(ramp.ramp_id)
    assert (moved.stage, moved.revision) == (1, ramp.revision + 1)
    assert len(any_home.experiments.get(ramp.experiment_id).coverages) == 2


class RacedRollouts(Rollouts):
    """Rollouts that have read the ramp before anybody wrote."""

    def __init__(self, home, seen):
        super().__init__(
            home.state,
            configs=home.configs,
            experiments=home.experiments,
            recommendations=home.recommendations,
            serving=Serving(home.configs, home.recommendations),
        )
        self._before = {seen[0].ramp_id: seen}

    def _seen(self, ramp_id):
        return self._before[ramp_id]


def test_two_processes_move_a_ramp_once(home):
    ramp = begun(home)
    at = NOW + 7 * DAY
    analysed(home, ramp.experiment_id, at)
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    arguments = (str(home.path), at.isoformat())
    workers = [context.Process(target=advance, args=arguments) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    history = [each["action"] for each in home.rollouts.history(ramp.ramp_id)]
    assert history == ["rollout.open", "rollout.start", "rollout.advance"]


@pytest.mark.parametrize("method", ["complete", "create", "start"])
def test_killed_in_the_middle_nothing_is_half_done(home, monkeypatch, method):
    ramp = begun(home)
    for days in (7, 14):
        analysed(home, ramp.experiment_id, NOW + days * DAY)
        if days == 7:
            advance_all(home, NOW + 7 * DAY)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    before = home.rollouts.get(ramp.ramp_id)
    with monkeypatch.context() as patch:
        patch.setattr(home.experiments, method, die)
        with pytest.raises(Killed):
            advance_all(home, NOW + 14 * DAY)
    assert home.rollouts.get(ramp.ramp_id) == before
    assert home.configs.active(STRATEGY).value(KEY) == 75.0
    assert home.experiments.get(ramp.experiment_id).status is State.RUNNING
    advance_all(home, NOW + 14 * DAY)
    assert home.rollouts.get(ramp.ramp_id).state is State.COMPLETED


def test_killed_between_taking_back_and_its_proof_it_is_proven_at_the_next_check(home, monkeypatch):
    ramp, at = at_everybody(home)
    analysed(home, ramp.holdback_id, at + DAY, guardrails=FINE | HARM)

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(home.rollouts, "_prove", die)
        with pytest.raises(Killed):
            advance_all(home, at + DAY)
    half = home.rollouts.get(ramp.ramp_id)
    assert (half.state, half.held_by) == (State.COMPLETED, ROLLING_BACK)
    assert home.configs.active(STRATEGY).value(KEY) == 75.0
    advance_all(home, at + 2 * DAY)
    assert home.rollouts.get(ramp.ramp_id).state is State.ROLLED_BACK


def test_the_same_check_again_moves_nothing_and_writes_nothing(home):
    ramp = begun(home)
    for at in (NOW, NOW - 30 * DAY, NOW + timedelta(hours=1)):
        length = home.state.verify_audit()
        assert advance_all(home, at)["moved"] == 0
        assert home.state.verify_audit() == length
    assert home.rollouts.advance(ramp.ramp_id, NOW).step.move is Move.HOLD
    assert replace(home.rollouts.advance(ramp.ramp_id, NOW)).ramp == ramp
