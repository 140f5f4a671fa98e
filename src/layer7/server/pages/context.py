"""From frozen data to what the templates print: pure functions, one for each page."""

from collections.abc import Mapping
from dataclasses import dataclass

from layer7.contract.lifecycle import State
from layer7.contract.recommendation import Evidence
from layer7.contract.vocabulary import Route
from layer7.review import NEEDS_REASON, Action, Decision, NextStep, next_step
from layer7.server.pages import charts, figures
from layer7.server.pages.views import (
    Overview,
    QualityLine,
    Queue,
    RecommendationView,
    SilencePoint,
    WeekRate,
)

Context = dict[str, object]
"""What a template is given, by name."""

SHOWN_DAYS = (0, 1, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180)
"""Days of silence that the table lists; the chart has all."""

STATES: Mapping[State, str] = {
    State.PROPOSED: "Waiting",
    State.SENT_BACK: "Sent back",
    State.APPROVED: "Approved",
    State.APPLIED: "Applied",
    State.REJECTED: "Rejected",
    State.ROLLED_BACK: "Rolled back",
    State.SUPERSEDED: "Superseded",
}
"""What each state of a recommendation is called on the pages."""

STANDING: Mapping[State, str] = {
    State.PROPOSED: "It waits for a decision.",
    State.SENT_BACK: "It was sent back, and comes again when the question has an answer.",
    State.APPROVED: "It is approved and not in force yet.",
    State.APPLIED: "It is in force.",
    State.REJECTED: "It was rejected; nothing changes.",
    State.ROLLED_BACK: "It was in force and was taken back.",
    State.SUPERSEDED: "A newer recommendation took its place.",
}
"""What each state means, in a sentence."""

ROUTES: Mapping[Route, str] = {
    Route.A_B_TEST: "Tested first",
    Route.MANUAL_REVIEW: "Applied once approved",
    Route.AUTO_APPLY: "Applies by itself",
}
"""What each route is called on the pages."""

ACTIONS: Mapping[Action, str] = {
    Action.APPROVE: "Approve",
    Action.REJECT: "Reject",
    Action.SEND_BACK: "Send back",
    Action.APPLY: "Apply",
    Action.ROLL_BACK: "Roll back",
}
"""What each action is called on its button."""

_FOLLOWS = {
    NextStep.APPLY: "Next, it is applied.",
    NextStep.EXPERIMENT: "Next comes its experiment; nothing changes for everybody before the verdict.",
    NextStep.REVISE: "It may be proposed again.",
    NextStep.NONE: "",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word about a measure and how it is coloured: ``good``, ``bad``, ``open`` or nothing."""

    text: str
    kind: str


def overview_context(overview: Overview) -> Context:
    """Prepare the first page.

    Args:
        overview: what the night found.

    Example:
        >>> empty = Overview(as_of=None, people=0, applications=0, funnel=(), weeks=(), quality=(),
        ...     silence=(), last_run=None, waiting=0)
        >>> overview_context(empty)["weekly"] is None
        True
    """
    told = any(week.value is not None for week in overview.weeks)
    overall = overview.rate.value if overview.rate else None
    return {
        "overview": overview,
        "headline": figures.in_words(overview.rate, "lead to an interview") if overview.rate else None,
        "weekly": charts.weekly_rate(overview.weeks, overall) if told else None,
        "weekly_words": weekly_words(overview.weeks),
        "silence": charts.silence(overview.silence) if len(overview.silence) > 1 else None,
        "silence_words": silence_words(overview.silence, overview.ghosted_after),
        "silence_rows": [point for point in overview.silence if point.day in SHOWN_DAYS],
        "quality": [(line, verdict(line)) for line in overview.quality],
    }


def weekly_words(weeks: tuple[WeekRate, ...]) -> str:
    """Say what the chart of the interview rate shows, without claiming a trend.

    Args:
        weeks: oldest first.

    Example:
        >>> from datetime import date
        >>> weekly_words((WeekRate(date(2025, 1, 6), None, None, None, 3),))
        'No week has enough applications for a rate yet.'
    """
    told = [week for week in weeks if week.value is not None]
    if not told:
        return "No week has enough applications for a rate yet."
    last = told[-1]
    span = figures.interval(last.low, last.high)
    return (
        f"Latest week that can be told, from {figures.day(last.week)}:"
        f" {figures.percent(last.value, last.low, last.high)}"
        f" ({span + '; ' if span else ''}n = {figures.count(last.n)})."
        " Applications that are still silent count for what may yet come of them, so the latest weeks"
        " have wide bands."
    )


def silence_words(points: tuple[SilencePoint, ...], ghosted_after: int | None) -> str:
    """Say what silence means.

    Args:
        points: by day.
        ghosted_after: days after which the chance is below 1 %, or None.

    Example:
        >>> silence_words((SilencePoint(14, 0.012),), 17).replace(figures.SPACE, " ")[:64]
        'After 14 days of silence an interview still comes in 1.2 % of ca'
    """
    if not points:
        return "No interview was seen yet, so we cannot tell what silence means."
    fortnight = min(points, key=lambda point: abs(point.day - 14))
    chance = figures.percent(fortnight.chance, fortnight.low, fortnight.high)
    days = figures.counted(fortnight.day, "day")
    words = f"After {days} of silence an interview still comes in {chance} of cases."
    if ghosted_after is None:
        return words
    return (
        f"{words} From day {figures.count(ghosted_after)} on it is fewer than 1 in 100 (dashed), and the"
        " application is shown as ghosted until an answer comes."
    )


def verdict(line: QualityLine) -> Verdict:
    """Say whether a measure reaches its target, as far as its interval allows.

    Args:
        line: the measure.

    Example:
        >>> verdict(QualityLine("completeness", 0.97, 0.95, 200, low=0.94, high=0.99)).text
        'cannot tell yet'
    """
    if line.value is None:
        return Verdict(figures.CANNOT_TELL, "open")
    if line.target is None:
        return Verdict("", "")
    low = line.value if line.low is None else line.low
    high = line.value if line.high is None else line.high
    if low >= line.target:
        return Verdict("on target", "good")
    return Verdict("below target", "bad") if high < line.target else Verdict(figures.CANNOT_TELL, "open")


def queue_context(queue: Queue) -> Context:
    """Prepare the list of recommendations.

    Args:
        queue: the recommendations in one state.

    Example:
        >>> queue_context(Queue(State.PROPOSED, (), {}))["tabs"]
        [(<State.PROPOSED: 'proposed'>, 'Waiting', 0)]
    """
    tabs = [
        (state, name, queue.counts.get(state, 0))
        for state, name in STATES.items()
        if state in {State.PROPOSED, queue.state} or queue.counts.get(state, 0)
    ]
    items = [
        (item, charts.whisker(found.improvement_amount, found.confidence_interval))
        for item in queue.items
        for found in (item.recommendation.evidence,)
    ]
    return {"queue": queue, "tabs": tabs, "items": items, "routes": ROUTES, "states": STATES}


def recommendation_context(
    view: RecommendationView, *, may_decide: bool = True, done: str = "", why: str = "", attempted: str = ""
) -> Context:
    """Prepare the page of one recommendation.

    Args:
        view: the recommendation with its history and what decisions would do.
        may_decide: whether the reader may; else nothing is offered.
        done: the action that was just taken, by the address; told only when the history agrees.
        why: the reason as it was typed, to be kept when the decision was refused.
        attempted: the action that was refused.

    Example:
        >>> sorted(ACTIONS) == sorted(Action)
        True
    """
    recommendation, last = view.recommendation, view.history[-1] if view.history else None
    found = recommendation.evidence
    return {
        "view": view,
        "recommendation": recommendation,
        "offered": view.consequences if may_decide else {},
        "standing": STANDING[recommendation.state],
        "whisker": charts.whisker(found.improvement_amount, found.confidence_interval),
        "gain_words": gain_words(found),
        "confirmation": _confirmation(last, recommendation.recommendation)
        if last and done == last.action
        else "",
        "needs_reason": NEEDS_REASON,
        "why": why,
        "attempted": attempted,
        "actions": ACTIONS,
        "routes": ROUTES,
        "states": STATES,
    }


def gain_words(evidence: Evidence) -> str:
    """Say what the interval of a gain means.

    Args:
        evidence: what speaks for a recommendation.

    Example:
        >>> gain_words(Evidence(metric_improved="m", improvement_amount=1.0, sample_size=9,
        ...     confidence_interval=(-1.0, 3.0), p_value=None))
        'The interval holds zero: the data do not rule out that nothing is gained, or that something is lost.'
    """
    if evidence.improvement_amount is None:
        return "How much it would gain cannot be told yet."
    if evidence.confidence_interval is None:
        return "The gain has no interval, so how sure it is cannot be told."
    low, high = evidence.confidence_interval
    if low > 0:
        return "The whole interval lies above zero."
    if high < 0:
        return "The whole interval lies below zero: the data speak against it."
    return (
        "The interval holds zero: the data do not rule out that nothing is gained, or that something is lost."
    )


def _confirmation(last: Decision, route: Route) -> str:
    said = STATES[last.to_state].lower()
    follows = _FOLLOWS[next_step(last.action, route)]
    return f"Recorded: {said} by {last.actor}, {figures.moment(last.at)}. {follows}".rstrip()
