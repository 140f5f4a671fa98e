"""Where a person stands: what is kept of her and used for what, what she is part of, what she may ask for."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import func, select

from layer7.contract.rights import KeptOf, PersonStatus, Right, UseOf
from layer7.contract.vocabulary import Purpose
from layer7.privacy import may_use
from layer7.storage.database import schema
from layer7.storage.home import Home
from layer7.storage.rights.register import DATASETS, DECLARED, KEYS, STATE, Place

PROMISE = (
    "Nobody but you, and who you let, sees what is kept of you.",
    "Your own words are encrypted under a key of your own; when you leave, the key is destroyed.",
    "Figures that others see count you only if you said yes, and you can say no at any time.",
    "You can read everything, take it along, and be forgotten; each is one request.",
    "No application is sent on a score alone.",
)
"""What is promised, in plain words; ``docs/rights.md`` says how each can be checked."""

_RIGHTS = (
    ("see where you stand", "15", "status {user}", "GET /v1/users/{path}/privacy"),
    ("have all of it", "15 and 20", "export {user}", "GET /v1/users/{path}/export"),
    ("take it to another installation", "20", "import FILE", "events of the export: POST /v1/events"),
    ("be forgotten", "17", "erase {user}", "DELETE /v1/users/{path}"),
    ("say no to a use", "7 and 21", "consent {user} --set PURPOSE=no", "POST /v1/users/{path}/consent"),
    (
        "not be decided on by a machine alone",
        "22",
        "consent {user} --set personalisation=off",
        "POST /v1/users/{path}/consent",
    ),
)


def rights_of(user_id: str) -> tuple[Right, ...]:
    """Give every right of a person, with the very command and request that use it.

    Args:
        user_id: the person, in the caller's own id.

    Example:
        >>> rights_of("maria")[3].command
        'layer7 privacy erase maria'
    """
    user, path = shlex.quote(user_id), quote(user_id, safe="")
    return tuple(
        Right(
            right=right,
            article=article,
            command=f"layer7 privacy {command.format(user=user)}",
            http=http.format(path=path),
        )
        for right, article, command, http in _RIGHTS
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Tells people where they stand.

    Args:
        home: the installation.
    """

    home: Home

    def of(self, user_id: str) -> PersonStatus:
        """Give where a person stands; of somebody unknown nothing is kept, and that is said.

        Args:
            user_id: the person, in the caller's own id.
        """
        person = self.home.keys.person(user_id)
        erased = self.home.keys.erased([user_id]).get(user_id)
        consent = self.home.consents.of(person)
        return PersonStatus(
            user_id=user_id,
            erased_at=None if erased is None else erased.isoformat(),
            kept=tuple(kept for kept in self._kept(user_id, person) if kept.rows),
            uses=tuple(
                UseOf(
                    purpose=purpose.value,
                    value="unreadable" if consent is None else consent.value(purpose),
                    allowed=may_use(consent, purpose),
                )
                for purpose in Purpose
            ),
            contributed_to=tuple(self._contributed(person)),
            promise=PROMISE,
            rights=rights_of(user_id),
        )

    def _kept(self, user_id: str, person: str) -> Iterator[KeptOf]:
        with self.home.state.read() as connection:
            for place in STATE:
                if place.person is not None:
                    column = schema.metadata.tables[place.name].c[place.person]
                    count = select(func.count()).where(column == person)
                    yield _kept_in(place, connection.execute(count).scalar_one())
        bucket = self.home.keys.bucket(person)
        with self.home.warehouse.open() as tables:
            for place in DATASETS:
                table = None if place.person is None else tables.read(place.name)
                if table is not None:
                    own = table.filter(table.bucket == bucket, table.person == person)
                    yield _kept_in(place, int(own.count().to_pyarrow().as_py()))
        yield _kept_in(DECLARED, len(self.home.declared.of(user_id)))
        for place in (each for each in KEYS if each.person is not None):
            yield _kept_in(place, len(self.home.keys.keys([person])))

    def _contributed(self, person: str) -> Iterator[str]:
        """Say which figures over many people and which experiments she is part of."""
        if self.home.consents.may(person, Purpose.PERSONALISATION):
            yield "What the engine learns for everybody: rates, delays, thresholds, weights of scores."
        rows = self.home.warehouse.rows_of("memberships", person, self.home.keys.bucket(person))
        segments = sorted({str(row["segment_id"]) for row in rows if row.get("segment_id")})
        yield from (
            f"Figures of the segment {name}, shown only if at least ten people are in it."
            for name in segments
        )
        if self.home.consents.may(person, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS):
            yield "Figures of the job market that others see."
        table = schema.assignments
        served = select(table.c.experiment_id, table.c.variant_id).where(table.c.person == person)
        with self.home.state.read() as connection:
            for row in connection.execute(served.order_by(table.c.experiment_id)):
                yield f"The experiment {row.experiment_id}, with the variant {row.variant_id}."


def _kept_in(place: Place, rows: int) -> KeptOf:
    return KeptOf(place=place.name, holds=place.holds, used_for=place.used_for, rows=rows)
