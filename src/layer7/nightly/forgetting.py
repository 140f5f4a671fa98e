"""Forgetting since a day: a person's events from then on are gone, as if they had never been.

What was learned of her is learned again from what is left, night by night, so that her settings take the very
steps that they would have taken. What the log of all says is made anew by the next night.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from ibis.expr import types as ir

from layer7.analytics.applications.fold import as_states, describe, merge
from layer7.configuration import ConfigVersion
from layer7.contract.vocabulary import Component, EventType, Purpose
from layer7.errors import Layer7Error
from layer7.nightly.night import Log
from layer7.nightly.personalising import learned_of
from layer7.personalization.stepping import Kept, stepped
from layer7.storage.database.runs import Run
from layer7.storage.database.state import Act
from layer7.storage.home import Home
from layer7.storage.intake.columnwise import quoted
from layer7.storage.services.personalized import usual_values
from layer7.storage.services.rankings import Rankings
from layer7.storage.warehouse.reading import Horizon

KEPT_EVENTS = (EventType.CONSENT_CHANGED, EventType.ERASURE_REQUESTED)
"""What a person said of the use of her data is never forgotten this way."""

_NIGHTS = 100_000
_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was forgotten.

    Args:
        since: the day.
        events: how many events are gone.
        applications: how many applications are left.
        nights: how many nights' learning was done again.
    """

    since: str
    events: int
    applications: int
    nights: int


def forget_since(home: Home, user_id: str, since: date, *, act: Act) -> Forgotten:
    """Forget what happened to a person from the start of a day (UTC) on.

    Done again after it was killed, it goes on where it was: each step can be repeated.

    Args:
        home: the installation.
        user_id: the person, in the caller's own id.
        since: the first day that is forgotten.
        act: who acts, when and why; its action and subject are filled in.

    Raises:
        Layer7Error: ``unknown_user``; ``locked`` while a night runs.
    """
    person = home.keys.person(user_id)
    if not home.keys.user_ids([person]):
        raise Layer7Error("unknown_user", "Nothing is known of this person.", "Check the id.")
    bucket = home.keys.bucket(person)
    with home.locks.hold("nightly", wait=_WAIT):
        home.inbox.drain(now=act.at)
        with home.locks.hold("log", wait=_WAIT):
            events = _cut(home, person, since, act.at)
        Rankings(home).forget_since(person, datetime.combine(since, time(), UTC))
        applications = home.warehouse.refold(person, bucket, at=act.at)
        kept, nights = relearned(home, person)
        home.personal.drop([person])
        if kept is not None:
            home.personal.keep(person, kept, at=act.at)
        detail = {"since": since.isoformat(), "events": events}
        name, why = home.keys.audit_name.of(user_id), home.keys.shut(person, act.why)
        with home.state.change(Act(act.actor, "person.forget-since", name, act.at, why, detail)):
            pass
    return Forgotten(since=since.isoformat(), events=events, applications=applications, nights=nights)


def _cut(home: Home, person: str, since: date, at: datetime) -> int:
    """Take her events from the day on, and all that was derived of her, out of the files."""
    start = datetime.combine(since, time(), UTC).isoformat()
    spared = ", ".join(quoted(kind.value) for kind in KEPT_EVENTS)
    hers = f"person = {quoted(person)}"
    later = f"{hers} AND event_time >= TIMESTAMPTZ {quoted(start)} AND event_type NOT IN ({spared})"
    events = 0
    with closing(home.engine()) as engine:
        for file in home.manifest.live():
            if file.dataset == "events":
                events += home.rewriting.cut(engine, file, later, at=at)
            else:
                home.rewriting.cut(engine, file, hers, at=at)
    return events


def relearned(home: Home, person: str) -> tuple[Kept | None, int]:
    """Learn a person's settings again from her events, night by night.

    Args:
        home: the installation.
        person: her pseudonym.

    Returns:
        Her settings as of the last night, None when nothing is learned; and how many nights that were.
    """
    nights = [
        run
        for run in reversed(home.runs.latest(limit=_NIGHTS, status="done"))
        if "people" in run.report.get("personalise", {})
    ]
    kept: Kept | None = None
    with home.warehouse.open() as tables:
        events = tables.read("events")
        if events is None or not nights:
            return None, 0
        own = events.filter(events.bucket == home.keys.bucket(person), events.person == person)
        with tables.held(own) as held:
            for run in nights:
                kept = _one_night(home, person, held, run=run, kept=kept)
    return kept, len(nights)


def _one_night(home: Home, person: str, events: ir.Table, *, run: Run, kept: Kept | None) -> Kept | None:
    horizon = Horizon(date.fromisoformat(run.as_of), datetime.fromisoformat(run.known_at))
    refusing = home.consents.refusing(Purpose.PERSONALISATION, known_at=horizon.end)
    began = datetime.fromisoformat(run.started_at)
    if person in refusing or home.personal.paused_at(person, began):
        return kept
    known = events.filter(events.event_time < horizon.end, events.received_at <= horizon.known_at)
    usual = usual_values(_in_force(home, began))
    found = learned_of(Log(describe(merge(as_states(known))), known), usual, horizon.end)
    return stepped(kept, found[person], usual, day=horizon.as_of) if person in found else kept


def _in_force(home: Home, moment: datetime) -> ConfigVersion:
    """The settings of Layer 5 that were in force at a moment."""
    component = Component.ORCHESTRATOR
    for move in home.configs.history(component):
        if datetime.fromisoformat(move.at) <= moment:
            return home.configs.version(component, move.version)
    return home.configs.active(component)
