"""What silence means is everybody's: one who applies to thousands of jobs does not decide it."""

from datetime import UTC, date, datetime

import ibis
import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.fates import INTERVIEW, REJECTION, SILENT, fate_counts
from layer7.nightly.measuring import MOST_A_MONTH, counted, of_everybody
from layer7.nightly.night import Night
from layer7.statistics import fit_silence
from layer7.storage.warehouse.reading import MONTHS, Horizon
from nights import MEASURED, NOW, night

END = datetime(2026, 1, 1, tzinfo=UTC)
DAY = int(END.timestamp()) // 86_400


def fate(age, kind, delay=0):
    """By hand: the day from bit 20 on, 12 bits of delay from bit 8, 2 bits of kind from bit 6."""
    return ((DAY - age) << 20) | (delay << 8) | (kind << 6)


def month(person, fates):
    return {"person": person, "fates": sorted(fates)}


def people(count=60):
    dice = np.random.default_rng(1)
    for at in range(count):
        kinds = dice.choice([SILENT, INTERVIEW, REJECTION], size=40, p=[0.6, 0.1, 0.3])
        yield month(
            f"p{at}", [fate(int(dice.integers(60, 85)), int(kind), 5 if kind else 0) for kind in kinds]
        )


def answered(rows):
    months = ibis.memtable(pa.Table.from_pylist(rows))
    counts = fate_counts(months.select(fate=months.fates.unnest())).to_pyarrow()
    taken = of_everybody(months, counts)
    model = fit_silence(to_silence_moments(taken, END))
    return taken, model.unseen_by_day(30)[3]


def test_one_with_thousands_of_applications_counts_as_a_few_hundred():
    usual = list(people())
    before, chance = answered(usual)
    flood = month("bot", [fate(60 + at % 25, SILENT) for at in range(20_000)])
    after, beside = answered([*usual, flood])
    more = sum(after["n"].to_pylist()) - sum(before["n"].to_pylist())
    assert MOST_A_MONTH / 2 < more <= MOST_A_MONTH
    assert beside == pytest.approx(chance, rel=0.2)


def test_where_nobody_sends_so_many_everything_counts():
    usual = list(people(3))
    taken, _ = answered(usual)
    assert sum(taken["n"].to_pylist()) == 120


def test_what_came_of_a_large_month_stays_in_proportion():
    """A thousand on one day, four in ten of them answered: of the part that counts, too."""
    kinds = [INTERVIEW] * 100 + [REJECTION] * 300 + [SILENT] * 600
    after, _ = answered([month("busy", [fate(70, kind, 5 if kind else 0) for kind in kinds])])
    told = to_silence_moments(after, END)
    assert told.interviews.sum() / told.n == pytest.approx(0.1, abs=0.01)
    assert told.rejections.sum() / told.n == pytest.approx(0.3, abs=0.01)


def test_a_replay_counts_from_the_log_what_the_night_counted(home, take, make_event):
    """One person sends 400 in a month, every tenth leads to an interview; others send a few."""
    log = []
    for at in range(440):
        said = {"user_id": "busy" if at < 400 else f"u{at % 5}", "application_id": f"a{at}"}
        log.append(make_event(**said, timestamp=f"2026-01-{1 + at % 28:02}T09:00:00Z"))
        if at % 10 == 0:
            heard = {"event_type": "STATUS_CHANGED", "outcome": {"status": "interview"}}
            log.append(make_event(**said, **heard, timestamp="2026-02-10T09:00:00Z"))
    take(home, log, at=NOW)
    night(home, date(2026, 3, 1), only=MEASURED)
    at_work = Night(home, Horizon(date(2026, 3, 1), NOW), 1, lambda: NOW, lambda _: None)
    end = at_work.horizon.end
    with home.warehouse.open() as tables:
        months = tables.read(MONTHS)
        every = fate_counts(months.select(fate=months.fates.unnest())).to_pyarrow()
        kept = to_silence_moments(of_everybody(months, every), end)
        again = counted(at_work.log(tables).applications, end)
    assert 200 < kept.n < 440
    for name in ("interviews", "rejections", "silent"):
        assert getattr(again, name).tolist() == getattr(kept, name).tolist()
