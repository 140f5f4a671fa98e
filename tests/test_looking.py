"""How often the learning stages look at a large log: after a week, after growth, or when told to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from layer7.nightly import Night
from layer7.nightly.looking import is_due
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database.schema import consents
from layer7.storage.home import Home, open_home
from layer7.storage.warehouse.reading import Horizon
from nights import FOUND, NOW, night

START = date(2026, 1, 5)
END = START + timedelta(weeks=6)
LOOKING = (*FOUND, "survey", "predict", "propose")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    folder = tmp_path_factory.mktemp("large")
    market = simulate(SCENARIOS["default"], people=40, weeks=6, start=START, rng=np.random.default_rng(3))
    write_events(events(market), folder / "log", format="jsonl")
    made = open_home(folder / "home")
    made.ingest.files([folder / "log"], now=lambda: NOW, progress=lambda _name, _size: None)
    return open_home(folder / "home", made.settings.model_copy(update={"large_log": 10}))


def test_findings_of_a_large_log_stand_until_the_next_look_except_those_of_an_objector(home):
    first = night(home, END, only=LOOKING)
    with home.warehouse.open() as tables:
        person = tables.read("pattern_plans").to_pyarrow()["person"][0].as_py()
    with home.state.write() as connection:
        connection.execute(
            consents.insert().values(
                person=person,
                purpose="personalisation",
                value="off",
                at=datetime(2026, 1, 6, tzinfo=UTC).isoformat(),
                source="test",
            )
        )
    second = night(home, END + timedelta(days=1), only=LOOKING)
    for stage in ("find", "survey", "propose"):
        assert first.report[stage]["looked"]["as_of"] == str(END)
        assert second.report[stage]["looked"] == first.report[stage]["looked"]
    assert first.report["propose"]["timing"] == second.report["propose"]["timing"]
    assert second.report["propose"]["new"] == []
    assert second.report["measure"]["interview_rate"] != first.report["measure"]["interview_rate"]
    with home.warehouse.open() as tables:
        for name in ("pattern_plans", "memberships", "rethinking", "own_terms"):
            assert person not in tables.read(name).to_pyarrow()["person"].to_pylist()
    later = night(home, END + timedelta(days=9), only=FOUND)
    assert later.report["find"]["looked"] == {
        "as_of": str(END + timedelta(days=9)),
        "run_id": later.id,
        "applications": first.report["find"]["looked"]["applications"],
    }


@pytest.mark.parametrize(
    ("days", "before", "now", "due"),
    [
        (1, 100, 109, False),
        (1, 100, 110, True),
        (6, 100, 100, False),
        (7, 100, 100, True),
        (0, 100, 100, True),
        (-3, 100, 100, True),
        (1, 10, 10, True),
    ],
)
def test_a_look_is_due_by_age_by_growth_on_the_same_day_and_while_the_log_is_small(
    home, days, before, now, due
):
    tonight = Night(home, Horizon(END, NOW), 1, lambda: NOW, lambda _share: None)
    looked = {"as_of": str(END - timedelta(days=days)), "applications": before}
    assert is_due(tonight, looked, now) is due
    assert is_due(tonight, None, now)
    assert is_due(replace(tonight, anew=True), looked, now)
