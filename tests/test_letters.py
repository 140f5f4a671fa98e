"""Hundreds of letters of a simulated market, read against the log and against what was planted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from insights.reading import claims, proves, unsupported
from layer7 import nightly
from layer7.contract.insights import WeeklyInsights
from layer7.errors import Layer7Error
from layer7.nightly import run_night
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.simulation.run import Simulation
from layer7.storage.home import Home, open_home
from layer7.storage.letters import Letters
from layer7.storage.schema import consents
from layer7.storage.warehouse import Horizon

START = date(2026, 1, 5)
WEEKS = 16
LAST = START + timedelta(weeks=WEEKS - 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
MARKET = replace(
    SCENARIOS["S1"],
    pattern_share=0.6,
    pattern_odds_ratios=(12.0,),
    weekly_volume_median=11.0,
    weekly_volume_sigma=0.0,
    weekly_dropout=0.0,
    accept=0.0,
    entry_weeks=0,
)
NEEDED = {"ingest", "applications", "measure", "find", "survey", "tell"}


def clock() -> datetime:
    return NOW


def night(home: Home, patch: pytest.MonkeyPatch, day: date = START + timedelta(weeks=WEEKS)) -> None:
    """Run the stages that letters are made of; the others take most of the time."""
    patch.setattr(nightly, "STAGES", tuple(each for each in nightly.STAGES if each.__name__ in NEEDED))
    run_night(home, Horizon(day, NOW), clock=clock, progress=lambda _stage, _share: None)


@pytest.fixture(scope="module")
def history() -> Simulation:
    return simulate(MARKET, people=80, weeks=WEEKS, start=START, rng=np.random.default_rng(21))


@pytest.fixture(scope="module")
def world(tmp_path_factory, history) -> Home:
    """A home with the market's log in it, after one night."""
    folder = tmp_path_factory.mktemp("letters")
    write_events(events(history), folder / "log", format="parquet")
    home = open_home(folder / "home")
    home.ingest.files([folder / "log"], now=clock, progress=lambda *_: None)
    with pytest.MonkeyPatch.context() as patch:
        night(home, patch)
    return home


@pytest.fixture(scope="module")
def letters(world) -> list[WeeklyInsights]:
    """Everybody's letters of four weeks."""
    weeks = [LAST - timedelta(weeks=back) for back in (0, 3, 7, 12)]
    return [letter for week in weeks for letter in Letters(world).every(week)]


def test_every_sentence_of_hundreds_of_letters_is_held_by_its_finding(letters):
    assert len(letters) >= 300
    sentences = [each for letter in letters for each in letter.sentences]
    quoted = "95 8 14 30"
    wrong = [(each.text, unsupported(each, each.finding.about + quoted)) for each in sentences]
    assert [each for each in wrong if each[1] - years(each[0])] == []
    parts = Counter(each.part for each in sentences)
    assert {"opening", "highlights", "try_this_week", "vs_similar_users", "silence", "not_yet_known"} <= set(
        parts
    )


def years(text: str) -> set[str]:
    """The years of experience by which similar people are named."""
    return {word for part in text.split("(") if " years" in part for word in part.split(" years")[0].split()}


def test_no_improvement_is_claimed_without_an_interval_that_leaves_none_out(letters):
    made = [each for letter in letters for each in claims(letter)]
    assert made
    assert all(map(proves, made))
    for letter in letters:
        assert all(each.improvement > 0 and each.interval[0] > 0 for each in letter.what_worked)
        assert all(each.decline < 0 and each.interval[1] < 0 for each in letter.what_didnt_work)


def test_what_worked_was_planted(letters, history):
    people = {row["user_id"]: row for row in history.people.to_pylist()}
    latest = [letter for letter in letters if letter.week_start == LAST.isoformat()]
    told = [
        (letter.user_id, each.finding.about)
        for letter in latest
        for each in letter.sentences
        if each.part in {"what_worked", "what_didnt_work"}
    ]
    true = [about for user_id, about in told if planted(people[user_id]) == about]
    assert len(told) >= 5
    # One in ten may be wrong; of a few, a binomial tail more.
    assert len(told) - len(true) <= 0.1 * len(told) + 3 * np.sqrt(0.09 * len(told))


def planted(person) -> str:
    return f"{person['pattern_dimension']}: {person['pattern_level']}"


def test_what_is_counted_is_what_happened(letters, history):
    sent = Counter(
        (row["user_id"], monday(row["submitted_at"]))
        for row in history.applications.to_pylist()
        if row["submitted"]
    )
    for letter in letters:
        counted = {week.week_start: week.applications for week in letter.weeks}
        assert counted == {week: sent[letter.user_id, week] for week in counted}


def monday(moment: datetime) -> str:
    day = moment.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def test_one_letter_is_the_same_alone_and_among_all(world, letters):
    for letter in (letters[0], letters[-1]):
        assert Letters(world).of(letter.user_id, date.fromisoformat(letter.week_start)) == letter


def test_what_cannot_be_asked_for(world):
    assert Letters(world).of("nobody") is None
    with pytest.raises(Layer7Error) as refused:
        Letters(world).of("user-000001", LAST + timedelta(weeks=2))
    assert refused.value.code == "week_not_over"
    early = Letters(world).of(next(Letters(world).every()).user_id, START - timedelta(weeks=30))
    assert early.sentences[0].finding.kind == "unknown"


def test_whoever_says_no_is_not_read_from_then_on(world):
    first, second = (letter.user_id for letter, _ in zip(Letters(world).every(), range(2), strict=False))
    row = {"person": world.keys.person(first), "purpose": "personalisation", "value": "off", "source": "test"}
    with world.state.write() as connection:
        connection.execute(consents.insert().values(**row, at=NOW.isoformat()))
    assert Letters(world).of(first).sentences[0].finding.kind == "switched_off"
    assert Letters(world).of(second).week_start == LAST.isoformat()
    assert first not in {letter.user_id for letter in Letters(world).every()}


def test_before_the_first_night_there_is_no_letter(home):
    with pytest.raises(Layer7Error) as refused:
        Letters(home).of("anna")
    assert refused.value.code == "no_night"
