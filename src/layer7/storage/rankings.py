"""Rankings: what is known of the person they are for, to whom jobs were shown, and what was answered."""

import base64
import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Insert, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.analytics.chances import key_of
from layer7.contract.ranking import RankDecision, RankRequest
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.personalization.ranking import SOMEBODY, Leaning, Person
from layer7.privacy import open_sealed, seal
from layer7.storage import schema
from layer7.storage.feedback import open_preferences
from layer7.storage.home import Home

_RANKINGS, _EXPOSURES = schema.rankings, schema.exposures
EXPOSURE_DAYS = 14
"""So long somebody to whom a job was shown counts as one who may apply to it."""

KEPT_DAYS = 90
_REMEMBERED = 10_000
_TABLES = ("own_terms", "patterns", "preferences")


@dataclass(frozen=True, slots=True)
class Known:
    """What a ranking knows of a person.

    Args:
        person: what is learned of her.
        personalised: whether it was used.
        reason: why, or why not.
        model: the model that her own terms were learned beside; empty without any.
    """

    person: Person
    personalised: bool
    reason: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A ranking that was given.

    Args:
        decision_id: its name.
        user_id: for whom.
        at: when, ISO 8601.
        asked: what was asked.
        exposures: to how many others each job was shown.
        versions: which models it was made with.
        answer: what was answered, as JSON.
    """

    decision_id: str
    user_id: str
    at: str
    asked: RankRequest
    exposures: Mapping[str, int]
    versions: Mapping[str, str]
    answer: bytes

    def body(self) -> bytes:
        """Give it as the JSON of a :class:`layer7.contract.ranking.RankDecision`, without descriptions."""
        head = {
            "decision_id": self.decision_id,
            "at": self.at,
            "exposures": dict(self.exposures),
            "versions": dict(self.versions),
        }
        asked = self.asked.model_dump_json(
            exclude={"jobs": {"__all__": {"description"}}}, exclude_defaults=True
        )
        # The answer is JSON already, and is put in as it is: to write it again takes time.
        return (
            json.dumps(head).encode()[:-1]
            + b', "inputs": '
            + asked.encode()
            + b', "ranking": '
            + self.answer
            + b"}"
        )


class Rankings:
    """The rankings of one installation.

    Args:
        home: the installation.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.likelihoods = home.likelihoods
        self._people: OrderedDict[str, Known] = OrderedDict()
        self._night = -1

    def known(self, user_id: str) -> Known:
        """Give what is known of a person; of somebody unknown, or who does not want that, nothing.

        What was read once is remembered until the next night; what she allows is read on every use.

        Args:
            user_id: the person, in the caller's own id.
        """
        person = self._home.keys.person(user_id)
        if not self._home.consents.may(person, Purpose.PERSONALISATION):
            return Known(SOMEBODY, personalised=False, reason="she does not want to be learned of")
        night = self._latest_table()
        if night != self._night:
            self._people, self._night = OrderedDict(), night
        found = self._people.get(person)
        if found is None:
            found = self._people[person] = self._read(person)
            if len(self._people) > _REMEMBERED:
                self._people.popitem(last=False)
        return found

    def _latest_table(self) -> int:
        live = self._home.manifest.live("own_terms")
        return live[-1].id if live else 0

    def _read(self, person: str) -> Known:
        bucket = self._home.keys.bucket(person)
        rows: dict[str, list[dict[str, Any]]] = {}
        with self._home.warehouse.open() as tables:
            for name in _TABLES:
                table = tables.read(name)
                own = None if table is None else table.filter(table.bucket == bucket, table.person == person)
                rows[name] = [] if own is None else own.to_pyarrow().to_pylist()
        if not rows["own_terms"] and not rows["preferences"]:
            return Known(SOMEBODY, personalised=False, reason="no night knows of applications of hers yet")
        own = rows["own_terms"][0] if rows["own_terms"] else {}
        wishes = open_preferences(rows["preferences"][0], self._home.keys) if rows["preferences"] else {}
        n = own.get("n", 0)
        return Known(
            Person(
                value=own.get("value", 0.0),
                error=own.get("error"),
                n=n,
                leanings=_leanings(own),
                company_types=_works(rows["patterns"], "company_type"),
                locations=_works(rows["patterns"], "location"),
                rejected=tuple(words.casefold() for words in wishes.get("rejection_patterns", ())),
            ),
            personalised=True,
            reason=f"from {n} applications of hers",
            model=own.get("model", ""),
        )

    def exposures(self, user_id: str, job_ids: Iterable[str], *, at: datetime) -> Mapping[str, int]:
        """Count to how many other people each job was shown among the first places in the last two weeks.

        Args:
            user_id: the person it is asked for.
            job_ids: the jobs.
            at: now.
        """
        names = {_job(job_id): job_id for job_id in job_ids}
        since = (at - timedelta(days=EXPOSURE_DAYS)).isoformat()
        table = _EXPOSURES
        query = select(table.c.job, func.count()).where(
            table.c.job.in_(list(names)),
            table.c.at >= since,
            table.c.person != self._home.keys.person(user_id),
        )
        with self._home.state.read() as connection:
            rows = connection.execute(query.group_by(table.c.job)).all()
        return {names[job]: int(count) for job, count in rows}

    def keep(self, decided: Decided, first: Iterable[str]) -> None:
        """Keep a ranking, sealed with the person's own key, and to whom which jobs were shown.

        Args:
            decided: the ranking.
            first: the jobs in the first places.
        """
        person = self._home.keys.admit([decided.user_id])[decided.user_id]
        key = self._home.keys.keys([person]).get(person)
        if key is None:
            return
        row = {"person": person, "at": decided.at}
        body = seal(key, base64.b64encode(zlib.compress(decided.body(), 1)).decode("ascii"))
        with self._home.state.write() as connection:
            connection.execute(_RANKINGS.insert().values(id=decided.decision_id, body=body, **row))
            shown = [{"job": _job(job_id), **row} for job_id in first]
            if shown:
                connection.execute(_upsert(connection), shown)

    def decision(self, decision_id: str) -> RankDecision:
        """Give a ranking that was given, with what it was made from.

        Args:
            decision_id: its name.

        Raises:
            Layer7Error: ``unknown_decision``, also when the person was erased since.
        """
        with self._home.state.read() as connection:
            row = (
                connection.execute(select(_RANKINGS).where(_RANKINGS.c.id == decision_id)).mappings().first()
            )
        key = None if row is None else self._home.keys.keys([row["person"]]).get(row["person"])
        if row is None or key is None:
            raise Layer7Error(
                "unknown_decision",
                f"There is no decision {decision_id[:60]!r}.",
                f"Rankings are kept for {KEPT_DAYS} days.",
            )
        return RankDecision.model_validate_json(
            zlib.decompress(base64.b64decode(open_sealed(key, row["body"])))
        )

    def forget_since(self, person: str, since: datetime) -> None:
        """Delete the rankings that a person was given, and what she was shown, from a moment on.

        Args:
            person: her pseudonym.
            since: the first moment that is forgotten.
        """
        with self._home.state.write() as connection:
            for table in (_RANKINGS, _EXPOSURES):
                hers = (table.c.person == person) & (table.c.at >= since.isoformat())
                connection.execute(delete(table).where(hers))

    def sweep(self, *, at: datetime) -> int:
        """Delete rankings that are older than 90 days, and what was shown longer ago than counts.

        Args:
            at: now.
        """
        with self._home.state.write() as connection:
            old = connection.execute(
                delete(_RANKINGS).where(_RANKINGS.c.at < (at - timedelta(days=KEPT_DAYS)).isoformat())
            )
            connection.execute(
                delete(_EXPOSURES).where(_EXPOSURES.c.at < (at - timedelta(days=EXPOSURE_DAYS)).isoformat())
            )
        return int(old.rowcount)


def _job(job_id: str) -> str:
    return hashlib.sha256(job_id.encode()).hexdigest()[:24]


def _upsert(connection: Connection) -> Insert:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = insert(_EXPOSURES)
    return made.on_conflict_do_update(index_elements=["job", "person"], set_={"at": made.excluded.at})


def _leanings(own: Mapping[str, Any]) -> Mapping[tuple[str, str], Leaning]:
    columns = ("properties", "levels", "leanings", "counts")
    if not own:
        return MappingProxyType({})
    return MappingProxyType(
        {
            (name, level): Leaning(value, n)
            for name, level, value, n in zip(*(own[column] for column in columns), strict=True)
        }
    )


def _works(patterns: Iterable[Mapping[str, Any]], dimension: str) -> frozenset[str]:
    """Levels that are shown as working better for the person."""
    good = (row for row in patterns if row["dimension"] == dimension and row["odds_ratio"] > 1)
    return frozenset(key_of(row["level"]) for row in good)
