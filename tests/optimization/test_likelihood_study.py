"""Are promises kept on real employers: the 9,784 applications of the correspondence study, each unseen."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.cells.chances import SCALES, TEXTS, to_chances
from layer7.optimization.likelihood import LikelihoodModel, train
from layer7.optimization.likelihood.judging import TOLERATED, scores, split
from layer7.statistics.chances.forecasts import Promises, calibration_error, kept

FILE = Path(__file__).parents[2] / "examples" / "correspondence_study.csv"
FOLDS = 5
LEARNED, ASKED = 1_500_000_000, 1_500_086_400
"""The file has no times: a fifth at a time, drawn by lot, is called later than the rest."""

TEXT = ("person", *TEXTS, "company", "tailored")


def applications():
    """One row per application; who applied is one of 28: an ethnicity and a gender."""
    with FILE.open(encoding="utf-8") as file:
        study = [row for row in csv.DictReader(file) for _ in range(int(row["n"]))]
    columns = {name: [None] * len(study) for name in (*TEXT, *SCALES)} | {
        "person": [f"{row['ethnicity']} {row['gender']}" for row in study],
        "title": [row["occupation"] for row in study],
        "bucket": [0.0] * len(study),
        "event": [float(row["contacted"]) for row in study],
        "seen": [1.0] * len(study),
    }
    kinds = {name: pa.string() if name in TEXT else pa.float64() for name in columns}
    return pa.table({name: pa.array(column, kinds[name]) for name, column in columns.items()})


def held_out(rows, folds, number):
    """The applications that are learned from, and a fifth that is not."""
    sent = pa.array(np.where(folds == number, ASKED, LEARNED))
    timed = rows.append_column("seconds", sent)
    order = [("person", "ascending"), ("seconds", "ascending")]
    return split(to_chances(timed.sort_by(order), {}), ASKED)


@pytest.fixture(scope="module")
def parts():
    rows = applications()
    folds = np.random.default_rng(0).integers(0, FOLDS, rows.num_rows)
    return [held_out(rows, folds, number) for number in range(FOLDS)]


def promised(parts, learn):
    """What is promised of each application by what was learned from the other four fifths."""
    told = []
    for before, after in parts:
        asked = after.attempts
        told.append((scores(learn(before), before, after).whole, asked.events, asked.trials, asked.person))
    return Promises(*(np.concatenate(columns) for columns in zip(*told, strict=True)))


def test_promises_to_unseen_applications_are_kept(parts):
    """Contacts that came / promised, the slope, and the gap by tenths, as a night asks before it adopts."""
    given = promised(parts, lambda before: train(before, trained_to=ASKED))
    told = kept(given)
    assert (given.person.size, told.events) == (9784, 3542)
    assert told.ratio == pytest.approx(1.0, abs=0.03)
    assert TOLERATED[0] < told.slope < TOLERATED[1]
    assert told.slope_interval.low < 1 < told.slope_interval.high
    assert calibration_error(given) < 0.02
    usual = np.log(told.events / (told.n_eff - told.events))
    flat = Promises(np.full(9784, usual), given.events, given.trials, given.person)
    assert given.loss.sum() < flat.loss.sum()


def test_a_model_that_never_saw_the_study_promises_too_little_and_too_extremely(parts):
    """A third bring a contact: averages alone, drawn to the usual 4 % of cold applications, are found out."""
    told = kept(promised(parts, lambda _before: LikelihoodModel()))
    assert told.ratio_interval.low > 1
    assert told.slope_interval.high < 1
