"""The night, told once: ingest, applications, measure, propose, settle.

Each stage takes what the stages before it left in the home folder and commits its own part; a night that is
killed is run again and gives the same. A stage that fails ends the night with an error, the stages before it
stay committed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import ibis
import numpy as np
from ibis.expr import types as ir

from layer7.analytics.delays import delay_moments, to_silence_moments
from layer7.analytics.outcomes import Outlook, outlook
from layer7.analytics.overview import funnel, weekly_moments
from layer7.analytics.performance import performance_moments
from layer7.analytics.person import finish
from layer7.analytics.quality import quality_moments, to_quality
from layer7.analytics.report import measure_report
from layer7.analytics.scores import score_moments, scored_people, to_folds, to_people
from layer7.contract.evidence import Lineage
from layer7.contract.vocabulary import Component, Purpose
from layer7.errors import Layer7Error
from layer7.optimization.recommendation import Origin
from layer7.optimization.resume_score import PARAMETER, Calibration, calibrate
from layer7.review import worth_asking
from layer7.statistics import fit_silence
from layer7.storage.home import Home
from layer7.storage.runs import Run, StageRecord
from layer7.storage.warehouse import Horizon, Tables

Progress = Callable[[str, float], None]
"""Is told the name of a stage and which share of it is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage gave.

    Args:
        rows: how many rows.
        report: what it learned, as plain JSON values.
    """

    rows: int
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Night:
    """One night at work.

    Args:
        home: the installation.
        horizon: what this night may know.
        run_id: its number.
        clock: tells the present moment, for the record only.
        progress: is told how far the stage is, 0 to 1.
    """

    home: Home
    horizon: Horizon
    run_id: int
    clock: Callable[[], datetime]
    progress: Callable[[float], None]

    @property
    def rng(self) -> np.random.Generator:
        """Dice that fall alike in every night of the same day."""
        return np.random.default_rng(self.horizon.as_of.toordinal())


def ingest(night: Night) -> Outcome:
    """Move what waits in the inbox into the log."""
    return Outcome(night.home.inbox.drain(now=night.clock()))


def applications(night: Night) -> Outcome:
    """Fold new events into applications."""
    return Outcome(night.home.warehouse.fold(night.horizon, at=night.clock(), progress=night.progress))


def measure(night: Night) -> Outcome:
    """Measure rates under silence, every person's performance, and the quality of the data."""
    with night.home.warehouse.open() as tables:
        log = _allowed(night, tables)
        if log is None:
            return Outcome(0, {"answer": "no applications yet"})
        model = fit_silence(to_silence_moments(delay_moments(log[0], night.horizon.end).to_pyarrow()))
        now = outlook(model, night.horizon.end)
        night.home.warehouse.replace("outlook", now.curve.to_pyarrow(), at=night.clock())
        people = finish(performance_moments(*log, now).to_pyarrow())
        quality = to_quality(quality_moments(log[0]).to_pyarrow().to_pylist()[0], **_door(night))
        weeks = weekly_moments(log[0], now).to_pyarrow()
        steps = funnel(log[0]).to_pyarrow().to_pylist()[0]
    rows = night.home.warehouse.replace("performance", people, at=night.clock())
    return Outcome(rows, measure_report(model, people=people, weeks=weeks, funnel=steps, quality=quality))


def propose(night: Night) -> Outcome:
    """Look for better settings, and put those that the evidence asks for before people."""
    with night.home.warehouse.open() as tables:
        log, curve = _allowed(night, tables), tables.read("outlook")
        if log is None or curve is None:
            return Outcome(0, {"answer": "no applications yet"})
        found = _resume_score(night, log[0], Outlook(night.horizon.end, curve, None))
    store = night.home.recommendations
    earlier = store.list(limit=200)
    wanted = [item for item in [found.recommendation] if item is not None and worth_asking(item, earlier)]
    new = store.propose(wanted, night.clock())
    said = {"answer": found.answer, "needed": found.needed, **found.report.model_dump(mode="json")}
    return Outcome(len(new), {"new": [item.recommendation_id for item in new], "resume_score": said})


def settle(night: Night) -> Outcome:
    """Sort the log into its buckets when it is worth it, and sweep away what nothing refers to."""
    moved = night.home.warehouse.compact(at=night.clock(), progress=night.progress)
    swept = night.home.manifest.sweep(now=night.clock().timestamp())
    return Outcome(moved, {"files_swept": swept})


STAGES: tuple[Callable[[Night], Outcome], ...] = (ingest, applications, measure, propose, settle)
"""The night, in order."""


def run_night(home: Home, horizon: Horizon, *, clock: Callable[[], datetime], progress: Progress) -> Run:
    """Run all stages in order, recording each.

    Args:
        home: the installation.
        horizon: what this night may know.
        clock: tells the present moment.
        progress: is told how far each stage is.

    Returns:
        The record of the night.

    Raises:
        Layer7Error: ``locked`` while another night runs; ``stage_failed`` naming the stage and its reason.
    """
    with home.locks.hold("nightly", wait=0.0):
        home.configs.start(clock())
        run_id = home.runs.begin(horizon.as_of, known_at=horizon.known_at, at=clock())
        report: dict[str, Any] = {}
        for position, stage in enumerate(STAGES):
            name = stage.__name__
            night = Night(home, horizon, run_id, clock, partial(progress, name))
            try:
                report[name] = dict(_recorded(night, position, stage).report)
            except Exception:
                home.runs.end(run_id, status="failed", report=report, at=clock())
                raise
            progress(name, 1.0)
        home.runs.end(run_id, status="done", report=report, at=clock())
    return home.runs.latest()[0]


def _recorded(night: Night, position: int, stage: Callable[[Night], Outcome]) -> Outcome:
    """Run one stage and record it, also when it fails."""
    name, began = stage.__name__, time.perf_counter()
    try:
        outcome = stage(night)
    except Exception as error:
        seconds = time.perf_counter() - began
        known = error if isinstance(error, Layer7Error) else None
        detail = {"code": known.code if known else type(error).__name__}
        night.home.runs.stage(night.run_id, position, StageRecord(name, "failed", 0, seconds, detail))
        raise Layer7Error(
            "stage_failed",
            f"The stage '{name}' failed: {known or type(error).__name__}.",
            "The stages before it are committed; run the night again once the cause is mended.",
        ) from error
    seconds = time.perf_counter() - began
    night.home.runs.stage(night.run_id, position, StageRecord(name, "done", outcome.rows, seconds, {}))
    return outcome


def _allowed(night: Night, tables: Tables) -> tuple[ir.Table, ir.Table] | None:
    """Give applications and events of all who have not objected; None before there are any."""
    found, events = tables.read("applications"), tables.read("events")
    if found is None or events is None:
        return None
    refusing = night.home.consents.refusing(Purpose.PERSONALISATION, known_at=night.horizon.end)
    known = events.filter(events.event_time < night.horizon.end, events.received_at <= night.horizon.known_at)
    if not refusing:
        return found, known
    without = ibis.memtable({"person": list(refusing)})
    return found.anti_join(without, "person"), known.anti_join(without, "person")


def _door(night: Night) -> Mapping[str, int]:
    """Give how many events were taken and how many wait in quarantine."""
    taken = sum(file.rows for file in night.home.manifest.live("events"))
    waiting = sum(night.home.quarantine.counts().values())
    return MappingProxyType({"accepted": taken, "quarantined": waiting})


def _resume_score(night: Night, found: ir.Table, now: Outlook) -> Calibration:
    version = night.home.configs.active(Component.STRATEGY_ENGINE)
    served = version.value(PARAMETER)
    if not isinstance(served, Mapping):
        raise Layer7Error("wrong_type", f"{PARAMETER} is no mapping.", "Roll the settings back.")
    return calibrate(
        to_folds(score_moments(found, now).to_pyarrow()),
        to_people(scored_people(found, now).to_pyarrow()),
        served,
        origin=Origin(
            as_of=night.horizon.end,
            from_version=version.version,
            lineage=Lineage(run_id=str(night.run_id), log_to=night.horizon.end.isoformat()),
        ),
        rng=night.rng,
    )
