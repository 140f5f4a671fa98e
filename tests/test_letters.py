"""Hundreds of letters of a simulated market, read against the log and against what was planted."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from copies import copied
from insights.reading import claims, proves, unsupported
from layer7.cli.app import build
from layer7.contract.insights import WeeklyInsights
from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.simulation.run import Simulation
from layer7.storage.database.schema import consents
from layer7.storage.database.state import Act
from layer7.storage.home import Home, open_home
from layer7.storage.services.explanations import Explanations
from layer7.storage.services.letters import Letters
from layer7.storage.services.people import People
from layer7.storage.services.personalized import Personalized
from nights import FOUND, NOW, night

START = date(2026, 1, 5)
WEEKS = 16
LAST = START + timedelta(weeks=WEEKS - 1)
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
COLUMNS = ["user_id", "application_id", "event_type", "outcome", "timestamp"]
LAST_MOMENT = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(weeks=WEEKS, days=1)
START_OF_ALL = datetime(2000, 1, 1, tzinfo=UTC)
NEEDED = (*FOUND, "survey", "personalise", "tell")


def clock() -> datetime:
    return NOW


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
    night(home, START + timedelta(weeks=WEEKS), only=NEEDED)
    return home


@pytest.fixture
def own(world, tmp_path) -> Iterator[Home]:
    """A copy of that home, for a test that writes: the others find everybody as they were, in any order."""
    home = open_home(copied(world.path, tmp_path / "home"))
    yield home
    home.state.engine.dispose()


@pytest.fixture(scope="module")
def letters(world) -> list[WeeklyInsights]:
    """Everybody's letters of four weeks, by name: they come by pseudonym, an order that chance makes."""
    weeks = [LAST - timedelta(weeks=back) for back in (0, 3, 7, 12)]
    return [
        letter
        for week in weeks
        for letter in sorted(Letters(world).every(week), key=lambda each: each.user_id)
    ]


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


@pytest.fixture(scope="module")
def log(world):
    """By person and application: when it was sent, first answers by status; read from the files alone."""
    found = {}
    rows = pq.read_table(world.path.parent / "log", columns=COLUMNS).to_pylist()
    for row in sorted(rows, key=lambda row: datetime.fromisoformat(row["timestamp"])):
        kind = row["event_type"]
        if kind in {"APPLICATION_SUBMITTED", "STATUS_CHANGED"}:
            name = "sent" if kind == "APPLICATION_SUBMITTED" else row["outcome"]["status"]
            each = found.setdefault(row["user_id"], {}).setdefault(row["application_id"], {})
            each.setdefault(name, datetime.fromisoformat(row["timestamp"]))
    return found


def test_what_letters_count_is_what_the_log_holds(letters, log):
    """Openings, interviews so far, what waits: counted again by lines that know nothing of the engine."""
    for letter in letters:
        start = datetime.fromisoformat(letter.week_start).replace(tzinfo=UTC)
        end = start + timedelta(weeks=1)
        known = [
            {name: at for name, at in each.items() if at < end}
            for each in log[letter.user_id].values()
            if each["sent"] < end
        ]
        invited = [
            min(filter(None, (each.get("interview"), each.get("offer"))), default=None) for each in known
        ]
        week = {
            "sent": sum(each["sent"] >= start for each in known),
            "invited": sum(at is not None and at >= start for at in invited),
            "offer": sum(each.get("offer", START_OF_ALL) >= start for each in known),
            "rejected": sum(each.get("rejected", START_OF_ALL) >= start for each in known),
            "quiet": 0,
        }
        opening = letter.sentences[0].finding
        assert opening.value == week[opening.kind], letter.user_id
        if opening.kind == "quiet":
            assert not any(week.values())
        rate = letter.evidence.get("your_interview_rate")
        assert (rate.n, rate.events) == (len(known), sum(at is not None for at in invited))
        silent = sum(at is None and "rejected" not in each for at, each in zip(invited, known, strict=True))
        assert letter.silence.waiting == silent


def monday(moment: datetime) -> str:
    day = moment.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def test_one_letter_is_the_same_alone_and_among_all(world, letters):
    for letter in (letters[0], letters[-1]):
        assert Letters(world).of(letter.user_id, date.fromisoformat(letter.week_start)) == letter


def test_what_cannot_be_asked_for(world, letters):
    assert Letters(world).of("nobody") is None
    with pytest.raises(Layer7Error) as refused:
        Letters(world).of("user-000001", LAST + timedelta(weeks=2))
    assert refused.value.code == "week_not_over"
    early = Letters(world).of(letters[3].user_id, START - timedelta(weeks=30))
    assert early.sentences[0].finding.kind == "unknown"


def test_everything_learned_is_explained_and_can_be_undone(own, letters):
    told = next(letter for letter in letters if letter.what_worked and letter.week_start == LAST.isoformat())
    found = Explanations(own).learned(told.user_id)
    items = {item.key: item for item in found.items}
    config = Personalized(own).of(told.user_id)
    learned = {name for name, each in config.learned.items() if each.origin == "learned"}
    assert {"optimal_applications_per_week", "min_fit_score_to_apply"} <= learned <= set(items)
    assert all(item.words and item.evidence and item.undo for item in items.values())
    pattern = next(
        each.finding.about for each in told.sentences if each.part in {"what_worked", "what_didnt_work"}
    )
    assert items[pattern].learned_from == "own_with_others"
    assert f"forget {told.user_id} '{pattern}'" in items[pattern].undo
    assert not any("USER" in item.undo for item in items.values())
    assert Explanations(own).item(told.user_id, pattern) == items[pattern]
    act = Act("maria", "", "", NOW, "")
    own.personal.wish(told.user_id, f"forget:{pattern}", value=True, act=act)
    after = Explanations(own).learned(told.user_id)
    assert pattern not in {item.key for item in after.items}
    assert after.forgotten == (pattern,)
    assert pattern not in {each.finding.about for each in Letters(own).of(told.user_id).sentences}
    with pytest.raises(Layer7Error) as refused:
        Explanations(own).item(told.user_id, pattern)
    assert refused.value.code == "not_learned"


def test_a_letter_is_written_as_she_likes_it(own, letters):
    user_id, act = letters[0].user_id, Act("maria", "", "", NOW, "")
    for field, value in (
        ("coach_tone_preference", "professional"),
        ("preferred_detail_level", "brief"),
        ("optimal_applications_per_week", 1),
    ):
        own.personal.wish(user_id, field, value, act=act)
    told = Letters(own).of(user_id)
    assert len(told.try_this_week) <= 1
    assert told == next(letter for letter in Letters(own).every() if letter.user_id == user_id)
    own.personal.wish(user_id, "paused", value=True, act=act)
    assert [each.finding.kind for each in Letters(own).of(user_id).sentences] == ["paused"]
    own.personal.wish(user_id, "paused", None, act=act)


def test_a_served_setting_is_walked_back_to_the_log(world, letters):
    found = Explanations(world).setting("optimal_weekly_target", letters[5].user_id)
    assert [step.step for step in found.steps] == ["served", "own", "run", "log"]
    assert found.value == Personalized(world).of(letters[5].user_id).optimal_applications_per_week
    everybodys = Explanations(world).setting("optimal_weekly_target")
    assert [step.step for step in everybodys.steps] == ["served", "version", "move"]
    rows = pq.read_table(world.path.parent / "log", columns=COLUMNS).to_pylist()
    times = sorted(datetime.fromisoformat(row["timestamp"]).astimezone(UTC) for row in rows)
    read = [at for at in times if at < LAST_MOMENT]
    said = f"{len(read):,} events, from {read[0].isoformat()} to {read[-1].isoformat()}: all before "
    assert found.steps[-1].words.startswith(said)


def command(world, *words: str, code: int = 0) -> str:
    """Run a command as it is typed, in this process."""
    done = CliRunner().invoke(build(words), [*words, "--home", str(world.path)])
    if code:
        assert isinstance(done.exception, Layer7Error)
        return done.exception.code
    assert done.exit_code == 0, done.output
    return done.output


def test_the_commands_of_letters_and_settings(own, letters, tmp_path):
    user_id = letters[9].user_id
    assert command(own, "insights", "show", user_id).startswith("# Your week from")
    assert "<!doctype html>" in command(own, "insights", "show", user_id, "--html")
    assert command(own, "insights", "show", user_id, "--html", "--markdown", code=1) == "two_forms"
    assert command(own, "insights", "show", user_id, "--week", "soon", code=1) == "invalid_date"
    assert command(own, "insights", "show", "nobody", code=1) == "unknown_user"
    command(own, "insights", "write", "--out", str(tmp_path / "mail"))
    written = (tmp_path / "mail" / "letters.jsonl").read_text("utf-8").splitlines()
    assert len(written) == len({WeeklyInsights.model_validate_json(line).user_id for line in written}) > 50
    command(own, "personalize", "set", user_id, "preferred_locations", "Ulm; Bonn", "--why", "moving")
    shown = json.loads(command(own, "personalize", "show", user_id, "--json"))
    assert shown["preferred_locations"] == ["Ulm", "Bonn"]
    assert shown["origins"]["preferred_locations"] == "chosen"
    assert "You turn to jobs in Ulm; Bonn." in command(own, "explain", user_id, "preferred_locations")
    assert "preferred_locations" in command(own, "explain", user_id)
    command(own, "personalize", "pause", user_id)
    assert json.loads(command(own, "explain", user_id, "--json"))["paused"] is True
    command(own, "personalize", "resume", user_id)
    command(own, "personalize", "reset", user_id, "preferred_locations")
    command(own, "personalize", "forget", user_id, "location: Ulm")
    assert "Not learned: location: Ulm" in command(own, "explain", user_id)
    command(own, "personalize", "forget", user_id, "location: Ulm", "--learn-again")
    assert command(own, "personalize", "set", user_id, "salary", "1", code=1) == "unknown_field"
    assert command(own, "explain", code=1) == "nothing_to_explain"
    assert "baseline" in command(own, "explain", "--setting", "follow_up_timing")


def test_an_outcome_is_corrected_through_the_ordinary_door(own, letters):
    user_id = letters[7].user_id
    known = People(own).applications(user_id=user_id, limit=1)[0]["application_id"]
    assert "accepted" in command(own, "correct", user_id, known, "rejected", "--days", "4")
    assert command(own, "correct", user_id, "nope", "rejected", code=1) == "unknown_application"
    assert command(own, "correct", user_id, known, "hired", code=1) == "invalid_outcome"
    own.inbox.drain(now=NOW)
    with own.warehouse.open() as tables:
        events_of = tables.read("events")
        rows = events_of.filter(events_of.event_type == "OUTCOME_CORRECTED").to_pyarrow().to_pylist()
    assert [(row["application_id"], row["status"], row["days_to_response"]) for row in rows] == [
        (known, "rejected", 4.0)
    ]


def test_whoever_says_no_is_not_read_from_then_on(own, letters):
    first, second = letters[11].user_id, letters[12].user_id
    row = {"person": own.keys.person(first), "purpose": "personalisation", "value": "off", "source": "test"}
    with own.state.write() as connection:
        connection.execute(consents.insert().values(**row, at=NOW.isoformat()))
    assert Letters(own).of(first).sentences[0].finding.kind == "switched_off"
    assert Letters(own).of(second).week_start == LAST.isoformat()
    assert first not in {letter.user_id for letter in Letters(own).every()}


def test_before_the_first_night_there_is_no_letter(home):
    with pytest.raises(Layer7Error) as refused:
        Letters(home).of("anna")
    assert refused.value.code == "no_night"
