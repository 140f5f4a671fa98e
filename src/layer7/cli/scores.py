"""What the last night found of scores and timing: ``timing``, ``calibration``, ``fit-score``."""

from collections.abc import Mapping
from typing import TypeVar

import typer

from layer7.cli.terminal import HomeOption, JsonOption, opened, out, percent, print_json, print_table
from layer7.contract.evidence import Evidenced
from layer7.contract.fields import Interval
from layer7.contract.optimization import (
    RateRatio,
    ScoreCalibrationRecommendation,
    TimeRate,
)
from layer7.contract.score_weights import ComponentWeights
from layer7.storage.services import findings

Name = TypeVar("Name", bound=str)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("timing")(timing)
    app.command("calibration")(calibration)
    app.command("fit-score")(fit_score)


def timing(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show whether it matters when one applies, and when to follow up."""
    found = findings.timing(opened(home).runs)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(found.answer or "", highlight=False)
    best = found.best_day_of_week or found.best_time_of_day
    out.print(f"Best time: {best or 'none is proven'} (confidence {found.confidence})", highlight=False)
    _print_rates("By weekday", _paired(found.response_by_day, found.interview_by_day))
    _print_rates("By two hours, the person's clock", _paired(found.response_by_time, found.interview_by_time))
    for name, factor in found.factors.items():
        p = "cannot tell yet" if factor.p_value is None else f"p = {factor.p_value:.2g}"
        _print_ratios(f"Interviews by {name.replace('_', ' ')}, against the average: {p}", factor.levels)
    if found.follow_up_timing_days is not None:
        span = found.follow_up_interval
        out.print(
            f"Half of all answers have come by day {found.follow_up_timing_days:.1f}"
            + ("" if span is None else f" ({span[0]:.1f} to {span[1]:.1f})"),
            highlight=False,
        )
    out.print(f"What would change this: {found.what_would_change_this}", style="dim", highlight=False)


def _paired(
    answers: Mapping[Name, TimeRate], interviews: Mapping[Name, TimeRate]
) -> dict[str, tuple[TimeRate, TimeRate]]:
    return {str(name): (answers[name], each) for name, each in interviews.items()}


def _print_rates(title: str, rates: Mapping[str, tuple[TimeRate, TimeRate]]) -> None:
    rows = [
        (name, percent(answer.rate), _ends(answer), percent(each.rate), _ends(each), each.n)
        for name, (answer, each) in rates.items()
    ]
    print_table(title, ("when", "answered", "95 %", "interviewed", "95 %", "n"), rows)


def _ends(item: Evidenced) -> str:
    """Both ends in as few letters as two of them in a line of 80 leave."""
    return "" if item.interval is None else "{:.1f} to {:.1f}".format(*(100 * end for end in item.interval))


def _percents(item: Evidenced) -> str:
    return "" if item.interval is None else f"{percent(item.interval[0])} to {percent(item.interval[1])}"


def _print_ratios(title: str, ratios: Mapping[str, RateRatio]) -> None:
    rows = [
        (
            name,
            "cannot tell yet" if each.ratio is None else f"{each.ratio:.2f}",
            "" if each.interval is None else f"{each.interval[0]:.2f} to {each.interval[1]:.2f}",
            each.n,
        )
        for name, each in ratios.items()
    ]
    print_table(title, ("level", "rate ratio", "95 % interval", "n"), rows)


def calibration(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show whether the resume score promises what comes."""
    found = findings.calibration(opened(home).runs)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = [
        (name, percent(found.expected_rates.get(name)), percent(each.interview_rate), _percents(each), each.n)
        for name, each in found.calibration.items()
    ]
    print_table("Resume score", ("score", "promised", "came", "95 % interval", "n"), rows)
    mean = "cannot tell yet" if found.calibration_error is None else percent(found.calibration_error)
    out.print(f"Mean gap of promise and outcome: {mean} {_percents(found)}", highlight=False)
    if found.slope is not None and found.slope_interval is not None:
        low, high = found.slope_interval
        out.print(f"Slope {found.slope:.2f} ({low:.2f} to {high:.2f}); 1 is perfect", highlight=False)
    out.print(f"Recommendation: {found.recommendation}", highlight=False)
    _print_adjustment(found.adjustment)
    _print_component_weights(found.component_weights)


def _print_adjustment(found: ScoreCalibrationRecommendation | None) -> None:
    if found is None:
        return
    improved, mended = found.expected_improvement, found.suggested_adjustment
    out.print(
        f"{found.issue.replace('_', ' ').capitalize()}: error {percent(improved.current_calibration_error)}, "
        f"out of sample after mending {percent(improved.expected_calibration_error)}",
        highlight=False,
    )
    for name, points in mended.threshold_adjustments.items():
        out.print(f"{name} would have to move by {points:+.0f} points to keep its promise", highlight=False)


def _print_component_weights(found: ComponentWeights | None) -> None:
    if found is None:
        return
    out.print(f"Parts of the score: {found.answer}", highlight=False)
    learned, now = found.learned_weights or {}, found.current_weights or {}
    if learned or now:
        rows = _weighed({name: now.get(name) for name in now or learned}, learned, found.weight_intervals)
        print_table(f"Weights, {found.n} applications", ("part", "now", "learned", "95 % interval"), rows)
    if found.route is not None:
        out.print(f"What predicts better is tried first: {found.route}", style="dim", highlight=False)


def _weighed(
    current: Mapping[str, float | None], learned: Mapping[str, float], spans: Mapping[str, Interval]
) -> list[tuple[str, str, str, str]]:
    return [
        (
            name,
            "cannot tell" if weight is None else f"{weight:.2f}",
            f"{learned[name]:.2f}" if name in learned else "cannot tell yet",
            f"{spans[name][0]:.2f} to {spans[name][1]:.2f}" if name in spans else "",
        )
        for name, weight in current.items()
    ]


def fit_score(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show which parts of the fit score predict interviews, and whether other weights order better."""
    found = findings.fit_score(opened(home).runs)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(found.answer or "", highlight=False)
    rows = _weighed(found.current_weights, found.learned_weights or {}, found.weight_intervals)
    print_table(f"Weights, {found.n} applications", ("part", "now", "learned", "95 % interval"), rows)
    _print_ratios("Against target jobs of equal fit (predictive)", found.category_effects)
