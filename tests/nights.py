"""Nights in tests: whole ones, or only the stages that a test looks at; the others take most of the time."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from unittest.mock import patch

from layer7 import nightly
from layer7.storage.database.runs import Run
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import Horizon

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MEASURED = ("forget", "ingest", "applications", "measure")
FOUND = (*MEASURED, "find")
JUDGED = (*MEASURED, "analyse", "advance")


def night(home: Home, day: date, *, now: datetime = NOW, only: Collection[str] = ()) -> Run:
    """Run a night.

    Args:
        home: the installation.
        day: as of when.
        now: what the clock says, and up to when events are known.
        only: names of the stages that run; else all do.
    """
    stages = tuple(stage for stage in nightly.STAGES if not only or stage.__name__ in only)
    with patch.object(nightly, "STAGES", stages):
        return nightly.run_night(home, Horizon(day, now), clock=lambda: now, progress=lambda *_: None)
