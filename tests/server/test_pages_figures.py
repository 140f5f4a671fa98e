"""The charts of the pages, their colours, and how their numbers are printed."""

import re
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.contract.evidence import RateEvidence
from layer7.contract.recommendation import Evidence
from layer7.server.pages import (
    SilencePoint,
    WeekRate,
    charts,
    figures,
)
from server.made_up_pages import FULL

PAGES = files("layer7.server.pages")


# Charts and colours.


def test_charts_use_the_colours_of_the_style_sheet_only():
    specs = (charts.weekly_rate(FULL.weeks, 0.04), charts.silence(FULL.silence))
    sheet = (PAGES / "static" / "pages.css").read_text()
    for spec in specs:
        colours = set(re.findall(r"var\((--[\w-]+)\)", str(spec)))
        assert colours
        assert all(f"{colour}:" in sheet for colour in colours)
        assert not re.search(r"#[0-9a-f]{6}", str(spec))


def test_the_band_is_left_out_where_no_interval_is_known():
    without = charts.silence([SilencePoint(0, 0.04), SilencePoint(1, 0.03)])
    within = charts.silence([SilencePoint(0, 0.04, 0.03, 0.05), SilencePoint(1, 0.03, 0.02, 0.04)])
    kinds = [[layer["mark"]["type"] for layer in spec["layer"]] for spec in (without, within)]
    assert kinds == [["line", "circle", "rule"], ["area", "line", "circle", "rule"]]


def test_one_thin_week_does_not_flatten_the_others():
    thin = (WeekRate(date(2025, 1, 6), 0.04, 0.03, 0.05, 900), WeekRate(date(2025, 1, 13), 0.05, 0, 0.9, 3))
    assert "'domain': [0, 0.15" in str(charts.weekly_rate(thin))
    assert "'domain': [0" not in str(charts.weekly_rate(thin[:1]))


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0, 5))
def test_a_whisker_keeps_the_order_of_its_numbers(value, below, above):
    at = charts.whisker(value, (value - below, value + above))
    if at is not None:
        assert 8 <= at.low <= at.point <= at.high <= 92
        assert 8 <= at.zero <= 92
    assert charts.whisker(None, None) is None


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_asks_for_at_level_aa(scheme):
    """WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1, by its definition of relative luminance."""
    block = re.findall(r":root \{(.*?)\}", (PAGES / "static" / "pages.css").read_text(), flags=re.DOTALL)
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[scheme]))
    pairs = [(ink, paper) for ink in ("ink", "muted", "accent") for paper in ("ground", "card")]
    pairs += [("ink", "tint"), ("accent", "tint"), ("on-accent", "accent"), ("card", "bad")]
    for kind in ("good", "bad", "open"):
        pairs += [(kind, f"{kind}-tint"), (kind, "card"), ("ink", f"{kind}-tint")]
    pairs += [("accent", "good-tint")]
    for ink, paper in pairs:
        low, high = sorted((luminance(named[ink]), luminance(named[paper])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


# Numbers.


@given(st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_printed_rate_never_leaves_its_printed_interval(value, below, above):
    low, high = max(0.0, value - below), min(1.0, value + above)
    shown = float(figures.percent(value, low, high).removesuffix("\u00a0%"))
    ends = [float(end) for end in figures.interval(low, high).removesuffix("\u00a0%").split(" to ")]
    assert ends[0] <= shown <= ends[1]


@given(st.floats(0, 1))
def test_only_everything_is_printed_as_all_and_nothing_as_none(value):
    said = figures.share(value)
    assert (said == "100\u00a0%") == (value == 1)
    assert (said == "0\u00a0%") == (value == 0)


@pytest.mark.parametrize(
    ("amount", "interval", "written"),
    [
        (None, None, "cannot tell yet"),
        (0.0213, None, "+0.021"),
        (-0.5, (-1.0, 0.2), "\u22120.5 (\u22121.0 to 0.2)"),
        (0.0, (-0.01, 0.01), "0.000 (\u22120.010 to 0.010)"),
    ],
)
def test_gains_are_signed(amount, interval, written):
    found = Evidence(
        metric_improved="interviews",
        improvement_amount=amount,
        sample_size=3,
        confidence_interval=interval,
        p_value=None,
    )
    assert figures.gain(found) == written


@pytest.mark.parametrize(
    ("value", "low", "high", "sentence"),
    [
        (0.0012, 0.0008, 0.0017, "Of 1,000 applications about 1.2 lead on"),
        (0.00012, 0.00008, 0.00017, "Of 10,000 applications about 1.2 lead on"),
        (0.044, 0.042, 0.046, "Of 100 applications about 4.4 lead on"),
        (0.31, 0.2, 0.43, "Of 100 applications about 31 lead on"),
    ],
)
def test_a_rate_is_told_in_whole_things(value, low, high, sentence):
    rate = RateEvidence(value=value, low=low, high=high, n=9, events=1, method="cure model")
    assert figures.in_words(rate, "lead on")[0] == sentence
