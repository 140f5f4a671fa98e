"""Rankings: what is known of the person they are for, to whom jobs were shown, and what was answered."""

import base64
import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from sqlalchemy import Insert, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.analytics.cells.chances import key_of
from layer7.contract.ranking import RankDecision, RankRequest
from layer7.errors import Layer7Error
from layer7.insights.words import counted
from layer7.personalization.asked import SOMEBODY, Leaning, Person
from layer7.personalization.config import LEARNING
from layer7.personalization.config import Person as Settings
from layer7.personalization.likes import likes_of, rejected_of
from layer7.personalization.terms import Placed
from layer7.personalization.wishes import forgotten, is_paused, item_name
from layer7.privacy import open_sealed, seal
from layer7.storage.database import schema
from layer7.storage.decisions.own_rules import person_of
from layer7.storage.home import Home
from layer7.storage.people.keys import Keys
from layer7.storage.services.feedback import open_preferences
from layer7.storage.services.shown import EXPOSURE_DAYS, Shown

_RANKINGS, _EXPOSURES = schema.rankings, schema.exposures
KEPT_DAYS = 90
_REMEMBERED = 10_000
_PACKING = pa.Codec("zstd", compression_level=1)
_ZSTANDARD = bytes.fromhex("28b52ffd")
"""How everything packed with Zstandard begins (RFC 8878)."""

_TABLES = ("own_terms", "patterns", "preferences")
_FILES = schema.files
_NEWEST_TABLE = select(func.max(_FILES.c.id)).where(
    _FILES.c.dataset == "own_terms", _FILES.c.removed_at.is_(None)
)
# Made once, since every ranking asks them.
_INSERT = _RANKINGS.insert()
_EVER_EXPOSED = select(_EXPOSURES.c.job).where(_EXPOSURES.c.person == bindparam("one"))
_OWN_EXPOSURES = _EVER_EXPOSED.where(_EXPOSURES.c.at >= bindparam("since"))


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
class _Learned:
    """What nights have learned of a person for rankings.

    Args:
        own: her row of ``own_terms``; None without any.
        patterns: her patterns that are shown.
        preferences: her row of preferences, sealed; None without any.
        keys: of the installation.
    """

    own: Mapping[str, Any] | None
    patterns: tuple[Mapping[str, Any], ...]
    preferences: Mapping[str, Any] | None
    keys: Keys

    def beside(self, settings: Settings) -> Known:
        """Put it beside what she allows and wishes now; what she wants forgotten is left out."""
        full = settings.level == "full" and self.preferences is not None
        said = open_preferences(self.preferences, self.keys) if full and self.preferences else {}
        wanted = _wanted(replace(settings, said=said))
        if self.own is None:
            return Known(wanted, personalised=False, reason="no night knows of applications of hers yet")
        gone = forgotten(settings.wishes)
        kept = [row for row in self.patterns if item_name(row["dimension"], row["level"]) not in gone]
        n = self.own["n"]
        person = replace(
            wanted,
            value=self.own["value"],
            error=self.own["error"],
            n=n,
            leanings=_leanings(self.own, gone),
            company_types=_works(kept, "company_type"),
            locations=_works(kept, "location"),
        )
        return Known(
            person,
            personalised=True,
            reason=f"from {counted(n, 'application')} of hers",
            model=self.own["model"],
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """A ranking that was given.

    Args:
        told: what is told of it beside the jobs.
        asked: what was asked.
        exposures: to how many others each job was shown.
        versions: which models it was made with.
        first: the jobs in the first places that are worth applying to.
        answer: the JSON of its :class:`layer7.contract.ranking.Ranking`.
    """

    told: Mapping[str, Any]
    asked: RankRequest
    exposures: Mapping[str, int]
    versions: Mapping[str, str]
    first: Sequence[str]
    answer: bytes

    def body(self) -> bytes:
        """Give what is kept: a :class:`layer7.contract.ranking.RankDecision`, without descriptions."""
        head = {
            "decision_id": self.told["decision_id"],
            "at": self.told["at"],
            "exposures": dict(self.exposures),
            "versions": dict(self.versions),
        }
        asked = self.asked.model_dump_json(
            exclude={"jobs": {"__all__": {"description"}}}, exclude_defaults=True
        )
        # What is JSON already is put in as it is: to write it again takes time.
        return json.dumps(head).encode()[:-1] + b', "inputs": %b, "ranking": %b}' % (
            asked.encode(),
            self.answer,
        )


def decide(
    told: Mapping[str, Any],
    placed: Sequence[Placed],
    *,
    asked: RankRequest,
    exposures: Mapping[str, int],
    versions: Mapping[str, str],
) -> Decided:
    """Give a ranking as it is answered and kept.

    Args:
        told: what is told of it beside the jobs.
        placed: the jobs in their places.
        asked: what was asked.
        exposures: to how many others each job was shown.
        versions: which models it was made with.
    """
    first = [job.job_id for job in placed[: asked.slots] if job.should_apply]
    answer = f'{json.dumps(told)[:-1]}, "jobs": [{",".join([job.text for job in placed])}]}}'
    return Decided(told, asked, exposures, versions, first, answer.encode())


def _packed(body: bytes) -> str:
    """Pack what is kept: the same terms stand there again and again."""
    return base64.b64encode(_PACKING.compress(body, asbytes=True)).decode("ascii")


def _unpacked(text: str) -> bytes:
    """Give what was packed, also as earlier versions did it."""
    packed = base64.b64decode(text)
    if not packed.startswith(_ZSTANDARD):
        return zlib.decompress(packed)
    with pa.input_stream(pa.py_buffer(packed), compression="zstd") as stream:
        unpacked: bytes = stream.read()
    return unpacked


def _restored(body: bytes) -> RankDecision:
    """Read what was kept; in what earlier versions kept, jobs name their terms by number."""
    kept = json.loads(body)
    terms = kept.pop("terms", None)
    if terms is not None:
        for job in kept["ranking"]["jobs"]:
            job["terms"] = [terms[number] for number in job["terms"]]
    return RankDecision.model_validate_json(json.dumps(kept))


class Rankings:
    """The rankings of one installation.

    Args:
        home: the installation.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.likelihoods = home.likelihoods
        self._people: OrderedDict[str, _Learned] = OrderedDict()
        self._night = -1
        self._shown = Shown()

    def known(self, user_id: str) -> Known:
        """Give what is known of a person; of somebody unknown, or who does not want that, nothing.

        What was learned is remembered until the next night; what she allows and wishes is read on every use.

        Args:
            user_id: the person, in the caller's own id.
        """
        person = self._home.keys.person(user_id)
        settings = person_of(self._home.personal, self._home.consents, person)
        if settings.level == "off":
            return Known(SOMEBODY, personalised=False, reason="she does not want to be learned of")
        if settings.level not in LEARNING or is_paused(settings.wishes):
            wanted = _wanted(Settings(level=settings.level, wishes=settings.wishes))
            return Known(wanted, personalised=False, reason="from her own wishes alone, as she wants")
        night = self._latest_table()
        if night != self._night:
            self._people, self._night = OrderedDict(), night
        found = self._people.get(person)
        if found is None:
            found = self._people[person] = self._read(person)
            if len(self._people) > _REMEMBERED:
                self._people.popitem(last=False)
        return found.beside(settings)

    def _latest_table(self) -> int:
        with self._home.state.read() as connection:
            return connection.execute(_NEWEST_TABLE).scalar() or 0

    def _read(self, person: str) -> _Learned:
        bucket = self._home.keys.bucket(person)
        rows = {name: self._home.warehouse.rows_of(name, person, bucket) for name in _TABLES}
        own_terms = rows["own_terms"][0] if rows["own_terms"] else None
        kept = rows["preferences"][0] if rows["preferences"] else None
        return _Learned(own_terms, tuple(rows["patterns"]), kept, self._home.keys)

    def exposures(self, user_id: str, job_ids: Iterable[str], *, at: datetime) -> Mapping[str, int]:
        """Count to how many other people each job was shown among the first places in the last two weeks.

        What this process shows counts at once, what others show within some minutes.

        Args:
            user_id: the person it is asked for.
            job_ids: the jobs.
            at: now.
        """
        names = {_job(job_id): job_id for job_id in job_ids}
        since = (at - timedelta(days=EXPOSURE_DAYS)).isoformat()
        with self._home.state.read() as connection:
            shown = self._shown.counts(connection, names, since=since, at=at)
            if not shown:
                return {}
            own = {"one": self._home.keys.person(user_id), "since": since}
            hers = set(connection.execute(_OWN_EXPOSURES, own).scalars())
        others = {names[job]: count - (job in hers) for job, count in shown.items()}
        return {job_id: count for job_id, count in others.items() if count > 0}

    def keep(self, decided: Decided) -> None:
        """Keep a ranking, sealed with the person's own key, and to whom which jobs were shown.

        Args:
            decided: the ranking.
        """
        told, user_id = decided.told, decided.told["user_id"]
        person = self._home.keys.admit([user_id])[user_id]
        key = self._home.keys.keys([person]).get(person)
        if key is None:
            return
        row = {"person": person, "at": told["at"]}
        body = seal(key, _packed(decided.body()))
        shown = [{"job": _job(job_id), **row} for job_id in decided.first]
        with self._home.state.write() as connection:
            connection.execute(_INSERT, {"id": told["decision_id"], "body": body, **row})
            known = set(connection.execute(_EVER_EXPOSED, {"one": person}).scalars())
            if shown:
                connection.execute(_upsert(connection.dialect.name), shown)
        self._shown.add(each["job"] for each in shown if each["job"] not in known)

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
        return _restored(_unpacked(open_sealed(key, row["body"])))

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


@lru_cache(maxsize=100_000)
def _job(job_id: str) -> str:
    return hashlib.sha256(job_id.encode()).hexdigest()[:24]


@cache
def _upsert(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    made = insert(_EXPOSURES)
    return made.on_conflict_do_update(index_elements=["job", "person"], set_={"at": made.excluded.at})


def _wanted(settings: Settings) -> Person:
    return Person(likes=likes_of(settings), rejected=rejected_of(settings))


def _leanings(own: Mapping[str, Any], gone: Collection[str]) -> Mapping[tuple[str, str], Leaning]:
    columns = ("properties", "levels", "leanings", "counts")
    hidden = {tuple(map(key_of, name.split(": ", 1))) for name in gone if ": " in name}
    return MappingProxyType(
        {
            (name, level): Leaning(value, n)
            for name, level, value, n in zip(*(own[column] for column in columns), strict=True)
            if (key_of(name), level) not in hidden
        }
    )


def _works(patterns: Iterable[Mapping[str, Any]], dimension: str) -> frozenset[str]:
    """Levels that are shown as working better for the person."""
    good = (row for row in patterns if row["dimension"] == dimension and row["odds_ratio"] > 1)
    return frozenset(key_of(row["level"]) for row in good)
