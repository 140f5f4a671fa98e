"""Moments of arms: by hand on a few rows, and the laws of adding and leaving out."""

import ibis
import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.trials.arms import (
    TableMetric,
    arm_moments,
    arm_quantiles,
    rows_and_units,
    to_arms,
    units_by_arm,
    units_of,
)
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error

METRICS = (
    TableMetric(name="paid", shape=MetricShape.BINOMIAL, columns=("paid",)),
    TableMetric(name="spent", shape=MetricShape.MEAN, columns=("spent",), before=("old",)),
    TableMetric(name="rate", shape=MetricShape.RATIO, columns=("hits", "tries")),
    TableMetric(name="days", shape=MetricShape.QUANTILE, columns=("spent",)),
)


def table(rows):
    names = ("who", "group", "paid", "spent", "old", "hits", "tries")
    columns = list(zip(*rows, strict=True))
    return ibis.memtable(pa.table(dict(zip(names, map(list, columns), strict=True))))


ROWS = [
    ("a", "x", False, 2.0, 1.0, 1, 4),
    ("a", "x", True, 3.0, 1.0, 0, 2),
    ("b", "y", False, float("nan"), 5.0, 3, 3),
    ("c", "y", True, 7.0, 2.0, 2, 5),
    ("d", "x", True, 1.0, 0.0, 1, 1),
    ("d", "y", True, 1.0, 0.0, 1, 1),
    (None, "y", True, 9.0, 9.0, 9, 9),
    ("e", None, True, 9.0, 9.0, 9, 9),
]


def counted(rows):
    units = units_of(table(rows), unit="who", arm="group", metrics=METRICS)
    return arm_moments(units, METRICS).to_pyarrow(), units


def test_rows_of_a_unit_add_and_units_in_two_arms_are_left_out():
    moments, _ = counted(ROWS)
    arms = to_arms(moments, METRICS)
    assert units_by_arm(moments) == ({"x": 1, "y": 2}, 1)
    assert arms["paid"]["x"].sums.tolist() == [1.0]
    assert arms["spent"]["x"].sums.tolist() == [5.0, 2.0]
    assert arms["spent"]["x"].products.tolist() == [[25.0, 10.0], [10.0, 4.0]]
    assert (arms["spent"]["y"].n, arms["paid"]["y"].n) == (1.0, 2.0)
    assert arms["rate"]["y"].products.tolist() == [[13.0, 19.0], [19.0, 34.0]]


def test_units_with_a_single_row_need_not_be_brought_together():
    alone = table([ROWS[0], ROWS[2], ROWS[3], ROWS[4], *ROWS[6:]])
    sizes = [
        rows_and_units(of, unit="who", arm="group").to_pyarrow().to_pylist() for of in (alone, table(ROWS))
    ]
    assert sizes == [[{"rows": 4, "units": 4}], [{"rows": 6, "units": 4}]]
    plain, grouped = (
        arm_moments(
            units_of(alone, unit="who", arm="group", metrics=METRICS, once=once), METRICS
        ).to_pyarrow()
        for once in (True, False)
    )
    assert plain.equals(grouped)


def test_quantiles_have_their_order_statistics():
    rng = np.random.default_rng(2)
    rows = [
        (f"u{i}", "x" if i % 2 else "y", True, float(v), 0.0, 1, 1)
        for i, v in enumerate(rng.normal(0, 1, 4000))
    ]
    _, units = counted(rows)
    found = arm_quantiles(units, 3, METRICS[3], {"x": 2000, "y": 2000}).to_pyarrow().to_pylist()
    for row in found:
        assert row["low"] < row["value"] < row["high"]
        # The median of n normals has a standard error of 1.2533 / sqrt(n).
        assert (row["high"] - row["low"]) / 3.92 == pytest.approx(1.2533 / 2000**0.5, rel=0.2)


def test_what_is_no_number_is_refused():
    with pytest.raises(Layer7Error) as raised:
        counted_of("group")
    assert raised.value.code == "wrong_type"
    with pytest.raises(Layer7Error) as raised:
        counted_of("nothing")
    assert raised.value.code == "unknown_column"
    with pytest.raises(Layer7Error) as raised:
        TableMetric(name="r", shape=MetricShape.RATIO, columns=("hits",))
    assert raised.value.code == "bad_metric"


def counted_of(column):
    metric = TableMetric(name="m", shape=MetricShape.MEAN, columns=(column,))
    return units_of(table(ROWS), unit="who", arm="group", metrics=[metric])
