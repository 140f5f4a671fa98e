"""All that is kept of a person, for her to read and to take along (GDPR 15 and 20)."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, select

from layer7.contract.columns import unflatten
from layer7.contract.rights import PersonExport
from layer7.contract.vocabulary import EventType, Purpose
from layer7.errors import Layer7Error
from layer7.privacy import open_sealed
from layer7.storage.database import schema
from layer7.storage.database.state import Act
from layer7.storage.home import Home
from layer7.storage.intake.door import SEALED
from layer7.storage.intake.ingest import Summary
from layer7.storage.rights.register import DATASETS, DECLARED, KEYS, STATE
from layer7.storage.services.feedback import open_preferences

_INSIDE = frozenset({"person", "bucket"})
_TOLD_APART = frozenset({"events", "inbox", "consents", "erasures", "quarantine"})
ACTS = "acts"
"""Under which name an export tells what staff did for the person."""

_OFFSETS = sorted(range(-14, 15), key=abs)


@dataclass(frozen=True, slots=True)
class Portability:
    """What goes out to a person, and what she brings.

    Args:
        home: the installation.
    """

    home: Home

    def export(self, user_id: str, *, at: datetime) -> PersonExport:
        """Give everything that is kept of a person.

        Args:
            user_id: the person, in the caller's own id.
            at: the moment.
        """
        self.home.inbox.drain(now=at)
        person = self.home.keys.person(user_id)
        history = (asdict(word) for word in self.home.consents.history(user_id))
        places = (*STATE, *DATASETS, *KEYS, DECLARED)
        return PersonExport.model_validate(
            {
                "format": "layer7-person/1",
                "user_id": user_id,
                "made_at": at.isoformat(),
                "events": tuple(self._events(user_id, person)),
                "consents": tuple(history),
                "kept": {name: tuple(map(_plain, rows)) for name, rows in self._kept(user_id, person)},
                "fields": {place.name: place.holds for place in places if place.person is not None}
                | {ACTS: "what staff recorded for her, when and why"},
            }
        )

    def _events(self, user_id: str, person: str) -> Iterator[dict[str, Any]]:
        own = self.home.keys.keys([person]).get(person)
        rows = self.home.warehouse.rows_of("events", person, self.home.keys.bucket(person))
        for row in sorted(rows, key=lambda row: (row["event_time"], row["event_id"])):
            opened = {name: open_sealed(own, row[name]) for name in SEALED if own and row[name] is not None}
            kind = EventType(row["event_type"])
            yield {
                "event_id": row["event_id"],
                "event_type": kind.value,
                "user_id": user_id,
                "timestamp": _as_told(row["event_time"], row["local_hour"], row["local_weekday"]),
            } | unflatten(kind, {**row, **dict.fromkeys(SEALED), **opened})

    def _kept(self, user_id: str, person: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Give her rows of every other place that the register names."""
        for place in DATASETS:
            if place.person is None or place.name in _TOLD_APART:
                continue
            rows = self.home.warehouse.rows_of(place.name, person, self.home.keys.bucket(person))
            if place.name == "preferences":
                rows = [dict(open_preferences(row, self.home.keys)) for row in rows]
            yield place.name, rows
        with self.home.state.read() as connection:
            for place in STATE:
                if place.person is not None and place.name not in _TOLD_APART:
                    table = schema.metadata.tables[place.name]
                    found = connection.execute(select(table).where(table.c[place.person] == person))
                    yield place.name, [self._opened(person, row) for row in found.mappings()]
        yield DECLARED.name, [asdict(each) for each in self.home.declared.of(user_id)]
        yield ACTS, self._acts(user_id, person)
        lines = self.home.quarantine.of(person)
        yield "quarantine", [{"at": line.at, "code": line.code, "raw": line.raw} for line in lines]

    def _opened(self, person: str, row: RowMapping) -> dict[str, Any]:
        words = self.home.keys.opened
        return {
            name: words(person, value) if isinstance(value, str) else value for name, value in row.items()
        }

    def _acts(self, user_id: str, person: str) -> list[dict[str, Any]]:
        """Give what staff did for her, with their reasons opened."""
        keys = self.home.keys
        hers = schema.audit.c.subject == keys.audit_name.of(user_id)
        with self.home.state.read() as connection:
            found = connection.execute(select(schema.audit).where(hers).order_by(schema.audit.c.id))
            rows = found.mappings().all()
        told = ("at", "actor", "action", "detail")
        return [{name: row[name] for name in told} | {"why": keys.opened(person, row["why"])} for row in rows]

    def take(self, document: PersonExport, *, act: Act) -> Summary:
        """Take in what another installation gave of a person; taking it in again changes nothing.

        Events come as they were, under their own identities; what was learned follows from them by the next
        night. Her words about consent come with the time at which she said them.

        Args:
            document: what :meth:`export` gave.
            act: who takes it in, when and why.
        """
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder) / "events.jsonl"
            lines.write_text("".join(f"{json.dumps(event)}\n" for event in document.events), encoding="utf-8")
            summary = self.home.ingest.files([lines], now=lambda: act.at, progress=lambda _name, _size: None)
        said = {(word.purpose, word.at) for word in self.home.consents.history(document.user_id)}
        for word in document.consents:
            if word["source"] == "event" or (word["purpose"], word["at"]) in said:
                continue
            told = Act(act.actor, "", "", datetime.fromisoformat(word["at"]), act.why)
            spoken = {Purpose(word["purpose"]): word["value"]}
            self.home.consents.say(document.user_id, spoken, act=told, source=word["source"])
        self._declare(document, act)
        return summary

    def _declare(self, document: PersonExport, act: Act) -> None:
        """Declare for her what she had declared, if she allows it here; each with its own time."""
        person = self.home.keys.person(document.user_id)
        known = {astuple(each) for each in self.home.declared.of(document.user_id)}
        for said in document.kept.get(DECLARED.name, ()):
            new = (said["attribute"], said["group"], said["since"])
            if new not in known and self.home.consents.may(person, Purpose.FAIRNESS_MONITORING):
                told = Act(act.actor, "", "", datetime.fromisoformat(said["since"]), act.why)
                try:
                    self.home.declared.declare(document.user_id, {new[0]: new[1]}, act=told)
                except Layer7Error as error:
                    # Another installation may have other lists of groups.
                    if error.code != "unknown_choice":
                        raise


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row without what only the installation needs, as plain JSON values."""
    return {
        name: json.loads(json.dumps(value, default=str)) for name, value in row.items() if name not in _INSIDE
    }


def _as_told(moment: datetime, hour: int | None, weekday: int | None) -> str:
    """Give the time of an event so that reading it gives the same moment, hour and weekday again.

    Example:
        >>> from datetime import UTC
        >>> _as_told(datetime(2026, 3, 2, 4, 30, tzinfo=UTC), 23, 6)
        '2026-03-01T23:30:00-05:00'
    """
    if hour is None:
        return moment.date().isoformat() if weekday is not None else moment.replace(tzinfo=None).isoformat()
    shifted = (moment.astimezone(timezone(timedelta(hours=offset))) for offset in _OFFSETS)
    return next(
        (each.isoformat() for each in shifted if (each.hour, each.weekday()) == (hour, weekday)),
        moment.isoformat(),
    )
