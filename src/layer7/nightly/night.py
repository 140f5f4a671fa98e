"""What a stage of the night is given, and what it gives back."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, outcomes
from layer7.contract.vocabulary import Purpose
from layer7.privacy import Consent, may_use
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import Horizon, Tables

Hold = Callable[[ir.Table], AbstractContextManager[ir.Table]]
"""Computes a table once, for several expressions over it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage gave.

    Args:
        rows: how many rows.
        report: what it learned, as plain JSON values.
    """

    rows: int
    report: Mapping[str, Any] = field(default_factory=dict)


NOTHING_YET = Outcome(0, {"answer": "no applications yet"})
"""What a stage gives before there are any applications."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night at work.

    Args:
        home: the installation.
        horizon: what this night may know.
        run_id: its number.
        clock: tells the present moment, for the record only.
        progress: is told how far the stage is, 0 to 1.
        anew: look at everything, also where the last look is recent.
    """

    home: Home
    horizon: Horizon
    run_id: int
    clock: Callable[[], datetime]
    progress: Callable[[float], None]
    anew: bool = False

    @property
    def rng(self) -> np.random.Generator:
        """Dice that fall alike in every night of the same day."""
        return np.random.default_rng(self.horizon.as_of.toordinal())

    def log(self, tables: Tables, purpose: Purpose = Purpose.PERSONALISATION) -> "Log | None":
        """Give what may be read for a purpose; None before there is anything.

        Where a purpose is allowed by default, all people but those who object; else those who agree. A night
        that looks back leaves out who has objected since, and counts nobody who agreed only later.
        """
        applications, events = tables.read("applications"), tables.read("events")
        if applications is None or events is None:
            return None
        known = events.filter(
            events.event_time < self.horizon.end, events.received_at <= self.horizon.known_at
        )
        if not may_use(Consent(), purpose):
            agreed = self.home.consents.allowing(purpose, known_at=self.horizon.end)
            among = ibis.memtable({"person": pa.array(agreed, pa.string())})
            return Log(*(tables.view(each.semi_join(among, "person")) for each in (applications, known)))
        refusing = self.home.consents.refusing(purpose, known_at=self.horizon.end)
        if not refusing:
            return Log(tables.view(applications), tables.view(known))
        without = ibis.memtable({"person": list(refusing)})
        return Log(*(tables.view(each.anti_join(without, "person")) for each in (applications, known)))

    def outlook(self, tables: Tables, log: "Log") -> Outlook | None:
        """Give what silence means tonight, and applications judged by it; None before that is measured."""
        curve = tables.read("outlook")
        if curve is None:
            return None
        plain = Outlook(self.horizon.end, curve, None)
        return replace(plain, judged=(log.applications, tables.view(outcomes(log.applications, plain))))


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """What a night reads.

    Args:
        applications: one row per application.
        events: the event log, up to the night's horizon.
    """

    applications: ir.Table
    events: ir.Table
