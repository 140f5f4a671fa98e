"""What is known of people in general: ``segments``, and ``market``."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from layer7.cli.terminal import HomeOption, JsonOption, opened, out, percent, print_json, print_table
from layer7.contract.analytics import Comparison, UserSegment
from layer7.contract.evidence import Evidenced
from layer7.contract.market import MarketInsights
from layer7.storage.services.survey import Survey

InsideOption = Annotated[
    bool,
    typer.Option("--inside", help="As counted, without noise: for those who run this, never for others."),
]

segments = typer.Typer(help="How segments of people fare, and what goes with success in them.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(segments, name="segments", no_args_is_help=True)
    app.command("market")(market)


@segments.command("list")
def list_segments(
    *, inside: InsideOption = False, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """List the segments that others may see, the largest first."""
    survey = Survey(opened(home))
    found = survey.inside() if inside else survey.segments()
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    if not found:
        out.print(
            "No segment can be shown: it takes a night (`layer7 nightly`), and as many people of one kind as "
            "are told of together."
        )
        return
    rows = [
        (each.segment_id, each.user_count, percent(each.avg_interview_rate), _percents(each), each.n)
        for each in found
    ]
    print_table("Segments", ("segment", "people", "interview rate", "95 % interval", "applications"), rows)
    # Without a release, the rate of everyone is that of published studies, and its method says so.
    out.print(found[0].method or "", style="dim", highlight=False)


@segments.command("show")
def show(
    segment_id: Annotated[str, typer.Argument(help="Its name, as `segments list` gives it.")],
    *,
    inside: InsideOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a segment fares; with --inside also what goes with success and failure in it."""
    found = Survey(opened(home)).segment(segment_id, inside=inside)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"[bold]{found.segment_id}[/], {found.user_count:,} people", highlight=False)
    out.print(f"interview rate {percent(found.avg_interview_rate)} ({_percents(found)}), n = {found.n:,}")
    out.print(f"applications per interview: {_number(found.avg_applications_to_interview)}")
    out.print(f"weeks to an offer, of those who get one: {_weeks(found)}")
    if not inside:
        out.print(found.method or "", style="dim")
        out.print(found.what_would_change_this or "", style="dim")
        return
    good = ((each.strategy, *_compared(each)) for each in found.successful_strategies)
    bad = ((each.pattern, *_compared(each)) for each in found.common_pitfalls)
    columns = ("what", "rests on", "effect", "95 % interval", "raw odds ratio, only predicts", "n")
    print_table("Goes with success", columns, good)
    print_table("Goes with failure", columns, bad)
    out.print(found.what_would_change_this or "", style="dim")


def market(*, inside: InsideOption = False, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what the job market does, over those who contribute to that."""
    found = Survey(opened(home)).market(inside=inside)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"[bold]Market[/], {found.period.start} to {found.period.end}", highlight=False)
    if found.contributors is None:
        out.print("; ".join(filter(None, (f"never answered: {_ghosted(found)}", found.method))))
        out.print(found.what_would_change_this or "")
        return
    out.print(f"{found.contributors:,} people contribute; never answered: {_ghosted(found)}")
    out.print(f"days to the first answer: {_days(found)}")
    _lists(found)
    for name, words in found.missing.items():
        out.print(f"Not told: {name.replace('_', ' ')}. {words}", style="dim")


def _lists(found: MarketInsights) -> None:
    columns = ("", "postings", "answered", "95 % interval", "n")
    industries = (
        (each.industry, each.job_postings, percent(each.avg_response_rate), _percents(each), each.n)
        for each in found.most_active_industries
    )
    places = (
        (each.location, each.openings, percent(each.avg_response_rate), _percents(each), each.n)
        for each in found.hottest_locations
    )
    levels = (
        (str(level), each.openings, percent(each.avg_response_rate), _percents(each), each.n)
        for level, each in found.demand_by_level.items()
    )
    _print_known("Industries", columns, industries)
    _print_known("Locations", columns, places)
    _print_known("Levels", columns, levels)
    skills = (
        (each.skill, f"{each.demand_score:.1f}", _number(each.avg_salary), each.salary_n)
        for each in found.hottest_skills
    )
    _print_known("Skills", ("", "percent of postings", "mean salary", "salaries"), skills)
    if found.months:
        months = ((each.month, f"{each.ratio:.2f}", _ends(each.interval), each.n) for each in found.months)
        print_table("Months against the year", ("", "ratio", "95 % interval", "n"), months)


def _print_known(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, or that nothing is in it that enough people tell of."""
    if known := list(rows):
        print_table(title, columns, known)
    else:
        out.print(f"{title}: none of which enough people tell", highlight=False)


def _percents(each: Evidenced) -> str:
    return "" if each.interval is None else " to ".join(percent(end) for end in each.interval)


def _ends(ends: Iterable[float] | None) -> str:
    return "" if ends is None else " to ".join(f"{end:.2f}" for end in ends)


def _number(value: float | None) -> str:
    return "cannot tell yet" if value is None else f"{value:,.1f}"


def _compared(each: Comparison) -> tuple[str, str, str, str, int]:
    raw = "" if each.raw_odds_ratio is None else f"{each.raw_odds_ratio:.2f}"
    if each.difference is not None:
        ends = each.difference_interval or ()
        points = " to ".join(f"{100 * end:+.1f}" for end in ends)
        return (
            f"experiment {each.experiment_id}",
            f"{100 * each.difference:+.1f} points",
            points,
            raw,
            each.n or 0,
        )
    ratio = "" if each.odds_ratio is None else f"odds ratio {each.odds_ratio:.2f}"
    return "the same persons, predicts", ratio, _ends(each.odds_ratio_interval), raw, each.n or 0


def _weeks(found: UserSegment) -> str:
    time = found.time_to_offer
    if time is None or time.value is None:
        return f"cannot tell yet, about {time.needed if time else 'some'} more offers"
    return f"{time.value:.1f} ({time.low:.1f} to {time.high:.1f}), {time.events} offers"


def _days(found: MarketInsights) -> str:
    time = found.first_response
    if time is None or time.value is None:
        return "cannot tell yet"
    return f"{time.value:.1f} ({time.low:.1f} to {time.high:.1f}), of answers within {time.horizon} days"


def _ghosted(found: MarketInsights) -> str:
    evidence = found.evidence.get("ghosting_rate")
    if evidence is None or evidence.value is None:
        return "cannot tell yet"
    return f"{percent(evidence.value)} ({percent(evidence.low)} to {percent(evidence.high)})"
