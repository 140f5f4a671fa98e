"""The record of nights: what ran, when, how long, on how much, and how good the data was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from layer7.storage.database.schema import runs, stages
from layer7.storage.database.state import State


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of a night.

    Args:
        stage: its name.
        status: ``done`` or ``failed``.
        rows: how many rows it gave.
        seconds: how long it took.
        detail: what else it has to say, as plain JSON values.
    """

    stage: str
    status: str
    rows: int
    seconds: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One night.

    Args:
        id: its number.
        as_of: the day it looked back from, ISO 8601.
        known_at: it knew events received until then, ISO 8601.
        started_at: when it began.
        finished_at: when it ended; None while it runs, or when it was killed.
        status: ``running``, ``done`` or ``failed``.
        report: what it learned, as plain JSON values.
        stages: its stages in order.
    """

    id: int
    as_of: str
    known_at: str
    started_at: str
    finished_at: str | None
    status: str
    report: Mapping[str, Any]
    stages: tuple[StageRecord, ...]


def made_on(run: Run, stage: str) -> tuple[int, str]:
    """Give the number and the day of the night in which a stage last looked.

    Args:
        run: the latest night.
        stage: a stage that does not look every night.
    """
    looked = run.report.get(stage, {}).get("looked")
    return (looked["run_id"], looked["as_of"]) if looked else (run.id, run.as_of)


class Runs:
    """The nights of one installation.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self, as_of: date, *, known_at: datetime, at: datetime) -> int:
        """Record that a night begins; gives its number."""
        with self._state.write() as connection:
            result = connection.execute(
                runs.insert().values(
                    as_of=as_of.isoformat(),
                    known_at=known_at.isoformat(),
                    started_at=at.isoformat(),
                    status="running",
                    report="{}",
                )
            )
            return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

    def stage(self, run_id: int, position: int, record: StageRecord) -> None:
        """Record that a stage ended."""
        with self._state.write() as connection:
            connection.execute(
                stages.insert().values(
                    run_id=run_id,
                    position=position,
                    stage=record.stage,
                    status=record.status,
                    rows=record.rows,
                    seconds=record.seconds,
                    detail=json.dumps(dict(record.detail)),
                )
            )

    def end(self, run_id: int, *, status: str, report: Mapping[str, Any], at: datetime) -> None:
        """Record that a night ended."""
        with self._state.write() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.id == run_id)
                .values(status=status, report=json.dumps(dict(report)), finished_at=at.isoformat())
            )

    def latest(self, *, limit: int = 1, status: str | None = None) -> tuple[Run, ...]:
        """Give the latest nights, newest first.

        Args:
            limit: how many at most.
            status: only those with this status.
        """
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(runs.c.status == status)
        with self._state.read() as connection:
            found = connection.execute(query).mappings().all()
            parts = select(stages).where(stages.c.run_id.in_([row["id"] for row in found]))
            ordered = connection.execute(parts.order_by(stages.c.run_id, stages.c.position)).mappings().all()
        return tuple(
            Run(
                **{name: row[name] for name in Run.__slots__ if name not in {"report", "stages"}},
                report=json.loads(row["report"]),
                stages=tuple(_record(stage) for stage in ordered if stage["run_id"] == row["id"]),
            )
            for row in found
        )


def _record(row: Any) -> StageRecord:
    return StageRecord(row["stage"], row["status"], row["rows"], row["seconds"], json.loads(row["detail"]))
