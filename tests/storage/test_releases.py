"""The ledger of releases: drawn once, charged once, together or not at all; changes show."""

import json
import multiprocessing as mp
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from children import PRELOAD, draw_weeks
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.privacy.bounding import Contributions
from layer7.privacy.budget import EPOCHS_A_YEAR, YEAR
from layer7.privacy.cells import SCALE, CellTable, Layout
from layer7.storage.database.schema import consents, participations
from layer7.storage.database.schema import releases as table
from layer7.storage.database.state import Act
from layer7.storage.decisions import releases as ledger

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARKET = Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS
LAYOUT = Layout([CellTable("a", ("x", "y"), ("m",), 1)])


def agree(home, people, value="yes", at="2026-01-01T00:00:00+00:00"):
    said = {"purpose": MARKET.value, "value": value, "at": at, "source": "test"}
    with home.state.write() as connection:
        connection.execute(consents.insert(), [{"person": person, **said} for person in people])


def people(home, n):
    return tuple(home.keys.person(f"user {at}") for at in range(n))


def rows(names, cell=0):
    n = len(names)
    keys = np.array([int(name[:16], 16) for name in names], np.uint64)
    return Contributions(np.arange(n), np.full(n, cell), np.ones((n, 1)), keys)


def draw(home, epoch, names, layout=LAYOUT):
    return home.releases.draw(epoch, rows(names), names, layout=layout, at=NOW)


@pytest.fixture
def plain(monkeypatch):
    """Releases without noise, to see what is under it; gives the vectors that noise was asked for."""
    asked = []
    monkeypatch.setattr(ledger, "noisy", lambda exact, _layout: asked.append(exact) or exact)
    return asked


def test_a_week_is_drawn_once_whoever_asks_again(any_home):
    names = people(any_home, 5)
    agree(any_home, names[:3])
    first = draw(any_home, 100, names)
    again = draw(any_home, 100, ())
    assert (first.noisy == again.noisy).all()
    assert first.noisy.shape == (2, 2)
    assert [any_home.releases.spent(name) for name in names] == [(100,)] * 3 + [()] * 2
    assert any_home.releases.verify() == 1
    assert [found.epoch for found in any_home.releases.of(LAYOUT.spec, range(90, 110))] == [100]
    assert any_home.releases.of("another layout", range(90, 110)) == ()


def test_many_at_once_draw_one(home, plain):
    names = people(home, 20)
    agree(home, names)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda at: draw(home, 100 + at % 3, names).epoch, range(18)))
    assert sorted(set(found)) == [100, 101, 102]
    assert len(plain) == 3, "noise is asked for once a week: nobody can average it away"
    assert home.releases.spent(names[0]) == (100, 101, 102)


def test_who_says_no_moves_nothing_bit_for_bit(home, plain):
    """With and without any number of people who opted out the vectors are the same."""
    names = people(home, 60)
    agree(home, names)
    agree(home, names[20:], "no", at="2026-02-01T00:00:00+00:00")
    draw(home, 1, names)
    draw(home, 200, names[:20])
    draw(home, 400, names[:40])
    assert (plain[0] == plain[1]).all()
    assert (plain[0] == plain[2]).all()
    assert plain[0][0, 0] == 20 * SCALE
    assert home.releases.spent(names[40]) == ()


def test_who_says_no_while_the_job_runs_is_out(home, plain, monkeypatch):
    """Consent is read inside the transaction that draws, after the work that takes long."""
    names = people(home, 2)
    agree(home, names)
    true = ledger.bounded

    def slow(*given):
        home.consents.say("user 1", {MARKET: "no"}, act=Act("x", "", "", NOW), source="http")
        return true(*given)

    monkeypatch.setattr(ledger, "bounded", slow)
    draw(home, 5, names)
    assert plain[0][0, 0] == SCALE
    assert home.releases.spent(names[1]) == ()


def test_who_is_erased_while_the_job_runs_is_out(home, plain, monkeypatch):
    """An erasure that was done before the transaction began has taken her consent along."""
    home.keys.admit(["user 0", "user 1"])
    names = people(home, 2)
    agree(home, names)
    true = ledger.bounded

    def slow(*given):
        home.erasures.erase("user 1", act=Act("x", "", "", NOW))
        return true(*given)

    monkeypatch.setattr(ledger, "bounded", slow)
    draw(home, 5, names)
    assert plain[0][0, 0] == SCALE
    assert home.releases.spent(names[1]) == ()


def test_a_person_takes_part_in_13_weeks_of_any_year(home, plain):
    names = people(home, 1)
    agree(home, names)
    order = [*range(0, 40, 2), 3, 60, 61, 62, 130]
    for epoch in order:
        draw(home, epoch, names)
    spent = home.releases.spent(names[0])
    for start in range(-YEAR, 140):
        assert sum(start <= epoch < start + YEAR for epoch in spent) <= EPOCHS_A_YEAR
    assert spent[:13] == tuple(range(0, 26, 2))
    assert 130 in spent
    taken = dict(zip(order, (vector[0, 0] for vector in plain), strict=True))
    assert {epoch for epoch, votes in taken.items() if votes} == set(spent)


def test_a_program_that_spends_more_a_week_gets_fewer_weeks(home, plain):
    """Whatever the code says a week costs, no year costs a person more than the promise."""
    names = people(home, 1)
    agree(home, names)
    dear = Layout(LAYOUT.tables, rho_micro=100_000)
    for epoch in range(3):
        draw(home, epoch, names, dear)
    assert home.releases.spent(names[0]) == (0,)
    assert plain[1][0, 0] == 0


def test_an_empty_week_is_drawn_as_well(home):
    found = draw(home, 7, ())
    assert found.noisy.any()
    assert home.releases.verify() == 1


@pytest.mark.parametrize("fault", ["charge", "noise", "digest"])
def test_a_failure_on_the_way_leaves_nothing(home, monkeypatch, fault):
    names = people(home, 3)
    agree(home, names)

    def broken(*_args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, {"charge": "_charge", "noise": "noisy", "digest": "_digest"}[fault], broken)
        with pytest.raises(OSError, match="full"):
            draw(home, 9, names)
    assert home.releases.get(9) is None
    assert home.releases.spent(names[0]) == ()
    assert draw(home, 9, names).epoch == 9
    assert home.releases.verify() == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE releases SET noisy = noisy || ' ' WHERE epoch = 2", "week 2 was changed"),
        ("UPDATE releases SET rho_micro = 1 WHERE epoch = 1", "week 1 was changed"),
        ("DELETE FROM releases WHERE epoch = 3", "week 3 is gone"),
        ("INSERT INTO releases VALUES (4, '', '', 1, '[]')", "week 4 was changed"),
        ("UPDATE audit SET detail = '{}' WHERE id = 2", "record 2 was changed"),
    ],
)
def test_a_changed_row_is_named_and_nothing_more_is_released(home, change, named):
    for epoch in (1, 2, 3):
        draw(home, epoch, ())
    with home.state.write() as connection:
        for name in ("releases_no_update", "releases_no_delete", "audit_no_update"):
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(change))
    for act in (home.releases.verify, lambda: draw(home, 50, ())):
        with pytest.raises(Layer7Error, match=named):
            act()


def test_the_database_refuses_to_change_a_release_and_to_count_past_13(any_home):
    draw(any_home, 1, ())
    for change in (
        "UPDATE releases SET at = ''",
        "DELETE FROM releases",
        "INSERT INTO participations VALUES ('p', 1, 14)",
        "INSERT INTO participations VALUES ('p', 1, 0)",
    ):
        with pytest.raises(DBAPIError), any_home.state.write() as connection:
            connection.execute(text(change))


def test_killed_at_any_moment_it_is_whole(home):
    """Charge, noise and chain are one transaction: after a kill there is all of a week, or nothing."""
    names = people(home, 300)
    agree(home, names)
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    dice = Random(5)
    for _ in range(2):
        worker = context.Process(target=draw_weeks, args=(str(home.path), 300))
        worker.start()
        worker.join(dice.uniform(0.3, 1.2))
        worker.kill()
        worker.join()
        drawn = home.releases.verify()
        with home.state.read() as connection:
            charged = connection.execute(
                select(func.count(func.distinct(participations.c.epoch)))
            ).scalar_one()
            kept = connection.execute(select(func.count()).select_from(table)).scalar_one()
        assert charged == kept == drawn
    draw(home, 5_000, names)
    assert home.releases.verify() == drawn + 1


def test_what_is_kept_of_a_release_names_nobody(home):
    names = people(home, 3)
    agree(home, names)
    draw(home, 1, names)
    with home.state.read() as connection:
        kept = [dict(row) for row in connection.execute(select(table)).mappings()]
    said = json.dumps([kept, [dict(row) for row in home.state.audit()]])
    assert not any(name in said for name in names)
