"""The gates of a ramp: their order, harm first, folded steps, and laws that hold for all inputs."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.contract.effects import FairnessVerdict
from layer7.contract.lifecycle import State
from layer7.errors import Layer7Error
from layer7.experiments.decision import decide
from layer7.rollout.gates import GATES, Move, Observation, lost_interviews, next_step
from layer7.rollout.ramp import Stage
from rollouts import DAY, DUE, NOW, experiment, guardrail, ramp, results, signal

HARM = {"offer_rate": guardrail((-0.05, -0.02), non_inferior=False)}


def judged(move):
    return FairnessVerdict(move=move, why="By gender: it is not excluded yet.", groups=())


CLOSED = {
    "interval": (DUE - DAY, {}),
    "analysis": (DUE, {"as_of": DUE - DAY}),
    "traffic": (DUE, {"treatment_sample_size": 0}),
    "guardrails": (DUE, {"guardrails": {}}),
    "sample_ratio": (DUE, {"sample_ratio_p_value": 0.0001}),
    "fairness": (DUE, {"fairness": judged("hold")}),
    "minimum_sample": (DUE, {"control_sample_size": 150}),
    "signals": (DUE, {"signals": {"response_rate": signal("control"), "offer_rate": signal(None)}}),
    "approval": (DUE, {"winner": None}),
}  # fmt: skip


def seen(found=None, **changes):
    return Observation(experiment=experiment(found or results(**changes)))


def step(now=DUE, *, of=None, **changes):
    return next_step(of or ramp(), seen(**changes), now)


def test_the_gates_stand_in_the_order_of_the_rules():
    assert list(GATES) == ["pause", *CLOSED]


def test_a_breach_of_parity_holds_until_a_person_has_decided():
    beside = Observation(experiment=experiment(results()), breaches=("gender/female/interview_rate",))
    found = next_step(ramp(), beside, DUE)
    assert (found.gate, found.move) == ("fairness", Move.HOLD)
    assert "gender/female/interview_rate" in found.why
    assert next_step(ramp(), Observation(experiment=experiment(results())), DUE).move is Move.COMPLETE


def test_a_pause_holds_before_every_gate_and_never_hides_harm():
    held = ramp(paused="Paused by ada: it is Friday.")
    assert (step(of=held).gate, step(of=held).why) == ("pause", held.paused)
    assert step(of=ramp(0, State.PENDING, paused=held.paused)).gate == "pause"
    assert step(NOW, of=held, guardrails=HARM).move is Move.ROLL_BACK


@pytest.mark.parametrize("gate", CLOSED)
def test_each_gate_holds_and_hides_those_behind_it(gate):
    now, change = CLOSED[gate]
    everything_behind = dict(change)
    for name in list(GATES)[list(GATES).index(gate) + 1 :]:
        everything_behind = CLOSED[name][1] | everything_behind
    for changes in (change, everything_behind):
        found = step(now, **changes)
        assert (found.move, found.gate) == (Move.HOLD, gate)


def test_with_all_gates_open_it_goes_one_stage_on_and_then_to_everybody():
    assert step(of=ramp(0)).move is Move.ADVANCE
    assert (step(of=ramp(0)).stage, step().move) == (1, Move.COMPLETE)


def test_harm_to_a_declared_group_is_taken_back_and_no_harm_goes_on():
    assert step(NOW, fairness=judged("roll_back")).move is Move.ROLL_BACK
    assert step(fairness=judged("pass")).move is Move.COMPLETE
    assert step(fairness=None).move is Move.COMPLETE


def test_harm_waits_for_no_gate():
    for now, units, as_of in ((NOW, 3, NOW), (DUE, 400, DUE), (DUE + 40 * DAY, 400, NOW)):
        found = step(now, units=units, as_of=as_of, guardrails=HARM, sample_ratio_p_value=1e-9)
        assert (found.move, found.why) == (Move.ROLL_BACK, "Proven worse: offer_rate.")
    assert step(NOW, interval=(-0.03, -0.01)).move is Move.ROLL_BACK
    accepted = {"offer_rate": guardrail((-0.004, -0.001), non_inferior=True)}
    assert step(guardrails=accepted).move is Move.COMPLETE


def test_the_budget_counts_interviews_that_are_proven_lost():
    mild = {
        "offer_rate": guardrail(),
        "interviews_per_unit": guardrail((-0.04, -0.02), non_inferior=True, margin=0.05),
    }
    found = seen(guardrails=mild)
    assert lost_interviews(found) == pytest.approx(400 * 0.02)
    assert next_step(ramp(), found, NOW).why == "At least 8.0 interviews lost; the budget is 5."
    assert next_step(ramp(harm_budget=10.0), found, NOW).move is Move.HOLD
    assert lost_interviews(seen(interval=(-0.03, 0.01))) == 0
    assert lost_interviews(Observation(experiment=experiment())) == 0


def test_a_person_approves_last_of_all():
    asked = ramp(stages=(Stage(share=0.1, days=7, approval=True), Stage(share=0.5, days=7)), stage=0)
    assert step(of=asked).gate == "approval"
    assert step(of=asked.model_copy(update={"approved": (0,)})).move is Move.ADVANCE


def test_overdue_stages_fold_into_one_move_but_never_past_a_gate():
    timed = [Stage(share=share, days=1, gated=False) for share in (0.01, 0.02, 0.05)]
    stages = (*timed, Stage(share=0.1, days=7), Stage(share=0.5, days=7))
    overdue = ramp(0, stages=stages)
    assert [step(NOW + days * DAY, of=overdue).stage for days in (1, 2, 3, 90)] == [1, 2, 3, 3]
    assert step(NOW + 90 * DAY, of=overdue.model_copy(update={"stage": 3})).gate == "analysis"


def test_a_clock_that_was_put_back_changes_nothing():
    assert step(NOW - 400 * DAY).gate == "interval"
    with pytest.raises(Layer7Error) as raised:
        step(datetime(2026, 3, 9))  # noqa: DTZ001
    assert raised.value.code == "naive_time"


def test_a_pending_ramp_starts_with_its_experiment():
    waiting = ramp(0, State.PENDING, entered_at=None)
    assert step(of=waiting).move is Move.START
    draft = experiment().model_copy(update={"status": State.DRAFT})
    assert next_step(waiting, Observation(experiment=draft), NOW).gate == "start"
    refused = experiment().model_copy(update={"status": State.REJECTED})
    assert next_step(waiting, Observation(experiment=refused), NOW).move is Move.ROLL_BACK


def test_what_is_over_ends_and_says_why():
    late = NOW + 30 * DAY
    assert step(late, winner=None, interval=(-0.02, 0.03), as_of=late).why.startswith(
        "The planned end has come"
    )
    assert step(late, winner=None, interval=(-0.02, 0.03), as_of=late - DAY).move is Move.HOLD
    assert step(interval=(-0.005, 0.004)).why == "An effect of 0.01 or more is excluded either way."
    never = Observation(experiment=experiment())
    assert next_step(ramp(), never, late + 3 * DAY).why == "It was not analysed yet."
    gone = Observation(experiment=experiment(results()), withdrawn="Its recommendation was rejected.")
    assert next_step(ramp(), gone, DUE).move is Move.ROLL_BACK


def test_after_everybody_got_it_harm_still_takes_it_back_and_evidence_grows_old():
    done = ramp(state=State.COMPLETED, fresh_until=(NOW + 180 * DAY).isoformat())
    assert step(NOW + 60 * DAY, of=done).move is Move.HOLD
    assert step(NOW + 60 * DAY, of=done, guardrails=HARM).move is Move.ROLL_BACK
    assert step(NOW + 180 * DAY, of=done).move is Move.EXPIRE
    assert step(NOW + 180 * DAY, of=done.model_copy(update={"expired": True})).move is Move.HOLD
    elsewhere = Observation(experiment=experiment(results()), served=False)
    assert next_step(done, elsewhere, NOW).move is Move.ROLL_BACK
    back = ramp(state=State.ROLLED_BACK, why="Proven worse: offer_rate.")
    assert step(of=back).move is Move.HOLD


# --- laws

intervals = st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)).map(lambda ends: tuple(sorted(ends)))
rails = st.builds(guardrail, intervals, non_inferior=st.sampled_from([True, False, None]))
found = st.builds(
    results,
    intervals,
    units=st.integers(0, 900),
    as_of=st.integers(-20, 60).map(lambda days: NOW + days * DAY),
    sample_ratio_p_value=st.sampled_from([None, 1e-6, 0.4]),
    blocked_by=st.sampled_from([(), ("Some units are missing.",)]),
    guardrails=st.dictionaries(st.sampled_from(["offer_rate", "response_rate"]), rails),
)
stages = st.lists(st.booleans(), min_size=1, max_size=5).map(
    lambda gated: tuple(
        Stage(share=0.5 * (at + 1) / len(gated), days=3, gated=one) for at, one in enumerate(gated)
    )
)
ramps = st.builds(
    lambda steps, at, state, approved: ramp(at % len(steps), state, stages=steps, approved=approved),
    stages,
    st.integers(0, 4),
    st.sampled_from([State.PENDING, State.RUNNING, State.HOLDING, State.COMPLETED, State.ROLLED_BACK]),
    st.sampled_from([(), (0, 1)]),
)
moments = st.integers(-48, 24 * 60).map(lambda hours: NOW + timedelta(hours=hours))


@given(ramps, found, moments)
def test_never_past_a_closed_gate(of, said, now):
    observed = Observation(experiment=experiment(said))
    taken = next_step(of, observed, now)
    if taken.move in {Move.ADVANCE, Move.COMPLETE}:
        assert all(gate(of, observed, now) is None for gate in GATES.values())
        assert not any(stage.gated for stage in of.stages[of.stage + 1 : taken.stage])
    if taken.move is Move.COMPLETE:
        assert decide(observed.experiment, said, now=now).verdict == "ship"
        assert of.stage == len(of.stages) - 1


@given(ramps, found, moments)
def test_coverage_never_falls_but_by_a_roll_back_and_a_check_is_the_same_twice(of, said, now):
    observed = Observation(experiment=experiment(said))
    taken = next_step(of, observed, now)
    assert taken == next_step(of, observed, now)
    if taken.move is not Move.ROLL_BACK:
        assert taken.stage >= of.stage or of.state is State.PENDING
    assert taken.harm >= of.harm


@given(ramps, found, moments)
def test_after_a_move_the_same_moment_moves_nothing_more(of, said, now):
    observed = Observation(experiment=experiment(said))
    taken = next_step(of, observed, now)
    if taken.move is Move.ADVANCE:
        there = of.model_copy(
            update={"stage": taken.stage, "entered_at": now.isoformat(), "state": State.RUNNING}
        )
        assert next_step(there, observed, now).move is Move.HOLD
