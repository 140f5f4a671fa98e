"""A simulated history as the engine's stages read it: events, and the applications folded from them.

The events go through the engine's own fold. What is left out is the disk, the seal on people's words, and
the checks of the door, which valid events pass; a test holds that both ways give the same applications.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import duckdb
import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.fold import as_states, describe, merge
from layer7.contract.columns import EVENT_COLUMNS
from layer7.nightly.night import Log
from layer7.simulation.events import to_events
from layer7.simulation.run import Simulation
from layer7.simulation.schema import EVENT_SCHEMA
from layer7.simulation.taking import spelled
from layer7.storage.intake.columnwise import SQL_TYPES

BUCKETS = 16
_PERSON = "md5(user_id)"
_DOOR: Mapping[str, str] = MappingProxyType(
    {
        "event_id": "event_id",
        "event_type": "event_type",
        "person": _PERSON,
        "bucket": f"CAST(('0x' || substring({_PERSON}, 1, 4))::INTEGER % {BUCKETS} AS SMALLINT)",
        "event_time": '"timestamp"::TIMESTAMPTZ',
        "local_hour": 'CAST(substring("timestamp", 12, 2) AS TINYINT)',
        "local_weekday": 'CAST(isodow(CAST(substring("timestamp", 1, 10) AS DATE)) - 1 AS TINYINT)',
        "received_at": '"timestamp"::TIMESTAMPTZ',
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """The log of a simulated history, in memory.

    Args:
        engine: holds the table of events.
        events: all events, with the columns of the log; words that the log seals are NULL.
        end: the end of the history, midnight in UTC.
    """

    engine: duckdb.DuckDBPyConnection
    events: ir.Table
    end: datetime

    def at(self, end: datetime) -> Log:
        """Give what a night knows: the events before a moment, and the applications folded from them.

        Args:
            end: the end of the night, with its time zone.
        """
        known = self.events.filter(self.events.event_time < end)
        query = ibis.to_sql(describe(merge(as_states(known))), dialect="duckdb")
        name = f"applications_{int(end.timestamp())}"
        self.engine.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        return Log(_backend(self.engine).table(name), known)


@contextmanager
def replay(simulation: Simulation) -> Iterator[Replay]:
    """Open the log of a simulated history for the engine's stages.

    Args:
        simulation: the history.

    Example:
        >>> from datetime import date
        >>> import numpy as np
        >>> from layer7.simulation import Market, simulate
        >>> market = simulate(
        ...     Market(), people=5, weeks=2, start=date(2026, 3, 2), rng=np.random.default_rng(7)
        ... )
        >>> with replay(market) as log:
        ...     log.at(log.end).applications.count().to_pyarrow().as_py()
        105
    """
    with closing(duckdb.connect(config={"threads": 1})) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")
        engine.from_arrow(spelled(to_events(simulation))).project(_columns()).create("events")
        start = datetime(simulation.start.year, simulation.start.month, simulation.start.day, tzinfo=UTC)
        yield Replay(engine, _backend(engine).table("events"), start + timedelta(weeks=simulation.weeks))


def _backend(engine: duckdb.DuckDBPyConnection) -> ibis.BaseBackend:
    return ibis.duckdb.from_connection(engine)


def _columns() -> str:
    """The columns of the log, taken from where the events have them."""
    parts = [f"{expression} AS {name}" for name, expression in _DOOR.items()]
    for name, column in EVENT_COLUMNS.items():
        told = _has(column.path) and not column.shape.sealed
        value = ".".join(f'"{part}"' for part in column.path) if told else "NULL"
        parts.append(f"CAST({value} AS {SQL_TYPES[column.shape.kind]}) AS {name}")
    return ", ".join(parts)


def _has(path: tuple[str, ...]) -> bool:
    """Whether simulated events say such a thing."""
    fields = list(EVENT_SCHEMA)
    for name in path:
        found = next((field for field in fields if field.name == name), None)
        if found is None:
            return False
        kind = found.type
        fields = [kind.field(i) for i in range(kind.num_fields)] if isinstance(kind, pa.StructType) else []
    return True
