"""When to apply, and when to follow up: usually there is no evidence that it matters (specification 5.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from layer7.contract.analytics import Weekday
from layer7.contract.fields import FrozenDict
from layer7.contract.optimization import RateRatio, TimeRate, TimingFactor, TimingInsights
from layer7.contract.recommendation import Evidence, OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.optimization.recommendation import Finding, Grounds, Nature, Origin, Proposal, recommend
from layer7.statistics import (
    FactorEffect,
    FollowUp,
    Interval,
    LevelEffect,
    Sent,
    SilenceMoments,
    follow_up,
    timing_effects,
)

Name = TypeVar("Name", bound=str)

PARAMETER = "follow_up_timing"
# Three factors are looked at every night: together a false word in 1.5 % of nights at most.
ALPHA = 0.005
LEVEL = 0.95
FOLLOW_UP_LEVEL = 0.99
EARLIEST, LATEST = 1, 90
WEEKDAYS: tuple[Weekday, ...] = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
WINDOWS = tuple(f"{hour:02d}:00-{hour + 2:02d}:00" for hour in range(0, 24, 2))
AGES = ("under 2 days", "2 to 6 days", "7 days or more")
_NAMES: Mapping[str, Sequence[str]] = {"weekday": WEEKDAYS, "time_of_day": WINDOWS, "posting_age": AGES}
_SAID = {"weekday": "weekday", "time_of_day": "time of day", "posting_age": "age of the posting"}
METHOD = (
    "conditional likelihood within people, score tests with a design effect for people and employers, "
    "random effects; silence as censored"
)
FOLLOW_UP_METHOD = "median of the delays of answers in the cure model; jackknife over folds of people"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingAdvice:
    """What a night says of timing.

    Args:
        insights: the specification's table and figures.
        follow_up: the delays of answers.
        recommendation: another day to follow up; None where nothing is proven.
    """

    insights: TimingInsights
    follow_up: FollowUp
    recommendation: OptimizationRecommendation | None


def advise(
    sent: tuple[Sent, Sent], folds: Sequence[SilenceMoments], current: float, *, people: int, origin: Origin
) -> TimingAdvice:
    """Say when interviews and answers come, and whether the time of applying matters.

    A best day or time is named only if weekday (or time of day) is proven to matter for *interviews*: joint
    test below 0.005, and the level's whole interval above the average. Answers are reported beside, since a
    quick rejection is an answer too. What is found is how a person's own applications differ; only an
    experiment can say that moving one helps.

    Another day to follow up is recommended if, with 99 % confidence, the day in force is not the one by
    which half of all answers have come. It goes through an experiment first.

    Args:
        sent: the applications with interviews, and the same with answers, as events.
        folds: delays of answers in folds of people.
        current: the day of the follow-up in force.
        people: how many people there are.
        origin: when, and from what.
    """
    interviews, answers = (timing_effects(each, alpha=ALPHA, level=LEVEL) for each in sent)
    waits = follow_up(folds, current, level=FOLLOW_UP_LEVEL)
    n = int(sent[0].events.size)
    insights = _insights(interviews, answers, waits, n).model_copy(update={"window": origin.window})
    return TimingAdvice(
        insights=insights,
        follow_up=waits,
        recommendation=_recommendation(waits, current, people, origin),
    )


def _insights(
    interviews: Mapping[str, FactorEffect], answers: Mapping[str, FactorEffect], waits: FollowUp, n: int
) -> TimingInsights:
    day, time = interviews["weekday"].best, interviews["time_of_day"].best
    by_time = answers["time_of_day"].levels
    return TimingInsights(
        best_day_of_week=None if day is None else WEEKDAYS[day],
        best_time_of_day=None if time is None else WINDOWS[time],
        response_rate_by_day={
            name: each.rate for name, each in zip(WEEKDAYS, answers["weekday"].levels, strict=True)
        },
        response_rate_by_hour={hour: by_time[hour // 2].rate for hour in range(24)},
        confidence="low" if day is None and time is None else "high",
        response_by_day=_rates(answers["weekday"], WEEKDAYS),
        interview_by_day=_rates(interviews["weekday"], WEEKDAYS),
        response_by_time=_rates(answers["time_of_day"], WINDOWS),
        interview_by_time=_rates(interviews["time_of_day"], WINDOWS),
        factors={name: _factor(each, _NAMES[name]) for name, each in interviews.items()},
        follow_up_timing_days=waits.days,
        follow_up_interval=_pair(waits.interval),
        needed=_needed(interviews),
        answer=_answer(interviews, n),
        n=n,
        level=LEVEL,
        method=METHOD,
        what_would_change_this=_change(interviews),
    )


def _rates(effect: FactorEffect, names: Sequence[Name]) -> Mapping[Name, TimeRate]:
    return FrozenDict({name: _rate(each) for name, each in zip(names, effect.levels, strict=True)})


def _rate(effect: LevelEffect) -> TimeRate:
    known = effect.rate_low is not None and effect.rate_high is not None
    return TimeRate(
        rate=effect.rate,
        n=effect.n,
        interval=(effect.rate_low or 0.0, effect.rate_high or 0.0) if known else None,
        level=LEVEL if known else None,
    )


def _factor(effect: FactorEffect, names: Sequence[str]) -> TimingFactor:
    ratios = {
        name: RateRatio(
            ratio=each.ratio,
            n=each.n,
            interval=None if each.low is None or each.high is None else (each.low, each.high),
            level=None if each.ratio is None else LEVEL,
        )
        for name, each in zip(names, effect.levels, strict=True)
    }
    test = effect.test
    return TimingFactor(
        p_value=None if test is None else test.p_value,
        matters=None if test is None else test.p_value < ALPHA,
        levels=FrozenDict(ratios),
        needed=effect.needed,
        n=sum(each.n for each in effect.levels),
        method=METHOD,
    )


def _needed(interviews: Mapping[str, FactorEffect]) -> int | None:
    """What is missing before anything can be said of any factor."""
    if any(effect.test is not None for effect in interviews.values()):
        return None
    return min((effect.needed for effect in interviews.values() if effect.needed), default=None)


def _answer(interviews: Mapping[str, FactorEffect], n: int) -> str:
    needed = _needed(interviews)
    if needed is not None:
        return (
            f"Cannot tell yet whether timing matters: about {needed:,} more applications, to many employers."
        )
    proven = [_SAID[name] for name, each in interviews.items() if each.test and each.test.p_value < ALPHA]
    unknown = [_SAID[name] for name, each in interviews.items() if each.test is None]
    words = [f"no evidence that it matters when one applies ({n:,} applications)"]
    if proven:
        words = [f"{' and '.join(proven)} predict interviews within people ({n:,} applications)"]
    if unknown:
        words.append(f"nothing can be said of {' and '.join(unknown)} yet")
    told = "; ".join(words)
    return f"{told[0].upper()}{told[1:]}."


def _change(interviews: Mapping[str, FactorEffect]) -> str:
    wanted = [each.needed for each in interviews.values() if each.needed]
    if any(each.best is not None for each in interviews.values()):
        return f"Further applications on which the joint test gives p above {ALPHA}."
    if wanted:
        return (
            f"About {max(wanted)} more applications would show a level with 1.25 times as many interviews; "
            f"a joint test with p below {ALPHA}."
        )
    return f"A joint test with p below {ALPHA}; 1.25 times as many interviews would have been found."


def _pair(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


def _recommendation(
    waits: FollowUp, current: float, people: int, origin: Origin
) -> OptimizationRecommendation | None:
    if waits.days is None or waits.current is None or waits.current_interval is None:
        return None
    better = float(min(max(round(waits.days), EARLIEST), LATEST))
    if 0.5 in waits.current_interval or better == current:
        return None
    proposal = Proposal(
        component=Component.ORCHESTRATOR,
        parameter=PARAMETER,
        current_value=current,
        recommended_value=better,
        nature=Nature.BEHAVIOURAL,
        size=min(abs(better - current) / (LATEST - EARLIEST), 1.0),
        grounds=Grounds.OBSERVATION,
    )
    return recommend(proposal, _finding(waits, current, people), origin)


def _finding(waits: FollowUp, current: float, people: int) -> Finding:
    share, span = waits.current or 0.0, _pair(waits.current_interval) or (0.0, 1.0)
    gaps = sorted(abs(end - 0.5) for end in span)
    days = _pair(waits.interval) or (0.0, 0.0)
    return Finding(
        reasoning=f"By day {current:g}, {share:.0%} ({span[0]:.0%} to {span[1]:.0%}) of all answers that "
        f"ever come have come; half have by day {waits.days:.1f} ({days[0]:.1f} to {days[1]:.1f}). To those "
        f"who are silent until then, an answer still comes in {waits.still or 0.0:.0%}.",
        evidence=Evidence(
            metric_improved="distance_of_answered_share_from_half",
            improvement_amount=abs(share - 0.5),
            sample_size=waits.answers,
            confidence_interval=(gaps[0], gaps[1]),
            p_value=None,
        ),
        users_affected=people,
        expected_benefit="Follow-ups go out when most of those who answer by themselves have answered. "
        "Whether they bring interviews is not known: an experiment says.",
        method=FOLLOW_UP_METHOD,
        what_would_change_this="Delays of further answers whose median is near the day in force.",
    )
