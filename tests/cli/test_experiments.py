"""``layer7 experiments analyze``: any table, the numbers of the statistics; bad input is refused."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy import stats
from typer.testing import CliRunner

from layer7.cli.app import build
from layer7.errors import Layer7Error


@pytest.fixture(scope="module")
def units():
    rng = np.random.default_rng(9)
    n = 1200
    arm = rng.integers(0, 2, n)
    before = rng.normal(10, 3, n)
    return pa.table(
        {
            "user": [f"u{i}" for i in range(n)],
            "arm": np.where(arm == 1, "new", "old"),
            "spent": before + rng.normal(0.4 * arm, 2.0),
            "before": before,
            "loss": -before,
            "huge": before * 1e300,
            "endless": np.where(before > 10, np.inf, before),
            "offer": (rng.random(n) < 0.1 + 0.1 * arm).astype(int),
        }
    )


def run(file, *options, code=0):
    arguments = ["experiments", "analyze", str(file), "--unit", "user", "--variant", "arm", *options]
    done = CliRunner().invoke(build(arguments), arguments, catch_exceptions=True)
    if isinstance(done.exception, Layer7Error):
        return done.exception
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if "--json" in options else done.stdout


def test_csv_and_parquet_give_welchs_test(units, tmp_path):
    pyarrow.parquet.write_table(units, tmp_path / "ab.parquet")
    pyarrow.csv.write_csv(units, tmp_path / "ab.csv")
    asked = ("--control", "old", "--metric", "spent=mean:spent", "--covariate", "before", "--json")
    found = run(tmp_path / "ab.csv", *asked)
    result = found["metrics"]["spent"]["new"]
    again = run(tmp_path / "ab.parquet", *asked)["metrics"]["spent"]["new"]
    # The two readers hand rows over in parts of their own, so sums differ in their last digits.
    for name in ("absolute_difference", "p_value", "confidence_interval", "adjusted_interval"):
        assert result[name] == pytest.approx(again[name], rel=1e-9)
    arms = [units.filter(pa.compute.field("arm") == name)["spent"].to_numpy() for name in ("new", "old")]
    welch = stats.ttest_ind(*arms, equal_var=False)
    assert result["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
    assert result["absolute_difference"] == pytest.approx(arms[0].mean() - arms[1].mean())
    assert result["confidence_interval"] == pytest.approx(list(welch.confidence_interval(0.95)))
    low, high = result["adjusted_interval"]
    assert high - low < 0.7 * (welch.confidence_interval(0.95).high - welch.confidence_interval(0.95).low)
    assert found["sample_ratio_mismatch"]["p_value"] > 0.001
    assert found["blocked_by"] == []


def test_times_under_censoring_are_lifelines_restricted_means(tmp_path):
    """A few units with several rows: what they waited adds, and what happened in any row has happened."""
    rng = np.random.default_rng(11)
    n = 600
    arm = rng.integers(0, 2, n)
    waits, seen = rng.exponential(20 + 15 * arm), rng.uniform(5, 60, n)
    rows = {
        "user": np.arange(n), "arm": np.where(arm == 1, "new", "old"),
        "days": np.minimum(waits, seen), "hired": waits <= seen,
    }  # fmt: skip
    first = {**{name: column[:9] for name, column in rows.items()}, "days": np.zeros(9), "hired": [False] * 9}
    pyarrow.csv.write_csv(pa.concat_tables([pa.table(rows), pa.table(first)]), tmp_path / "ab.csv")
    found = run(
        tmp_path / "ab.csv", "--control", "old", "--metric", "wait=time30:days/hired",
        "--metric", "as_long_as_told=time:days/hired", "--metric", "too_long=time70:days/hired", "--json",
    )["metrics"]  # fmt: skip
    means, errors = [], []
    for name in ("old", "new"):
        own = rows["arm"] == name
        curve = KaplanMeierFitter().fit(rows["days"][own], rows["hired"][own])
        means.append(restricted_mean_survival_time(curve, t=30))
        errors.append(_greenwood(rows["days"][own], rows["hired"][own], 30))
    result = found["wait"]["new"]
    assert [result["control_metric"], result["treatment_metric"]] == pytest.approx(means, rel=1e-9)
    error = np.hypot(*errors)
    assert result["confidence_interval"] == pytest.approx(
        [means[1] - means[0] + sign * 1.959964 * error for sign in (-1, 1)], rel=1e-6
    )
    assert result["winner"] == "treatment"
    assert "restricted mean of 30 units" in result["method"]
    longer = found["as_long_as_told"]["new"]
    assert result["treatment_metric"] < longer["treatment_metric"] < 60
    assert found["too_long"]["new"]["p_value"] is None
    assert "shorter time" in found["too_long"]["new"]["blocked_by"][0]


def _greenwood(days, happened, horizon):
    """The standard error of a restricted mean, written down step by step."""
    order = np.argsort(days)
    share, before, area, steps = 1.0, 0.0, [], []
    for rank, at in enumerate(order):
        if days[at] >= horizon:
            break
        area.append(share * (days[at] - before))
        before, risk = days[at], days.size - rank
        if happened[at]:
            share *= 1 - 1 / risk
            steps.append((len(area), 1 / (risk * (risk - 1))))
    area.append(share * (horizon - before))
    return np.sqrt(sum(sum(area[after:]) ** 2 * step for after, step in steps))


def test_capped_means_are_those_of_the_values_clipped_at_the_quantiles_of_all_units(units, tmp_path):
    spent = units["spent"].to_numpy().copy()
    spent[:5] = 1e6
    table = units.set_column(2, "spent", pa.array(spent))
    pyarrow.parquet.write_table(table, tmp_path / "ab.parquet")
    found = run(
        tmp_path / "ab.parquet", "--control", "old", "--metric", "high=mean:spent", "--metric",
        "both=mean:spent", "--metric", "raw=mean:spent", "--winsorize", "high=0.99", "--winsorize",
        "both=0.02/0.98", "--json",
    )["metrics"]  # fmt: skip
    new = units["arm"].to_numpy() == "new"
    for name, low, high in (("high", 0, 0.99), ("both", 0.02, 0.98), ("raw", 0, 1)):
        values = np.clip(spent, *np.quantile(spent, (low, high)))
        welch = stats.ttest_ind(values[new], values[~new], equal_var=False)
        assert found[name]["new"]["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
    assert "the quantiles 0.02 and 0.98 of all units" in found["both"]["new"]["method"]


def test_a_table_a_person_reads(units, tmp_path):
    pyarrow.parquet.write_table(units, tmp_path / "ab.parquet")
    said = run(tmp_path / "ab.parquet", "--control", "old", "--metric", "offer=binomial:offer")
    assert "better" in said
    assert "95% interval" in said


@pytest.mark.parametrize("way", ["fixed", "gst", "anytime"])
def test_every_way_of_looking_names_its_guarantee(units, tmp_path, way):
    pyarrow.parquet.write_table(units, tmp_path / "ab.parquet")
    found = run(
        tmp_path / "ab.parquet", "--control", "old", "--metric", "offer=binomial:offer",
        "--sequential", way, "--planned", "2400", "--json",
    )  # fmt: skip
    assert {"fixed": "read once", "gst": "over all looks", "anytime": "however often"}[way] in found[
        "certificate"
    ]


def test_a_broken_split_blocks_the_verdict(units, tmp_path):
    mask = np.array([name == "old" or i % 2 == 0 for i, name in enumerate(units["arm"].to_pylist())])
    twice = units.slice(0, 30).set_column(1, "arm", pa.array(["old"] * 30))
    pyarrow.parquet.write_table(pa.concat_tables([units.filter(mask), twice]), tmp_path / "ab.parquet")
    found = run(tmp_path / "ab.parquet", "--control", "old", "--metric", "offer=binomial:offer", "--json")
    assert found["sample_ratio_mismatch"]["is_mismatch"]
    assert len(found["blocked_by"]) >= 1
    assert found["multiple_exposure"]["units"] > 0


def test_few_events_are_tested_exactly(tmp_path):
    rows = {
        "user": [f"u{i}" for i in range(78)],
        "arm": ["old"] * 40 + ["new"] * 38,
        "offer": [True] * 3 + [False] * 37 + [True] * 8 + [False] * 30,
    }
    pyarrow.parquet.write_table(pa.table(rows), tmp_path / "ab.parquet")
    result = run(tmp_path / "ab.parquet", "--control", "old", "--metric", "o=binomial:offer", "--json")
    result = result["metrics"]["o"]["new"]
    assert "Boschloo" in result["certificate"]
    assert result["p_value"] == pytest.approx(0.1121, abs=1e-3)
    assert result["winner"] is None


def test_what_cannot_be_told_is_said_to_be_so(tmp_path):
    rows = {"user": ["a", "b", "c"], "arm": ["old", "old", "new"], "x": [1.0, 1.0, float("nan")]}
    pyarrow.parquet.write_table(pa.table(rows), tmp_path / "ab.parquet")
    found = run(tmp_path / "ab.parquet", "--control", "old", "--metric", "x=mean:x", "--json")
    result = found["metrics"]["x"]["new"]
    assert (result["p_value"], result["confidence_interval"], result["winner"]) == (None, None, None)
    assert "needs at least 2" in result["blocked_by"][0]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--control", "old", "--metric", "spent"), "bad_metric"),
        (("--control", "old", "--metric", "m=magic:spent"), "unknown_metric_kind"),
        (("--control", "old", "--metric", "m=ratio:spent"), "bad_metric"),
        (("--control", "old", "--metric", "m=mean:nothing"), "unknown_column"),
        (("--control", "old", "--metric", "m=mean:spent", "--metric", "m=mean:before"), "bad_metric"),
        (("--control", "old", "--metric", "m=time:before"), "bad_metric"),
        (("--control", "old", "--metric", "m=time0:before/offer"), "bad_metric"),
        (("--control", "old", "--metric", "m=time:loss/offer"), "bad_duration"),
        (("--control", "old", "--metric", "m=mean:spent", "--winsorize", "m=much"), "bad_caps"),
        (("--control", "old", "--metric", "m=mean:spent", "--winsorize", "0.9"), "bad_caps"),
        (("--control", "old", "--metric", "m=mean:spent", "--winsorize", "m=0.9/0.1"), "bad_caps"),
        (("--control", "old", "--metric", "m=binomial:offer", "--winsorize", "m=0.9"), "bad_caps"),
        (("--control", "old", "--metric", "m=mean:spent", "--winsorize", "gone=0.9"), "unknown_metric"),
        (("--control", "old", "--metric", "m=mean:spent", "--lower-is-better", "gone"), "unknown_metric"),
        (("--control", "old", "--metric", "m=mean:arm"), "wrong_type"),
        (("--control", "gone", "--metric", "m=mean:spent"), "unknown_variant"),
        (("--control", "old", "--metric", "m=mean:spent", "--alpha", "0.9"), "bad_alpha"),
        (("--control", "old", "--metric", "m=mean:spent", "--allocation", "old=half"), "bad_split"),
        (("--control", "old", "--metric", "m=mean:spent", "--covariate", "a/b/c"), "bad_metric"),
        (("--control", "old", "--metric", "m=p0:spent"), "bad_metric"),
        (("--control", "old", "--metric", "m=mean:huge"), "not_finite"),
        (("--control", "old", "--metric", "m=mean:endless"), "not_finite"),
        (("--control", "old", "--metric", "m=mean:spent", "--allocation", "old=0.6"), "bad_split"),
        (
            (
                "--control",
                "old",
                "--metric",
                "m=mean:spent",
                "--allocation",
                "old=0.5",
                "--allocation",
                "x=0.5",
            ),
            "bad_split",
        ),
        (
            (
                "--control",
                "old",
                "--metric",
                "m=mean:spent",
                "--allocation",
                "old=2",
                "--allocation",
                "new=-1",
            ),
            "bad_split",
        ),
        (
            ("--control", "old", "--metric", "m=mean:spent", "--sequential", "gst", "--looks", "x"),
            "bad_looks",
        ),
    ],
)
def test_bad_questions_are_refused(units, tmp_path, options, code):
    pyarrow.parquet.write_table(units, tmp_path / "ab.parquet")
    assert run(tmp_path / "ab.parquet", *options).code == code


def test_units_that_nobody_can_count_are_said_to_be_so(tmp_path):
    """All in both arms; none at all; the same in everybody; a single one in each arm."""
    n = 40
    twice = {"user": [*range(n), *range(n)], "arm": ["old"] * n + ["new"] * n, "x": [1.0] * 2 * n}
    asked = ("--control", "old", "--metric", "x=binomial:x", "--metric", "q=median:x")

    def told(table, *more):
        pyarrow.parquet.write_table(pa.table(table), tmp_path / "units.parquet")
        return run(tmp_path / "units.parquet", *asked, *more)

    assert "All 40 units were in several variants" in str(told(twice))
    nobody = pa.table(twice).slice(0, 0)
    assert told(dict(zip(nobody.column_names, nobody.columns, strict=True))).code == "no_units"
    alike = {**twice, "user": list(range(2 * n))}
    for rows in (alike, {name: [column[0], column[-1]] for name, column in alike.items()}):
        for result in told(rows, "--json")["metrics"].values():
            said = result["new"]
            assert (said["p_value"], said["confidence_interval"]) == (None, None)
            assert said["blocked_by"]


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "x.txt").write_text("a")
    (tmp_path / "x.parquet").write_text("a")
    asked = ("--control", "old", "--metric", "m=mean:spent")
    (tmp_path / "x.csv").write_text("")
    (tmp_path / "y.csv").write_text("user,arm,spent\n1,old,\n2,new,\n")
    (tmp_path / "z.csv").write_text("user,arm,spent\n" + "1,old,2\n" * 25_000 + "2,new,much\n")
    names = ("none.csv", "x.txt", "x.parquet", "x.csv", "y.csv", "z.csv")
    codes = [run(tmp_path / name, *asked).code for name in names]
    assert codes == [
        "no_such_file", "unknown_format", "unreadable_file", "empty_file", "wrong_type", "unreadable_file",
    ]  # fmt: skip
