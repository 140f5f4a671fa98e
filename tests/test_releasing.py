"""From events to what others see: drawn by the night, the same on any later one, and without who said no."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from children import small_settings
from layer7.analytics.release.contributions import LAYOUT, last_mature
from layer7.analytics.release.weeks import PRIOR, PRIOR_RATES
from layer7.cli.app import main
from layer7.contract.vocabulary import Purpose
from layer7.nightly import applications
from layer7.nightly.night import Night
from layer7.nightly.releasing import release
from layer7.privacy import noise
from layer7.privacy.budget import EPOCHS_A_YEAR
from layer7.privacy.cells import SCALE
from layer7.privacy.pooled import Pooled
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database.state import Act
from layer7.storage.decisions import releases as ledger
from layer7.storage.home import open_home
from layer7.storage.services.survey import Survey
from layer7.storage.warehouse.reading import Horizon

START, WEEKS = date(2026, 1, 5), 20
END = START + timedelta(weeks=WEEKS)
NOW = datetime(END.year, END.month, END.day, 12, tzinfo=UTC)
MARKET = Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS


def write(folder, people, share):
    market = replace(SCENARIOS["default"], contributing_share=share)
    history = simulate(market, people=people, weeks=WEEKS, start=START, rng=np.random.default_rng(4))
    write_events(events(history), folder)
    return folder


def filled(path, log, *, without=()):
    home = open_home(path, small_settings())
    if without:
        path.joinpath("less").mkdir()
        for file in sorted(log.iterdir()):
            table = pq.read_table(file)
            kept = table.filter(pc.invert(pc.is_in(table["user_id"], pc.cast(list(without), "string"))))
            pq.write_table(kept, path / "less" / file.name)
        log = path / "less"
    home.ingest.files([log], now=lambda: NOW, progress=lambda *_: None)
    return home


def night(home, day=END, now=NOW):
    at = Night(home, Horizon(day, now), 1, lambda: now, lambda _: None)
    applications(at)
    return release(at)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write(tmp_path_factory.mktemp("log"), 400, 1.0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, log):
    """A home after its first night of release, and the vectors before their noise."""
    home, vectors = filled(tmp_path_factory.mktemp("released") / "home", log), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ledger, "noisy", lambda exact, layout: vectors.append(exact) or noise.noisy(exact, layout)
        )
        outcome = night(home)
    return home, outcome, vectors


@pytest.fixture
def released(drawn):
    return drawn[:2]


def test_the_first_night_draws_a_quarter_and_the_next_one_nothing(released):
    home, first = released
    assert (first.report["weeks_drawn"], first.report["weeks"]) == (13, 13)
    before = Survey(home).market(), Survey(home).segments()
    assert night(home).report["weeks_drawn"] == 0
    assert (Survey(home).market(), Survey(home).segments()) == before
    assert night(home, END + timedelta(weeks=1), NOW + timedelta(weeks=1)).report["weeks_drawn"] == 1
    night(home)
    assert (Survey(home).market(), Survey(home).segments()) == before
    assert home.releases.verify() == 14


def test_nobody_takes_part_more_often_than_promised(released):
    home, _ = released
    spent = [len(home.releases.spent(home.keys.person(f"user-{at:06}"))) for at in range(400)]
    assert 0 < max(spent) <= EPOCHS_A_YEAR


def test_what_others_see_is_what_was_counted_and_noise(drawn):
    """Every shown share lies within six standard deviations of the noise of what was counted."""
    home, _, vectors = drawn
    weeks = home.releases.of(LAYOUT.spec, range(10_000))[:13]
    noisy, counted = Pooled(LAYOUT, [each.noisy for each in weeks]), Pooled(LAYOUT, vectors)
    shown = [(place, metric) for table in LAYOUT.tables for place in noisy.places(table.name)
             if noisy.shown(place) for metric in table.metrics]  # fmt: skip
    assert len(shown) > 30
    for place, metric in shown:
        apart = abs(noisy.share(place, metric).middle - counted.share(place, metric).middle)
        assert apart < 6 * 1.5 * noisy.sigma / noisy.sums[place, 0], (place, metric)


def test_market_and_segments_carry_their_noise(drawn):
    home = drawn[0]
    market = Survey(home).market()
    assert 100 < market.contributors < 400
    assert market.epsilon == 3.88
    assert len(market.most_active_industries) >= 3
    entries = (*market.most_active_industries, *market.hottest_locations, *market.demand_by_level.values())
    for entry in entries:
        low, high = entry.interval
        assert low < entry.avg_response_rate < high
        assert high - low > 0.02
    assert 2 < market.avg_days_to_first_response < 25
    assert market.first_response.low < market.first_response.value < market.first_response.high
    assert "SQL" in {entry.skill for entry in market.hottest_skills}
    everyone, *others = Survey(home).segments()
    assert everyone.segment_id == "everyone"
    assert everyone.interval[0] <= everyone.avg_interview_rate < everyone.interval[1]
    assert {"entry", "mid", "senior"} <= {segment.segment_id for segment in others}
    assert Survey(home).segment("mid").criteria.seniority == "mid"


def test_commands_show_what_others_see(released, monkeypatch, capsys):
    home, _ = released
    monkeypatch.setenv("LAYER7_BUCKETS", "4")
    monkeypatch.setenv("LAYER7_MASTER_KEY", home.settings.master_key)
    for words in (["market"], ["market", "--json"], ["segments", "list"], ["segments", "show", "everyone"]):
        monkeypatch.setattr("sys.argv", ["layer7", *words, "--home", str(home.path)])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
    said = capsys.readouterr().out
    assert "Industries" in said
    assert "differentially private" in said


def test_a_small_installation_is_told_published_rates_and_that_they_are_not_its_own(tmp_path):
    home = filled(tmp_path / "home", write(tmp_path / "log", 10, 0.5))
    night(home)
    market, (everyone,) = Survey(home).market(), Survey(home).segments()
    assert market.contributors is None
    assert market.ghosting_rate == pytest.approx(1 - PRIOR_RATES["answered"][0])
    assert market.evidence["ghosting_rate"].n == 0
    assert market.method == everyone.method == PRIOR
    assert "votes" in market.missing["most_active_industries"]
    assert (everyone.user_count, everyone.interval) == (0, PRIOR_RATES["interviewed"][1:])


def test_a_home_without_events_is_told_the_same_and_its_weeks_are_noise(home):
    assert night(home).report["weeks_drawn"] == 13
    assert Survey(home).market().method == PRIOR


def test_without_opendp_the_last_release_stays_and_the_night_says_why(released, monkeypatch):
    home, _ = released
    before = Survey(home).market()
    monkeypatch.setattr(noise, "OPENDP", "another version")
    later = night(home, END + timedelta(weeks=3), NOW + timedelta(weeks=3))
    assert later.report["weeks_drawn"] == 0
    assert "OpenDP" in later.report["answer"]
    found = Survey(home).market()
    assert found.contributors is not None
    assert "OpenDP" in found.what_would_change_this
    monkeypatch.undo()
    night(home)
    assert Survey(home).market() == before


def test_a_clock_that_runs_ahead_draws_no_week_before_its_time(home):
    at = Night(home, Horizon(END + timedelta(days=400), NOW), 1, lambda: NOW, lambda _: None)
    release(at)
    assert home.releases.of(LAYOUT.spec, range(10_000))[-1].epoch == last_mature(int(NOW.timestamp()))


def test_who_said_no_leaves_no_trace_in_any_vector(tmp_path, log, monkeypatch):
    """From events to exact vectors, bit for bit: people who opted out, against people who never were."""
    vectors = []
    monkeypatch.setattr(ledger, "noisy", lambda exact, _layout: vectors.append(exact) or exact)
    gone = [f"user-{at:06}" for at in range(0, 400, 2)]
    home = filled(tmp_path / "with", log)
    for user_id in gone:
        home.consents.say(user_id, {MARKET: "no"}, act=Act("x", "", "", NOW), source="http")
    night(home)
    night(filled(tmp_path / "without", log, without=gone))
    assert len(vectors) == 26
    assert all((one == other).all() for one, other in zip(vectors[:13], vectors[13:], strict=True))
    assert vectors[0][0, 0] > 50 * SCALE
