"""Segments are read by their own delays: late ones no longer look silent, alike ones stay as they were."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.fates import INTERVIEW, REJECTION, SILENT, unseen_of
from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.segments.delays import LEAST_ANSWERS, unseen_ratios
from layer7.statistics import fit_silence

TODAY = 20_600
AS_OF = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=TODAY)


def fates(rng, n, *, median, p=0.1, r=0.35, window=60):
    """Applications of 60 days: interviews after log-normal delays, rejections after twice as long."""
    age, luck = rng.uniform(0, window, n), rng.random(n)
    heard, refused = (median * factor * np.exp(1.4 * rng.standard_normal(n)) for factor in (1, 2))
    kind = np.full(n, SILENT)
    kind[(luck < p) & (heard <= age)] = INTERVIEW
    kind[(luck >= p) & (luck < p + r) & (refused <= age)] = REJECTION
    delay = np.where(kind == INTERVIEW, heard, np.where(kind == REJECTION, refused, 0)).astype(np.int64)
    return ((TODAY - age.astype(np.int64)) << 20) + (delay << 8) + (kind << 6)


def counted(segments):
    tables = []
    for place, found in enumerate(segments):
        fate, n = np.unique(found, return_counts=True)
        named = {"scheme": ["industry"] * fate.size, "segment": [place] * fate.size}
        tables.append(pa.table(named | {"fate": fate, "n": n}))
    return pa.concat_tables(tables)


def everyone(table):
    return outlook(fit_silence(to_silence_moments(table, AS_OF)), AS_OF)


def rates(seed, medians):
    """The rates of segments by the delays of everyone and by their own; interviews in all are a tenth."""
    rng = np.random.default_rng(seed)
    segments = [fates(rng, 4000, median=median) for median in medians]
    table = counted(segments)
    night = everyone(table)
    ratios = unseen_ratios(table, night, groups=len(segments))
    heard = np.array([((found >> 6) & 3 == INTERVIEW).sum() for found in segments])
    hidden = np.array([unseen_of(found, night).sum() for found in segments])
    return heard / (4000 - hidden), heard / (4000 - ratios * hidden)


def test_a_segment_that_is_answered_late_is_told_its_own_rate():
    """Twelve markets in which one half is answered after 4 days, the other after 20, at the same rate."""
    plain, own = (
        np.array(found) for found in zip(*(rates(seed, (4, 20)) for seed in range(12)), strict=True)
    )
    late = np.abs(own[:, 1].mean() - 0.1)
    # The standard error of a mean of 12 rates of about 0.1 over some 2,500 trials each is 0.0018; the delays
    # are estimated beside it, which doubles it.
    assert late < 3 * 0.0036
    assert plain[:, 1].mean() < 0.1 - 3 * 0.0036
    assert own[:, 0].mean() == pytest.approx(0.1, abs=3 * 0.0018)


def test_segments_alike_stay_as_they_were():
    plain, own = rates(7, (6, 6))
    assert own == pytest.approx(plain, rel=0.05)


def test_a_segment_of_few_answers_is_read_by_the_delays_of_everyone():
    rng = np.random.default_rng(3)
    few = fates(rng, 2 * LEAST_ANSWERS, median=20)
    table = counted([fates(rng, 4000, median=4), few])
    ratios = unseen_ratios(table, everyone(table), groups=3)
    assert ratios[1:].tolist() == [1.0, 1.0]
    assert ratios[0] != 1.0
    shuffled = table.take(pa.array(rng.permutation(table.num_rows)))
    assert unseen_ratios(shuffled, everyone(table), groups=3).tolist() == ratios.tolist()


def test_nothing_is_told_of_nothing_and_of_silence():
    nobody = counted([np.array([], np.int64)])
    silent = counted([np.full(30, TODAY << 20)])
    for table in (nobody, silent):
        assert unseen_ratios(table, everyone(table), groups=2).tolist() == [1.0, 1.0]
