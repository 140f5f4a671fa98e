"""The night, told once, from taking events in to settling the log; :data:`STAGES` has the order.

Each stage takes what the stages before it left in the home folder and commits its own part; a night that is
killed is run again and gives the same. A stage that fails ends the night with an error, the stages before it
stay committed.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from layer7.errors import Layer7Error
from layer7.nightly.advancing import advance
from layer7.nightly.analysing import analyse
from layer7.nightly.comparing import compare
from layer7.nightly.finding import find
from layer7.nightly.measuring import measure
from layer7.nightly.night import Night, Outcome
from layer7.nightly.personalising import personalise
from layer7.nightly.predicting import predict
from layer7.nightly.proposing import propose
from layer7.nightly.releasing import release
from layer7.nightly.surveying import survey
from layer7.nightly.telling import tell
from layer7.storage.database.runs import Run, StageRecord
from layer7.storage.home import Home
from layer7.storage.services.rankings import Rankings
from layer7.storage.warehouse.reading import Horizon

Progress = Callable[[str, float], None]
"""Is told the name of a stage and which share of it is done, 0 to 1."""


def forget(night: Night) -> Outcome:
    """Erase who has asked for it, and write files anew that still hold erased people."""
    erased = night.home.erasures.resume(night.clock())
    night.home.declared.sweep()
    files = night.home.rewriting.run(at=night.clock(), progress=night.progress)
    return Outcome(files, {"erased": erased})


def ingest(night: Night) -> Outcome:
    """Move what waits in the inbox into the log."""
    return Outcome(night.home.inbox.drain(now=night.clock()))


def applications(night: Night) -> Outcome:
    """Fold new events into applications."""
    return Outcome(night.home.warehouse.fold(night.horizon, at=night.clock(), progress=night.progress))


def settle(night: Night) -> Outcome:
    """Sort the log into its buckets when it is worth it, and sweep away what nothing refers to."""
    moved = night.home.warehouse.compact(at=night.clock(), progress=night.progress)
    swept = night.home.manifest.sweep(now=night.clock().timestamp())
    gone = night.home.rewriting.settle(at=night.clock())
    rankings = Rankings(night.home).sweep(at=night.clock())
    return Outcome(moved, {"files_swept": swept, "erased_from_disk": gone, "rankings_swept": rankings})


STAGES: tuple[Callable[[Night], Outcome], ...] = (
    forget,
    ingest,
    applications,
    measure,
    find,
    survey,
    release,
    predict,
    compare,
    propose,
    personalise,
    analyse,
    advance,
    tell,
    settle,
)
"""The night, in order."""


def run_night(
    home: Home, horizon: Horizon, *, clock: Callable[[], datetime], progress: Progress, anew: bool = False
) -> Run:
    """Run all stages in order, recording each.

    Args:
        home: the installation.
        horizon: what this night may know.
        clock: tells the present moment.
        progress: is told how far each stage is.
        anew: let every stage look at everything, also where its last look is recent.

    Returns:
        The record of the night.

    Raises:
        Layer7Error: ``locked`` while another night runs; ``state_damaged``; ``stage_failed`` naming the stage
            and its reason.
    """
    with home.locks.hold("nightly", wait=0.0):
        home.state.check()
        home.state.writable()
        home.configs.start(clock())
        run_id = home.runs.begin(horizon.as_of, known_at=horizon.known_at, at=clock())
        report: dict[str, Any] = {}
        for position, stage in enumerate(STAGES):
            name = stage.__name__
            night = Night(home, horizon, run_id, clock, partial(progress, name), anew)
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
