"""The scoreboard: figures are pooled as they should be, verdicts are honest, and the log is the engine's."""

import json
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, simulate, to_events, write_events
from layer7.simulation.scoreboard import (
    MEASURES,
    Figure,
    Kind,
    Mark,
    Measure,
    Pair,
    Trial,
    Unit,
    Verdict,
    run,
)
from layer7.simulation.scoreboard.calibration import sketched_rule
from layer7.simulation.scoreboard.censoring import last_four_weeks
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.lost_logs import bounded
from layer7.simulation.scoreboard.modes import alarms, threshold_of
from layer7.simulation.scoreboard.runner import seed_of
from layer7.simulation.scoreboard.table import key_of, markdown, merged, replaced, short, to_row
from layer7.simulation.scoreboard.verdict import Estimate, estimate, judge, verdict
from layer7.storage.warehouse.reading import Horizon

ROOT = Path(__file__).parents[2]
START = date(2026, 3, 2)


def throw(seed):
    """A hundred throws of a die: how often it shows a six, and what it shows on average."""
    dice = np.random.default_rng(seed).integers(1, 7, 100)
    return {
        "six": Pair(Figure(float((dice == 6).sum()), 100)),
        "mean": Pair(Figure(float(dice.mean())), None),
    }


DICE = Trial(name="dice", run=throw, short=3, full=40)


def line(key="six", kind=Kind.SHARE, mark=Mark(0.1, 0.25), trial=DICE):  # noqa: B008
    return Measure(
        scenario="S0", name=key, unit=Unit.PERCENT, kind=kind, mark=mark, naive="", trial=trial, key=key
    )  # fmt: skip


def test_a_mean_by_hand():
    found = estimate([Figure(1.0), Figure(2.0), Figure(6.0), None], Kind.MEAN)
    assert (found.value, found.told, found.n) == (3.0, 3, 3.0)
    assert found.error == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    assert (found.low + found.high) / 2 == pytest.approx(3.0)
    assert found.high - 3.0 == pytest.approx(4.302653 * found.error, rel=1e-6)


def test_a_share_by_hand():
    """Wilson's interval of 20 in 200 is 0.066 to 0.149; clusters that differ count for less."""
    even = estimate([Figure(1, 10)] * 20, Kind.SHARE)
    assert (even.value, even.n, even.told) == (0.1, 200, 20)
    assert (round(even.low, 4), round(even.high, 4)) == (0.0657, 0.1494)
    lumps = estimate([Figure(10, 10), *[Figure(0, 10)] * 9] * 2, Kind.SHARE)
    assert lumps.value == 0.1
    assert lumps.error > 3 * even.error
    assert lumps.high - lumps.low > 2 * (even.high - even.low)


def test_no_event_still_has_an_upper_end():
    none = estimate([Figure(0.0)] * 200, Kind.SHARE)
    assert (none.value, none.low) == (0.0, 0.0)
    assert 0.015 < none.high < 0.02


def test_a_rate_of_rare_events_is_never_known_to_be_zero():
    """Reference: Garwood (1936): no event leaves an upper end of 3.689, four events 1.090 to 10.242."""
    none = estimate([Figure(0.0, 0.5)] * 20, Kind.RATE)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(3.6889 / 10, rel=1e-4)
    four = estimate([Figure(2.0, 0.5)] * 2, Kind.RATE)
    assert (four.low, four.high) == pytest.approx((1.0899, 10.2416), rel=1e-4)


def test_a_median_has_the_interval_of_order_statistics():
    """Reference: Conover (1999), section 3.2: of 10 values the 2nd and the 9th bound the median at 97.9 %."""
    found = estimate([Figure(float(x)) for x in range(1, 11)], Kind.MEDIAN)
    assert (found.value, found.low, found.high) == (5.5, 2.0, 9.0)
    assert estimate([Figure(1.0), Figure(2.0)], Kind.MEDIAN).low is None


def test_what_cannot_tell_is_left_out_and_counted():
    found = judge(line(), [Pair(None), Pair(Figure(0, 0)), Pair(Figure(20, 100))])
    assert (found.engine.told, found.replications, found.naive.value) == (1, 3, None)
    assert judge(line(), [Pair(None)]).verdict is Verdict.UNTOLD


@pytest.mark.parametrize(
    ("low", "high", "mark", "said"),
    [
        (0.01, 0.04, Mark(high=0.05), Verdict.PASS),
        (0.04, 0.06, Mark(high=0.05), Verdict.UNTOLD),
        (0.06, 0.09, Mark(high=0.05), Verdict.SHORT),
        (0.91, 0.97, Mark(0.9, 0.98), Verdict.PASS),
        (0.80, 0.85, Mark(low=0.9), Verdict.SHORT),
        (None, None, Mark(low=0.9), Verdict.UNTOLD),
    ],
)
def test_verdicts(low, high, mark, said):
    assert verdict(Estimate(value=0.5, low=low, high=high), mark) is said


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(9, 20)), min_size=2, max_size=30), st.randoms())
def test_the_order_of_replications_does_not_matter(counts, dice):
    figures = [Figure(float(k), float(n)) for k, n in counts]
    mixed = dice.sample(figures, len(figures))
    for kind in Kind:
        before, after = estimate(figures, kind), estimate(mixed, kind)
        assert (before.value, before.low) == pytest.approx((after.value, after.low))


def test_intervals_of_shares_cover():
    """Of 400 runs of 40 throws by the hundred the true sixth is inside as often as 95 % says."""
    covered = 0
    for repeat in range(400):
        pairs = [throw(1000 * repeat + i)["six"].engine for i in range(40)]
        found = estimate(pairs, Kind.SHARE)
        covered += found.low <= 1 / 6 <= found.high
    assert 0.915 <= covered / 400 <= 0.98


def test_a_line_gives_the_same_alone_and_among_others():
    alone = run([line()], replications=5)[0]
    among = run([line("mean", Kind.MEAN), line()], replications=5)[1]
    assert alone == among
    assert alone.replications == 5
    assert seed_of(DICE, 0) == seed_of(DICE, 0) != seed_of(Trial(name="other", run=throw, short=1, full=1), 0)


def test_forms_and_progress():
    told = []
    found = run([line(), line("mean", Kind.MEAN)], short=True, progress=lambda *at: told.append(at))
    assert ([one.replications for one in found], told[-1]) == ([3, 3], (3, 3))
    for wrong in ({"replications": 0}, {"jobs": 0}):
        with pytest.raises(Layer7Error):
            run([line()], **wrong)


def test_the_lines_are_well_made():
    keys = [(measure.scenario, measure.name) for measure in MEASURES]
    assert len(set(keys)) == len(keys)
    names = {measure.trial.name: measure.trial for measure in MEASURES}
    assert all(names[measure.trial.name] == measure.trial for measure in MEASURES)
    for measure in MEASURES:
        assert measure.mark.low is not None or measure.mark.high is not None
        assert measure.trial.short <= measure.trial.full
        assert measure.kind is not Kind.SHARE or measure.trial.full >= 200


def test_the_log_in_memory_is_the_log_of_the_door(home, tmp_path):
    """The same market, taken in by the real door and folded by a real night."""
    history = simulate(SCENARIOS["default"], people=12, weeks=3, start=START, rng=np.random.default_rng(8))
    files = write_events(to_events(history), tmp_path)
    with replay(history) as log:
        end = log.end
        home.ingest.files(files, now=lambda: end, progress=lambda *_: None)
        day = end.date() - timedelta(days=1)
        home.warehouse.fold(Horizon(day, end), at=end, progress=lambda _: None)
        found = log.at(end)
        mine, known = found.applications.to_pyarrow(), found.events.count().to_pyarrow().as_py()
    with home.warehouse.open() as tables:
        theirs = tables.read("applications").to_pyarrow()
        counted = tables.read("events").count().to_pyarrow().as_py()
    kept = [name for name in theirs.column_names if name not in {"person", "bucket"}]
    assert known == counted
    assert mine.select(kept).sort_by("application_id") == theirs.select(kept).sort_by("application_id")
    assert len(set(mine["person"].to_pylist())) == len(set(theirs["person"].to_pylist()))


def test_a_trial_gives_all_that_its_lines_ask_for():
    told = partial(last_four_weeks, SCENARIOS["S2"], 25, 8)(3)
    assert {measure.key for measure in MEASURES if measure.scenario == "S2"} == set(told)
    assert told["bias"].naive.value < told["bias"].engine.value


def test_the_sketched_rule():
    served = dict.fromkeys(("0-49", "50-59", "60-69", "70-79", "80-89", "90-100"), 0.05)
    assert sketched_rule(dict.fromkeys(served, 0.08), served)
    assert not sketched_rule(dict.fromkeys(served, 0.06), served)
    assert not sketched_rule(dict.fromkeys(served), served)


def test_rows_of_earlier_runs_are_kept():
    old, new = to_row(run([line()], replications=2)[0]), to_row(run([line()], replications=3)[0])
    other = line("mean", Kind.MEAN)
    assert merged([old], [new], [other, line()]) == (new,)
    assert merged([old], [], [other]) == ()
    page = "before\n<!-- scoreboard: begin -->\nold\n<!-- scoreboard: end -->\nafter"
    assert replaced(page, [new]).startswith("before\n<!-- scoreboard: begin -->\n| scenario |")
    assert replaced("no markers", [new]) == "no markers"


def test_the_short_table_hides_no_line_that_falls_short():
    made = run([line()], replications=3)[0]
    rows = [
        to_row(made) | {"scenario": scenario, "measure": name, "verdict": verdict}
        for scenario, name, verdict in (
            ("A", "one", "pass"),
            ("A", "two", "falls short"),
            ("A", "three", "cannot tell yet"),
            ("B", "four", "cannot tell yet"),
        )
    ]
    told = replaced("x<!-- scoreboard: first lines --><!-- scoreboard: end -->", rows)
    assert [name for name in ("one", "two", "three", "four") if name in told] == ["one", "two", "four"]
    assert "4 lines in all. Pass: 1, falls short: 1, cannot tell yet: 2." in told


@pytest.mark.parametrize(("page", "table"), [("README.md", short), ("docs/scoreboard.md", markdown)])
def test_the_pages_show_what_was_measured(page, table):
    """If this fails: `layer7 scoreboard --scenario S... --write .` for the lines that changed."""
    rows = json.loads((ROOT / "docs" / "scoreboard.json").read_text("utf-8"))
    assert table(rows) in (ROOT / page).read_text("utf-8")
    assert [key_of(row) for row in rows] == [(measure.scenario, measure.name) for measure in MEASURES]
    marks = [{"low": measure.mark.low, "high": measure.mark.high} for measure in MEASURES]
    assert [row["mark"] for row in rows] == marks
    assert [row["known"] for row in rows] == [measure.known for measure in MEASURES]


def test_unlogged_interviews_are_counted_in_the_truth():
    told = bounded(40, 3)
    assert {measure.key for measure in MEASURES if measure.scenario == "S11"} == set(told)
    assert told["inside"].engine.value == 1.0


def test_thresholds_and_alarms_are_judged_against_what_was_planted():
    told = threshold_of(SCENARIOS["S5a"], 40, 9, 1)
    assert {measure.key for measure in MEASURES if measure.scenario == "S5"} == set(told)
    assert told["distance"].engine.value == 7.0
    found = alarms(60, 20, 1)
    assert {measure.key for measure in MEASURES if measure.scenario == "S6"} == set(found)
    assert found["false"].naive.value >= found["false"].engine.value
