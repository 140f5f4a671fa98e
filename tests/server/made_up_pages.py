"""Made-up pages: a search with numbers like the real ones, an empty one, and decisions kept in memory."""

import json
import math
from datetime import UTC, date, datetime, timedelta

from fastapi import FastAPI

import rollouts as made_up
from layer7.configuration import baseline, plan
from layer7.contract.analytics import SegmentCriteria, UserSegment
from layer7.contract.effects import Effect
from layer7.contract.evidence import Lineage, Period, RateEvidence, TimeEvidence
from layer7.contract.lifecycle import State
from layer7.contract.market import (
    ActiveIndustry,
    HotLocation,
    HotSkill,
    LevelDemand,
    MarketInsights,
    MarketMonth,
)
from layer7.contract.recommendation import Evidence, ImpactEstimate, OptimizationRecommendation
from layer7.contract.vocabulary import Component, RiskLevel, Route, SeniorityLevel
from layer7.errors import Layer7Error
from layer7.experiments.plan import specified
from layer7.review import decide
from layer7.rollout.ramp import Stage
from layer7.server.http import problems
from layer7.server.http.guard import Guard
from layer7.server.http.metrics import Metrics
from layer7.server.pages import (
    ExperimentView,
    FunnelStep,
    Happened,
    Overview,
    QualityLine,
    Queue,
    QueueItem,
    RecommendationView,
    RolloutView,
    RunLine,
    SilencePoint,
    StageLine,
    WeekRate,
    foreseen,
    router,
)
from layer7.storage.database.tokens import Scope, Token

NOW = datetime(2025, 7, 2, 9, 0, tzinfo=UTC)
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"

EMPTY = Overview(
    as_of=None,
    people=0,
    applications=0,
    funnel=(),
    weeks=(),
    quality=(),
    silence=(),
    last_run=None,
    waiting=0,
)


def week(number):
    n = 240 + round(2600 * (number + 1) / 40 + 320 * math.sin(number))
    rate = 0.041 + 0.004 * math.sin(number / 2.3) + 0.002 * math.cos(number * 1.7)
    seen = n * (1 if number < 34 else (0.8, 0.65, 0.5, 0.32, 0.15, 0.04)[number - 34])
    half = 1.96 * math.sqrt(rate * (1 - rate) / seen)
    start = date(2024, 9, 23) + timedelta(weeks=number)
    if number in {13, 39}:
        return WeekRate(start, None, None, None, 31)
    return WeekRate(start, rate, max(0.0, rate - half), rate + half, n)


def still_comes(day):
    left = 0.5 * math.erfc((math.log(max(day, 0.01)) - math.log(5)) / (1.6 * math.sqrt(2)))
    answered = 0.5 * math.erfc(-(math.log(max(day, 0.01)) - math.log(9)) / (1.6 * math.sqrt(2)))
    return 0.0413 * left / (1 - 0.0413 * (1 - left) - 0.33 * answered)


FULL = Overview(
    as_of=date(2025, 7, 1),
    people=3120,
    applications=212345,
    funnel=(
        FunnelStep("Submitted", 212345, 1.0),
        FunnelStep("Answered", 76231, 0.359, 0.357, 0.361),
        FunnelStep("Reached an interview", 8480, 0.0399, 0.0379, 0.0421),
        FunnelStep("Got an offer", 1061, 0.005, 0.0045, 0.0055),
    ),
    weeks=tuple(week(number) for number in range(40)),
    quality=(
        QualityLine(
            "Event capture",
            0.9972,
            0.99,
            1204311,
            "Submitted applications that have their creation in the log.",
        ),
        QualityLine("Completeness", 0.941, 0.95, 212345, "Context fields that are filled in."),
        QualityLine("Local time known", 0.78, None, 212345, "Timestamps with the person's own offset."),
        QualityLine("Insights found useful", None, 0.7, 12, "About 80 more answers are needed."),
    ),
    silence=tuple(SilencePoint(day, still_comes(day)) for day in range(91)),
    last_run=RunLine(
        "night_2025-07-01",
        datetime(2025, 7, 2, 3, 0, tzinfo=UTC),
        74.2,
        ok=True,
        stages=(
            StageLine("ingest", 12.1, "41,203 events, 3 in quarantine"),
            StageLine("measure", 31.4, "3,120 people, 14 segments"),
            StageLine("find patterns", 18.2, "2 shown, 61 without evidence"),
            StageLine("propose", 6.9, "1 recommendation"),
            StageLine("tell", 0.04),
        ),
    ),
    waiting=3,
    rate=RateEvidence(value=0.0413, low=0.0391, high=0.0437, n=212345, events=8480, method="cure model"),
    ghosted_after=22,
)

_FACTS = {
    "rec_88": ("improve_resume_threshold", 70, Route.A_B_TEST, RiskLevel.MEDIUM, (0.021, 0.012, 0.041)),
    "rec_89": (
        "fit_score_weights",
        {"technical": 0.47, "seniority": 0.22, "experience": 0.21, "signal": 0.1},
        Route.MANUAL_REVIEW,
        RiskLevel.LOW,
        (0.012, -0.006, 0.03),
    ),
    "rec_90": ("follow_up_timing", 10, Route.AUTO_APPLY, RiskLevel.HIGH, None),
}
_OWNER = {
    "improve_resume_threshold": Component.STRATEGY_ENGINE,
    "fit_score_weights": Component.JOB_DISCOVERY,
    "follow_up_timing": Component.ORCHESTRATOR,
}
_REASONS = {
    "rec_88": "People between 70 and 75 points who applied anyway got as many interviews as those above.",
    "rec_89": "Within people, technical match predicts interviews better than the weights in force.",
    "rec_90": f"Hostile text stays text: {HOSTILE}",
}


def recommendation(name="rec_88", state=State.PROPOSED):
    key, value, route, risk, gain = _FACTS[name]
    change = plan(baseline(_OWNER[key]), key, value)
    return OptimizationRecommendation(
        component=change.component,
        parameter=key,
        current_value=change.from_value,
        recommended_value=change.to_value,
        reasoning=_REASONS[name],
        evidence=Evidence(
            metric_improved="expected_interviews_per_week" if name != "rec_89" else "interview_rate",
            improvement_amount=gain[0] if gain else None,
            sample_size=1840,
            confidence_interval=gain[1:] if gain else None,
            p_value=0.0031 if gain else None,
        ),
        impact_estimate=ImpactEstimate(
            users_affected=310,
            expected_benefit="0.02 more interviews per person and week (0.01 to 0.04)",
            risk_level=risk,
        ),
        recommendation=route,
        recommendation_id=name,
        state=state,
        created_at="2025-07-02T03:10:00Z",
        as_of="2025-07-01",
        plan=change,
        method="regression discontinuity",
        window=Period(start="2025-01-01", end="2025-07-01"),
        what_would_change_this="A gain below zero in the experiment.",
        lineage=Lineage(run_id="night_2025-07-01", log_to="2025-07-01", events=210000),
    )


WINDOW = Period(start="2025-04-07", end="2025-06-30")


def segment(name, criteria, people, rate, half):
    n = people * 60
    evidence = RateEvidence(
        value=rate, low=rate - half, high=rate + half, n=n, events=round(n * rate), method="noisy votes"
    )
    return UserSegment(
        segment_id=name, criteria=criteria, user_count=people, avg_interview_rate=rate,
        avg_applications_to_interview=1 / rate, avg_time_to_offer_weeks=None, successful_strategies=(),
        common_pitfalls=(), n=n, interval=(rate - half, rate + half), level=0.95, window=WINDOW,
        method="Share of noisy votes", what_would_change_this="About 12,000 more votes would halve it.",
        evidence={"avg_interview_rate": evidence},
    )  # fmt: skip


SEGMENTS = (
    segment("everyone", SegmentCriteria(), 2400, 0.041, 0.002),
    segment("mid", SegmentCriteria(seniority=SeniorityLevel.MID), 800, 0.0402, 0.006),
    segment(
        "senior_data",
        SegmentCriteria(seniority=SeniorityLevel.SENIOR, target_roles=(HOSTILE,)),
        90,
        0.052,
        0.021,
    ),
)

_ANSWERED = {"level": 0.95, "n": 7100, "interval": (0.33, 0.39)}
MARKET = MarketInsights(
    period=WINDOW,
    most_active_industries=(
        ActiveIndustry(industry="Healthcare", job_postings=5200, avg_response_rate=0.36, **_ANSWERED),
        ActiveIndustry(industry=HOSTILE, job_postings=900, avg_response_rate=None),
    ),
    hottest_skills=(
        HotSkill(skill="Python", demand_score=31.5, avg_salary=91250.0, salary_n=410),
        HotSkill(skill="Negotiation with public administrations", demand_score=0.4, avg_salary=None),
    ),
    hottest_locations=(
        HotLocation(location="Austin, US", openings=880, avg_response_rate=0.33, **_ANSWERED),
    ),
    best_months_to_apply=(),
    worst_months_to_apply=(),
    avg_days_to_first_response=13.2,
    ghosting_rate=0.63,
    demand_by_level={
        SeniorityLevel.MID: LevelDemand(openings=3900, competition=1.6, avg_response_rate=0.35, **_ANSWERED)
    },
    contributors=2400,
    suppressed=37,
    epsilon=1.02,
    trend=(
        MarketMonth(
            month="2025-05", interview_rate=0.041, raw_interview_rate=0.04, n=9000, interval=(0.037, 0.045)
        ),
        MarketMonth(month="2025-06", interview_rate=None, raw_interview_rate=None, n=31),
    ),
    first_response=TimeEvidence(
        value=13.2, low=12.1, high=14.4, n=7100, events=2500, horizon=42, unit="days", method="noisy votes"
    ),
    missing={"best_months_to_apply": "24 months of log."},
    evidence={
        "ghosting_rate": RateEvidence(
            value=0.63, low=0.61, high=0.65, n=7100, events=4473, method="noisy votes"
        )
    },
    as_of="2025-07-01",
    method="people who contribute, in 12 released weeks",
    what_would_change_this="More contributors.",
)


def _trials():
    """Give made-up experiments and rollouts: a running one that waits for approval, an old one, a draft."""
    parts = (
        Effect(name="first stage", control_n=180, treatment_n=180, difference=0.01, interval=(-0.02, 0.04)),
        Effect(name="second stage", control_n=220, treatment_n=220, difference=None, interval=None),
    )
    found = made_up.results(as_of=NOW, stages=parts)
    running = made_up.experiment(
        found.model_copy(
            update={
                "sentence": "Better, as far as proven.",
                "verdict": "ship",
                "units": {"control": 400, "treatment": 400},
            }
        ),
        recommendation_id="rec_88",
    )
    blocked = running.model_copy(
        update={
            "experiment_id": "exp_001_holdback",
            "name": HOSTILE,
            "results": found.model_copy(update={"blocked_by": (HOSTILE,), "sentence": HOSTILE}),
        }
    )
    waits = made_up.ramp(
        0,
        State.HOLDING,
        held_by="approval",
        why="It waits for a person's approval.",
        stages=(Stage(share=0.1, days=7, approval=True), Stage(share=0.5, days=7)),
        recommendation_id="rec_88",
    )
    old = {
        "ramp_id": "ramp_old",
        "state": State.COMPLETED,
        "held_by": None,
        "why": HOSTILE,
        "fresh_until": "2025-06-01T00:00:00+00:00",
        "expired": True,
        "holdback_id": "exp_001_holdback",
    }
    return (running, blocked, specified(1)), (waits, waits.model_copy(update=old))


class MadeUp:
    """Page data in memory."""

    def __init__(self, overview=FULL):
        self.shown = overview
        self.held = {name: recommendation(name) for name in _FACTS}
        self.history = dict.fromkeys(_FACTS, ())
        experiments, rollouts = _trials()
        self.tried = {each.experiment_id: each for each in experiments}
        self.ramps = {each.ramp_id: each for each in rollouts}
        self.moved = {name: (Happened("rollout.open", "layer7", "2025-07-01", "v1"),) for name in self.ramps}

    def experiments(self):
        return tuple(self.tried.values())

    def experiment(self, experiment_id):
        if experiment_id not in self.tried:
            raise Layer7Error("unknown_experiment", "There is no such experiment.", "See the list.")
        ramp = self.ramps["ramp_exp_001"] if experiment_id == "exp_001" else None
        return ExperimentView(self.tried[experiment_id], ramp)

    def rollouts(self):
        return tuple(self.ramps.values())

    def rollout(self, ramp_id):
        if ramp_id not in self.ramps:
            raise Layer7Error("unknown_rollout", "There is no such rollout.", "See the list.")
        return RolloutView(self.ramps[ramp_id], self.moved[ramp_id], str(len(self.moved[ramp_id])))

    def move_rollout(self, ramp_id, move, *, why, actor, etag):
        if etag != self.rollout(ramp_id).etag:
            raise Layer7Error("version_changed", "It has changed since you opened it.", "Look again.")
        if move == "roll_back" and not why:
            raise Layer7Error("reason_missing", "To roll back needs a reason.", "Say why.")
        self.moved[ramp_id] += (Happened(f"rollout.{move}", actor, NOW.isoformat(), why),)

    def overview(self):
        return self.shown

    def segments(self):
        return () if self.shown is EMPTY else SEGMENTS

    def market(self):
        return None if self.shown is EMPTY else MARKET

    def queue(self, state):
        items = tuple(
            QueueItem(held, self.history[name][-1] if self.history[name] else None)
            for name, held in self.held.items()
            if held.state is state
        )
        counts = {}
        for held in self.held.values():
            counts[held.state] = counts.get(held.state, 0) + 1
        return Queue(state, items, counts)

    def recommendation(self, recommendation_id):
        if recommendation_id not in self.held:
            raise Layer7Error("unknown_recommendation", "There is no such recommendation.", "See the list.")
        held = self.held[recommendation_id]
        etag = f"{recommendation_id}-{len(self.history[recommendation_id])}"
        return RecommendationView(
            held, self.history[recommendation_id], foreseen(held, actor="ada", at=NOW), etag
        )

    def decide(self, recommendation_id, action, *, why, actor, etag):
        view = self.recommendation(recommendation_id)
        if etag != view.etag:
            raise Layer7Error("version_changed", "It has changed since you opened it.", "Look again.")
        decision = decide(view.recommendation, action, why=why, actor=actor, at=NOW)
        self.history[recommendation_id] += (decision,)
        moved = json.loads(view.recommendation.model_dump_json()) | {"state": decision.to_state}
        self.held[recommendation_id] = OptimizationRecommendation.model_validate_json(json.dumps(moved))
        return decision


def holding(*scopes):
    """Make locks that let everybody in with one token, as `layer7.server.http.auth.require` makes them."""
    token = Token("0", "ada", frozenset(scopes), None, "2025-07-01T00:00:00+00:00", None, None)

    def require(*_):
        return lambda: token

    return require


def site(data, require=None):
    """Serve the pages with the headers and the error documents of the real app."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Guard, hosts=None, metrics=Metrics())
    app.include_router(router(data, require or holding(Scope.READ, Scope.REVIEW)))
    return app
