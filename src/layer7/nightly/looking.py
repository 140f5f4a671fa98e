"""How often the learning stages look: every night while the log is small, else when there is enough news.

What a large log teaches changes little from one day to the next, and a look at all of it costs minutes. So
a stage that learns from everybody looks again after a week, after the log has grown by a tenth, or when it is
told to; in between its findings stand, and say of which day they are.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import wraps
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from layer7.contract.vocabulary import Purpose
from layer7.nightly.night import Night, Outcome

GROWTH = 0.1
"""Share of new applications that makes a look worth while before its time."""

Stage = Callable[[Night], Outcome]


def seldom(*tables: str, **nothing: Any) -> Callable[[Stage], Stage]:
    """Let a stage look only when there is enough news; else its last findings stand.

    Args:
        tables: derived tables of the stage with rows of single people; of a person who objects to their use,
            none stays, also on a night without a look.
        nothing: what the report of a night without a look says in place of what the last look did.
    """

    def of(stage: Stage) -> Stage:
        @wraps(stage)
        def look(night: Night) -> Outcome:
            before, n = _last(night, stage.__name__), _applications(night)
            if not is_due(night, before.get("looked"), n):
                _forget_objectors(night, tables)
                return Outcome(0, {**before, **nothing})
            found = stage(night)
            looked = {"as_of": str(night.horizon.as_of), "run_id": night.run_id, "applications": n}
            return Outcome(found.rows, {**found.report, "looked": looked})

        return look

    return of


def is_due(night: Night, looked: Mapping[str, Any] | None, applications: int) -> bool:
    """Say whether a stage should look tonight.

    Args:
        night: the night.
        looked: ``as_of`` and ``applications`` of the last look; None before the first.
        applications: how many there are now.
    """
    settings = night.home.settings
    if looked is None or night.anew or applications <= settings.large_log:
        return True
    days = (night.horizon.as_of - date.fromisoformat(looked["as_of"])).days
    grown = applications - looked["applications"] >= GROWTH * looked["applications"]
    return days <= 0 or days >= settings.look_every_days or grown


def _last(night: Night, stage: str) -> Mapping[str, Any]:
    """What the stage reported last; a night that failed leaves the one before it."""
    nights = night.home.runs.latest(status="done")
    found: Mapping[str, Any] = nights[0].report.get(stage, {}) if nights else {}
    return found


def _applications(night: Night) -> int:
    return sum(file.rows for file in night.home.manifest.live("applications"))


def _forget_objectors(night: Night, names: tuple[str, ...]) -> None:
    """Take the rows of people who have objected since the last look out of its tables."""
    refusing = night.home.consents.refusing(Purpose.PERSONALISATION, known_at=night.horizon.end)
    if not refusing:
        return
    objectors = pa.array(refusing, pa.string())
    for name in names:
        with night.home.warehouse.open() as tables:
            table = tables.read(name)
            kept = None if table is None else table.to_pyarrow()
        if kept is None:
            continue
        left = kept.filter(pc.invert(pc.is_in(kept["person"], value_set=objectors)))
        if left.num_rows < kept.num_rows:
            night.home.warehouse.replace(name, left, at=night.clock())
