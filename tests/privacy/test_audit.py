"""An attacker at the end of the real way: events, log, applications, contributions, ledger, release.

Nine faults that a release can have are kept here, each put into the shipped code in its turn: an audit that
would not find them proves nothing.
"""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit import SHAPES, TORTURE, audited
from children import small_settings
from layer7.analytics.release.contributions import (
    Reading,
    contribution_rows,
    segment_of,
    sent_in,
    to_contributions,
    week_of,
)
from layer7.analytics.segments.membership import memberships
from layer7.contract.vocabulary import Purpose
from layer7.privacy import bounding
from layer7.privacy.bounding import Bounded
from layer7.privacy.cells import SCALE, CellTable, Layout
from layer7.privacy.noise import noisy
from layer7.storage.database.schema import consents
from layer7.storage.decisions import releases as ledger
from layer7.storage.home import open_home
from layer7.storage.warehouse.reading import Horizon

CANARIES = 20_000 if TORTURE else 600
OVERSPENT = 1.1 if TORTURE else 1.25
RHO = 0.5
MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOW = MONDAY + timedelta(days=80)
FIRST = dict(zip(SHAPES, np.cumsum([0, *(shape.cells for shape in SHAPES.values())]), strict=False))
CELLS = CANARIES * sum(shape.cells for shape in SHAPES.values())
LAYOUT = Layout(
    [CellTable("cell", tuple(f"c{at}" for at in range(CELLS)), ("answered",), 3)], rho_micro=round(RHO * 1e6)
)
READING = Reading(
    LAYOUT.tables[0], "industry", lambda texts: texts.select("text", cell=texts.text.substr(1).cast("int32"))
)
_weeks = count()


def cell(shape, canary, part):
    return FIRST[shape] * CANARIES + canary * SHAPES[shape].cells + part


def canary_events(present):
    """The applications of those canaries that are in."""
    for name, shape in SHAPES.items():
        for canary in np.flatnonzero(present[name]):
            for part in range(shape.cells):
                for row in range(shape.rows):
                    job = {"industry": f"c{cell(name, canary, part)}"}
                    yield {
                        "event_type": "APPLICATION_SUBMITTED",
                        "user_id": f"{name} {canary}",
                        "timestamp": (MONDAY + timedelta(minutes=row)).isoformat(),
                        "application_id": f"{name} {canary} {part} {row}",
                        "job_id": f"{part} {row}",
                        "resume_version_id": "r",
                        "context": {"job_characteristics": job},
                    }


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A home that has taken the canaries' events in, and what they contribute to a week."""
    rng, folder = np.random.default_rng(11), tmp_path_factory.mktemp("audit")
    present = {name: rng.random(CANARIES) < 0.5 for name in SHAPES}
    home = open_home(folder / "home", small_settings())
    (folder / "log").mkdir()
    pq.write_table(pa.Table.from_pylist(list(canary_events(present))), folder / "log" / "events.parquet")
    taken = home.ingest.files([folder / "log"], now=lambda: NOW, progress=lambda *_: None)
    assert taken.quarantined == 0
    said = {
        "purpose": Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS.value,
        "source": "test",
        "at": MONDAY.isoformat(),
    }
    with home.state.write() as connection:
        connection.execute(
            consents.insert(),
            [
                {"person": home.keys.person(f"{name} {canary}"), "value": "yes" if shape.agrees else "no"}
                | said
                for name, shape in SHAPES.items()
                for canary in range(CANARIES)
            ],
        )
    home.warehouse.fold(Horizon(NOW.date(), NOW), at=NOW, progress=lambda _: None)
    week = week_of(int(MONDAY.timestamp()))
    with home.warehouse.open() as tables:
        applications, events = tables.read("applications"), tables.read("events")
        sent = sent_in(applications, segment_of(memberships(applications, events)), range(week, week + 1))
        rows = contribution_rows(sent, readings=[READING]).to_pyarrow()
    return home, present, *to_contributions(rows, LAYOUT.metrics)


def shaped(rows):
    """Put in what no event can bring: values outside of what is possible, and the rows of who has many."""
    values, repeat = rows.values.copy(), np.ones(len(rows.cell), np.int64)
    for name, shape in SHAPES.items():
        own = (rows.cell >= cell(name, 0, 0)) & (rows.cell < cell(name, CANARIES, 0))
        if name in {"out-of-range", "nan"}:
            values[own] = shape.value
        repeat[own] = shape.rows
    at = np.repeat(np.arange(len(rows.cell)), repeat)
    return bounding.Contributions(rows.person[at], rows.cell[at], values[at], rows.keys)


def attacked(world):
    """Release a week, and give what an attacker can tell of each shape of canary."""
    home, present, rows, people = world
    drawn = home.releases.draw(1000 * next(_weeks), shaped(rows), people, layout=LAYOUT, at=NOW)
    released, rng = drawn.noisy / SCALE, np.random.default_rng(5)
    told = {}
    for name, shape in SHAPES.items():
        own = released[cell(name, 0, 0) : cell(name, CANARIES, 0)].reshape(CANARIES, shape.cells, -1)
        told[name] = audited(own, present[name], LAYOUT.sigma, rng)
    return told


def broken(told):
    return {name for name, found in told.items() if found.breaks(RHO if SHAPES[name].agrees else 0.0)}


@pytest.fixture
def patch(monkeypatch):
    """Let a year cost more than is promised: at the true cost of a week every attack is a coin's throw."""
    monkeypatch.setattr(ledger, "YEAR_MICRO", 10**9)
    return monkeypatch


class _Weaker(Layout):
    """A layout that makes noise for less than one person can do."""

    def __init__(self, length, rho=RHO):
        super().__init__(LAYOUT.tables, rho_micro=round(rho * 1e6))
        self.length = length

    @property
    def l2(self):
        return self.length


def no_cell_cap(patch):
    patch.setattr(bounding, "_chosen", lambda person, *_args, **_more: np.ones(len(person), bool))


def no_row_cap(patch):
    def every(rows, _layout, _key):
        shares = np.clip(np.nan_to_num(rows.values), 0, 1)
        return Bounded(rows.person, rows.cell, np.rint((shares - 0.5) * SCALE).astype(np.int64))

    patch.setattr(ledger, "bounded", every)


def no_clip(patch):
    patch.setattr(bounding.np, "clip", lambda values, *_: values)


def ignores_opt_out(patch):
    class Everybody:
        def __contains__(self, _person):
            return True

    patch.setattr(ledger, "allowing_within", lambda *_: Everybody())


def count_only_sensitivity(patch):
    patch.setattr(ledger, "noisy", lambda exact, _: noisy(exact, _Weaker(SCALE * 3**0.5)))


def one_cell_sensitivity(patch):
    patch.setattr(ledger, "noisy", lambda exact, _: noisy(exact, _Weaker(SCALE * 1.25**0.5)))


def fresh_noise_for_a_retry(patch):
    patch.setattr(ledger, "noisy", lambda exact, at: (noisy(exact, at) + noisy(exact, at)) // 2)


def suppressed_on_the_true_count(patch):
    patch.setattr(ledger, "noisy", lambda exact, at: np.where(exact[:, :1] == 0, 0, noisy(exact, at)))


def overspent(patch):
    patch.setattr(ledger, "noisy", lambda exact, _: noisy(exact, _Weaker(LAYOUT.l2, RHO * OVERSPENT)))


FAULTS = {
    no_cell_cap: {"many-cells"},
    no_row_cap: {"many-rows"},
    no_clip: {"out-of-range"},
    ignores_opt_out: {"opted-out"},
    count_only_sensitivity: {"many-cells"},
    one_cell_sensitivity: {"many-cells"},
    fresh_noise_for_a_retry: {"many-cells"},
    suppressed_on_the_true_count: {"legal-max"},
    overspent: {"many-cells"},
}


def test_the_shipped_way_keeps_its_claim(world, patch):
    del patch
    told = attacked(world)
    assert broken(told) == set(), told


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_known_fault_is_found(world, patch, fault):
    fault(patch)
    told = attacked(world)
    patch.undo()
    assert broken(told) >= FAULTS[fault], told
