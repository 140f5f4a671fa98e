"""The stage ``analyse``: what every running experiment says, from one pass over the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from layer7.analytics.applications.outcomes import Outlook, outlook
from layer7.analytics.trials.cells import Cells, cells, group_cells, pairs
from layer7.analytics.trials.exposures import Trial, capped, caps, first_exposures, units
from layer7.analytics.trials.tallies import Tallies, tallies
from layer7.contract.evidence import Lineage
from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.contract.lifecycle import State
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.experiments.by_group import fairness_of
from layer7.experiments.decision import decided
from layer7.experiments.looks import planned_end
from layer7.experiments.metrics import TOGETHER, metric
from layer7.experiments.results import Evidence, results_of
from layer7.nightly.comparing import declared_spans
from layer7.nightly.measuring import counted
from layer7.nightly.night import Log, Night, Outcome
from layer7.review import ENGINE
from layer7.statistics import fit_silence
from layer7.storage.database.runs import Run
from layer7.storage.database.state import Act
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import Horizon
from layer7.storage.warehouse.tables import keep

CAP_SHARE = 0.999
"""Sums of a unit above this quantile, over all arms together, count as the quantile."""

NONE_RUNNING = Outcome(0, {"answer": "no experiment is running"})


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What one pass over the log gave.

    Args:
        cells: moments of all experiments' cells.
        pairs: moments of units that are in two experiments; None where only one was asked about.
        tallies: how many units have each value; None where no experiment asks for any.
        groups: moments of people by declared group; None where nobody has declared any.
    """

    cells: pa.Table
    pairs: pa.Table | None
    tallies: pa.Table | None
    groups: pa.Table | None = None


def analyse(night: Night) -> Outcome:
    """Say what every running experiment shows, and keep it."""
    running = [each for each in night.home.experiments.running() if _has_begun(each, night.horizon.end)]
    if not running:
        return NONE_RUNNING
    with night.home.warehouse.open() as tables:
        log = night.log(tables, Purpose.EXPERIMENTS)
        outlook = night.outlook(tables, log) if log else None
        if log is None or outlook is None:
            return Outcome(0, {"answer": "no applications yet"})
        found = count(log, outlook, running, declared=declared_spans(night.home))
    night.home.warehouse.replace("experiment_moments", found.cells, at=night.clock())
    said: dict[str, Any] = {}
    for done, experiment in enumerate(running, start=1):
        said[experiment.experiment_id] = _analysed(night, experiment, found)
        night.progress(done / len(running))
    return Outcome(found.cells.num_rows, said)


def count(
    log: Log, night: Outlook, experiments: Sequence[Experiment], *, declared: pa.Table | None = None
) -> Counted:
    """Read what came of every unit of some experiments, in one pass over events and applications.

    Args:
        log: what may be read.
        night: what silence means.
        experiments: those that are asked about, at least one; each has started.
        declared: who was in which declared group when; None for nobody.
    """
    exposed = keep(first_exposures(log.events, [_trial(each) for each in experiments]), "exposed")
    facts = keep(units(exposed, log.events, log.applications, night), "unit_facts")
    whole = keep(capped(facts, caps(facts, CAP_SHARE)), "capped_facts")
    beside = pairs(whole, TOGETHER).to_pyarrow() if len(experiments) > 1 else None
    wanted = {name for each in experiments for name in _tallied(each)}
    counted_by_value = tallies(facts, wanted, night.as_of).to_pyarrow() if wanted else None
    by_group = None
    if declared is not None and declared.num_rows:
        by_group = group_cells(whole, ibis.memtable(declared), TOGETHER).to_pyarrow()
    return Counted(cells(whole, TOGETHER).to_pyarrow(), beside, counted_by_value, by_group)


def evidence(found: Counted, experiment: Experiment, *, as_of: datetime, lineage: Lineage) -> Evidence:
    """Give what one pass said of one experiment.

    Args:
        found: what the pass gave.
        experiment: the one.
        as_of: the end of the night.
        lineage: where it was read.
    """
    own = pc.field("experiment_id") == experiment.experiment_id
    return Evidence(
        cells=Cells.of(found.cells.filter(own), TOGETHER),
        pairs=None if found.pairs is None else Cells.of(found.pairs.filter(own), TOGETHER),
        tallies={} if found.tallies is None else _by_measure(found.tallies.filter(own), experiment),
        as_of=as_of,
        lineage=lineage,
    )


def _tallied(experiment: Experiment) -> tuple[str, ...]:
    """Give the values that an experiment's metrics are told by, beyond moments."""
    named = (experiment.success_metric, *experiment.guardrail_metrics, *experiment.signal_metrics)
    return tuple(metric(name).columns[0] for name in named if metric(name).is_tallied)


def _by_measure(counted: pa.Table, experiment: Experiment) -> dict[str, Tallies]:
    return {name: Tallies.of(counted.filter(pc.field("measure") == name)) for name in _tallied(experiment)}


def as_planned(experiment: Experiment, end: datetime) -> Experiment:
    """Give an experiment as it stood by a moment, without what was covered later, or when it was ended.

    Args:
        experiment: as it stands now.
        end: the moment.
    """
    known = [stage for stage in experiment.coverages if datetime.fromisoformat(stage.since) < end]
    kept = experiment.results.planned_end if experiment.results else None
    planned = planned_end(experiment)
    return experiment.model_copy(
        update={
            "coverages": tuple(known),
            "status": State.RUNNING,
            "end_date": kept or (planned.isoformat() if planned else None),
        }
    )


def replayed(home: Home, experiment_id: str, run: Run) -> ExperimentResults:
    """Give what an experiment said on a past night, computed again from the log.

    Nothing that the night left behind is used but its record and the experiment's earlier looks: applications
    are folded anew from the events that it knew, and silence is judged by them.

    Args:
        home: the installation.
        experiment_id: the experiment.
        run: the record of the night.

    Raises:
        Layer7Error: ``unknown_experiment``; ``not_analysed`` if the night did not look at it.
    """
    experiment = home.experiments.get(experiment_id)
    together = [home.experiments.get(name) for name in run.report.get("analyse", {}) if name != "answer"]
    horizon = Horizon(date.fromisoformat(run.as_of), datetime.fromisoformat(run.known_at))
    night = Night(home, horizon, run.id, lambda: horizon.known_at, lambda _: None)
    with home.warehouse.open_past(horizon) as tables:
        everybody, able = night.log(tables), night.log(tables, Purpose.EXPERIMENTS)
        if experiment not in together or everybody is None or able is None:
            raise Layer7Error(
                "not_analysed",
                f"The night of {run.as_of} did not look at {experiment_id}.",
                "Name another day.",
            )
        model = fit_silence(counted(everybody.applications, horizon.end))
        found = count(able, outlook(model, horizon.end), together, declared=declared_spans(home))
    return _said(night, experiment, found)


def _analysed(night: Night, experiment: Experiment, found: Counted) -> dict[str, Any]:
    """Analyse and keep one experiment; what is wrong with it keeps no other one waiting."""
    try:
        results = _said(night, experiment, found)
        _keep(night, experiment, results)
    except Layer7Error as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return results.model_dump(mode="json")


def _said(night: Night, experiment: Experiment, found: Counted) -> ExperimentResults:
    end = night.horizon.end
    lineage = Lineage(run_id=str(night.run_id), log_to=end.isoformat())
    read = evidence(found, experiment, as_of=end, lineage=lineage)
    plan = as_planned(experiment, end)
    results = decided(plan, results_of(plan, read, experiment.results), now=end)
    if found.groups is None:
        return results
    own = found.groups.filter(pc.field("experiment_id") == experiment.experiment_id)
    judged = fairness_of(plan, read.cells, Cells.of(own, TOGETHER))
    return results.model_copy(update={"fairness": judged})


def _trial(experiment: Experiment) -> Trial:
    return Trial(
        experiment_id=experiment.experiment_id,
        by_application=experiment.unit == "application",
        stages=tuple(datetime.fromisoformat(stage.since) for stage in experiment.coverages),
    )


def _has_begun(experiment: Experiment, end: datetime) -> bool:
    return any(datetime.fromisoformat(stage.since) < end for stage in experiment.coverages)


def _keep(night: Night, experiment: Experiment, results: ExperimentResults) -> None:
    """Keep results, unless they are there already, or those of a later night are."""
    kept = experiment.results
    if kept is not None and kept.as_of is not None:
        later = datetime.fromisoformat(kept.as_of) > night.horizon.end
        if later or kept.model_copy(update={"lineage": results.lineage}) == results:
            return
    act = Act(ENGINE, "experiment.analyse", experiment.experiment_id, night.clock(), "the night's analysis")
    night.home.experiments.keep_results(experiment.experiment_id, results, act=act)
