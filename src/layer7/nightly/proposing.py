"""The stage ``propose``: look for better settings, and put those that the evidence asks for before people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from operator import add
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from layer7.analytics.applications.delays import to_silence_folds
from layer7.analytics.applications.fates import fate_counts, fated
from layer7.analytics.applications.folds import fold_of
from layer7.analytics.applications.outcomes import LONGEST, Outlook
from layer7.analytics.optimizing.decisions import decision_moments, decision_span, to_decisions
from layer7.analytics.optimizing.rethinking import switch_moments, target_moments
from layer7.analytics.optimizing.scores import score_moments, scored_people, to_folds, to_people
from layer7.analytics.optimizing.within_people import (
    parts_known,
    sample_people,
    sent_rows,
    to_components,
    to_fit_parts,
    to_sent,
)
from layer7.configuration import ConfigVersion
from layer7.contract.evidence import Lineage, Period
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.nightly.clocks import on_own_clocks
from layer7.nightly.looking import seldom
from layer7.nightly.night import NOTHING_YET, Log, Night, Outcome
from layer7.optimization.fit_score import PARAMETER as FIT_WEIGHTS
from layer7.optimization.fit_score import weigh
from layer7.optimization.improve_resume import PARAMETER as RESUME_THRESHOLD
from layer7.optimization.improve_resume import Decisions
from layer7.optimization.recommendation import Origin
from layer7.optimization.resume_score import PARAMETER as RESUME_SCORE
from layer7.optimization.resume_score import calibrate, told
from layer7.optimization.rethink_targets import COUNT, RATE, states
from layer7.optimization.score_weights import weigh_components
from layer7.optimization.strategy_mode import Asked, optimize_mode_thresholds
from layer7.optimization.timing import PARAMETER as FOLLOW_UP
from layer7.optimization.timing import advise
from layer7.review import worth_asking
from layer7.statistics import fit_silence, unseen_answers


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What an optimizer is asked: this log, judged by this night, under these settings.

    Args:
        night: the night.
        log: what may be read.
        outlook: what silence means.
        sent: rows of all people, or of a sample of them where there are many, for comparisons within people.
    """

    night: Night
    log: Log
    outlook: Outlook
    sent: pa.Table

    def settings(self, component: Component) -> ConfigVersion:
        """Give the settings of a component that are in force."""
        return self.night.home.configs.active(component)

    def origin(self, component: Component) -> Origin:
        """Give when, and from what, a recommendation for a component is made."""
        end = self.night.horizon.end
        return Origin(
            as_of=end,
            from_version=self.settings(component).version,
            lineage=Lineage(run_id=str(self.night.run_id), log_to=end.isoformat()),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What an optimizer says.

    Args:
        report: what it found, as plain JSON values.
        recommendations: the changes that the evidence asks for; usually none.
    """

    report: Mapping[str, Any]
    recommendations: tuple[OptimizationRecommendation, ...] = field(default=())


def resume_score(asked: Question) -> Answer:
    """Ask whether the resume score promises what comes (specification 5.2)."""
    served = asked.settings(Component.STRATEGY_ENGINE).value(RESUME_SCORE)
    if not isinstance(served, Mapping):
        raise Layer7Error("wrong_type", f"{RESUME_SCORE} is no mapping.", "Roll the settings back.")
    found = calibrate(
        to_folds(score_moments(asked.log.applications, asked.outlook).to_pyarrow()),
        to_people(scored_people(asked.log.applications, asked.outlook).to_pyarrow()),
        served,
        threshold=_number(asked, Component.STRATEGY_ENGINE, RESUME_THRESHOLD),
        origin=asked.origin(Component.STRATEGY_ENGINE),
        rng=asked.night.rng,
    )
    weights = weigh_components(
        to_components(asked.sent), rng=asked.night.rng, window=_window(asked, asked.sent)
    )
    report = told(found, weights).model_dump(mode="json")
    said = {"answer": found.answer, "needed": found.needed} | report
    return Answer(said, () if found.recommendation is None else (found.recommendation,))


def strategy_mode(asked: Question) -> Answer:
    """Ask whether the thresholds of the strategy mode are the best (specification 5.1)."""
    log, night = asked.log, asked.night
    cut, exploring, count, rate = (
        _number(asked, Component.STRATEGY_ENGINE, key)
        for key in (RESUME_THRESHOLD, "exploration_share", COUNT, RATE)
    )
    summed = decision_moments(log.applications, log.events, asked.outlook, cut=cut)
    span = decision_span(log.applications, log.events, asked.outlook, cut=cut)
    targets = target_moments(log.applications, log.events, asked.outlook).to_pyarrow()
    found = optimize_mode_thresholds(
        Asked(
            decisions=Decisions(
                to_decisions(summed.to_pyarrow()), span.to_pyarrow().to_pylist()[0], cut, exploring
            ),
            targets=targets,
            switches=switch_moments(log.applications, log.events, asked.outlook).to_pyarrow(),
            count=round(count),
            rate=rate,
        ),
        origin=asked.origin(Component.STRATEGY_ENGINE),
        rng=night.rng,
    )
    night.home.warehouse.replace("rethinking", states(targets, found.rethink), at=night.clock())
    return Answer(found.report, found.recommendations)


def fit_score(asked: Question) -> Answer:
    """Ask whether other weights of the fit score would order better (specification 5.3)."""
    served = asked.settings(Component.JOB_DISCOVERY).value(FIT_WEIGHTS)
    if not isinstance(served, Mapping):
        raise Layer7Error("wrong_type", f"{FIT_WEIGHTS} is no mapping.", "Roll the settings back.")
    rows = asked.sent
    origin = replace(asked.origin(Component.JOB_DISCOVERY), window=_window(asked, rows))
    found = weigh(to_fit_parts(rows), parts_known(rows), served, origin=origin, rng=asked.night.rng)
    said = found.report.model_dump(mode="json")
    return Answer(said, () if found.recommendation is None else (found.recommendation,))


def timing(asked: Question) -> Answer:
    """Ask whether it matters when one applies, and when to follow up (specification 5.4)."""
    end, applications = asked.night.horizon.end, asked.log.applications
    fates = fated(applications)
    counted = fate_counts(fates.mutate(fold=fold_of(fates.person)), ("fold",))
    folds = to_silence_folds(counted.to_pyarrow(), end)
    model = fit_silence(reduce(add, folds))
    rows = asked.sent
    found = advise(
        to_sent(rows, unseen_answers(model, LONGEST)),
        folds,
        _number(asked, Component.ORCHESTRATOR, FOLLOW_UP),
        people=applications.person.nunique().to_pyarrow().as_py(),
        origin=replace(asked.origin(Component.ORCHESTRATOR), window=_window(asked, rows)),
    )
    said = found.insights.model_dump(mode="json")
    return Answer(said, () if found.recommendation is None else (found.recommendation,))


def _sampled(log: Log, outlook: Outlook) -> pa.Table:
    n = log.applications.submitted_at.count().to_pyarrow().as_py()
    rows: pa.Table = sent_rows(sample_people(log.applications, n), outlook).to_pyarrow()
    return rows


def _window(asked: Question, rows: pa.Table) -> Period | None:
    """From the first application that was read to the end of the night."""
    if not rows.num_rows:
        return None
    end = asked.night.horizon.end
    earliest = float(rows["seconds"].to_numpy().min())
    first = min(datetime.fromtimestamp(earliest, UTC), end)
    return Period(start=first.isoformat(), end=end.isoformat())


def _number(asked: Question, component: Component, key: str) -> float:
    value = asked.settings(component).value(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Layer7Error("wrong_type", f"{key} is no number.", "Roll the settings back.")
    return float(value)


OPTIMIZERS: Mapping[str, Callable[[Question], Answer]] = MappingProxyType(
    {
        "resume_score": resume_score,
        "strategy_mode": strategy_mode,
        "fit_score": fit_score,
        "timing": timing,
    }
)
"""The optimizers by the names under which the night reports them (specification 5)."""


@seldom("rethinking", new=[])
def propose(night: Night) -> Outcome:
    """Look for better settings, and put those that the evidence asks for before people."""
    answers: dict[str, Answer] = {}
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        log = on_own_clocks(log, tables, night) if log else None
        outlook = night.outlook(tables, log) if log else None
        if log is None or outlook is None:
            return NOTHING_YET
        asked = Question(night, log, outlook, _sampled(log, outlook))
        for done, (name, optimizer) in enumerate(OPTIMIZERS.items(), start=1):
            answers[name] = optimizer(asked)
            night.progress(done / len(OPTIMIZERS))
    store = night.home.recommendations
    earlier = store.list(limit=200)
    found = [item for answer in answers.values() for item in answer.recommendations]
    new = store.propose([item for item in found if worth_asking(item, earlier)], night.clock())
    said = {name: dict(answer.report) for name, answer in answers.items()}
    return Outcome(len(new), {"new": [item.recommendation_id for item in new], **said})
