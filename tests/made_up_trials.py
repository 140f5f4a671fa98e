"""Logs of experiments whose truth is known, as tables; each experiment has people of its own."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb
import ibis
import numpy as np
import pyarrow as pa

from layer7.analytics import Outlook
from layer7.contract.evidence import Lineage
from layer7.experiments.plan import specified, started
from layer7.experiments.results import Evidence, results_of
from layer7.nightly.analysing import count, evidence
from layer7.nightly.night import Log

START = datetime(2026, 1, 5, tzinfo=UTC)
AS_OF = datetime(2026, 3, 2, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Design:
    """How the made-up log of one kind of experiment is drawn.

    ``lift``: the treatment's interview rate is (1 + lift) times the control's. ``spread``: standard deviation
    of people's log rates. ``by_application``: applications are drawn by lot within a person.
    """

    people: int = 100
    rate: float = 0.1
    lift: float = 0.0
    spread: float = 0.8
    per_person: int = 12
    before: int = 0
    by_application: bool = False


def moments(seconds):
    return pa.array(np.asarray(seconds, dtype=np.int64) * 1_000_000, pa.int64()).cast(MOMENT)


def drawn(design, rng, names):
    """Draw a log: exposures and applications of the experiments with these names."""
    n, base = len(names) * design.people, int(START.timestamp())
    experiment = np.repeat(np.asarray(names), design.people)
    people = np.array([f"p{i:07}" for i in range(n)])
    exposed = base + rng.integers(0, 20 * DAY, n)
    own_arm = rng.integers(0, 2, n)
    rate = design.rate * np.exp(rng.normal(-(design.spread**2) / 2, design.spread, n))
    count_of = 1 + rng.poisson(design.per_person - 1, n)
    who = np.repeat(np.arange(n), count_of)
    sent = exposed[who] + rng.integers(1, 15 * DAY, who.size)
    arm = rng.integers(0, 2, who.size) if design.by_application else own_arm[who]
    chance = np.minimum(rate[who] * (1 + design.lift * arm), 1.0)
    old = np.repeat(np.arange(n), design.before)
    who_all = np.concatenate((who, old))
    sent_all = np.concatenate((sent, exposed[old] - rng.integers(40 * DAY, 80 * DAY, old.size)))
    chance_all = np.concatenate((chance, np.minimum(rate[old], 1.0)))
    heard = rng.random(who_all.size) < chance_all
    wait = rng.integers(1, 15, who_all.size)
    ids = np.array([f"a{i}" for i in range(who_all.size)])
    applications = pa.table(
        {
            "person": people[who_all],
            "application_id": ids,
            "created_at": moments(sent_all),
            "submitted_at": moments(sent_all),
            "interview_at": pa.array(np.where(heard, sent_all + wait * DAY, 0) * 1_000_000).cast(MOMENT),
            "rejected_at": pa.nulls(who_all.size, MOMENT),
            "max_stage": np.where(heard, "interview", "submitted"),
            "answer_days": np.where(heard, wait, np.nan),
            "seniority": np.array(["junior", "senior"])[who_all % 2],
            "heard": heard,
        }
    )
    by = design.by_application
    rows = who if by else np.arange(n)
    arms = arm if by else own_arm
    events = pa.table(
        {
            "event_id": [f"e{i}" for i in range(rows.size)],
            "event_type": ["EXPERIMENT_EXPOSED"] * rows.size,
            "person": people[rows],
            "event_time": moments(sent - 60 if by else exposed),
            "experiment_id": experiment[rows],
            "variant_id": np.array(["control", "treatment"])[arms],
            "application_id": pa.array(ids[: who.size] if by else [None] * rows.size, pa.string()),
            "decision": pa.nulls(rows.size, pa.string()),
            "counterfactual_decisions": pa.nulls(rows.size, pa.string()),
            "profile_seniority": pa.nulls(rows.size, pa.string()),
        }
    )
    return events, applications


def planned(name, **changes):
    """An experiment of the specification that runs since the start of the made-up log."""
    draft = specified(0).model_copy(update={"experiment_id": name, "maximum_duration_days": 90, **changes})
    return started(draft, START)


def counted(events, applications, experiments, as_of=AS_OF):
    """One pass over a made-up log, all of whose silence is final."""
    connection = duckdb.connect()
    connection.register("given_events", events)
    connection.register("given_applications", applications)
    engine = ibis.duckdb.from_connection(connection)
    known = engine.table("given_applications")
    known = known.mutate(
        interview_at=ibis.ifelse(known.heard, known.interview_at, None),
        answer_days=ibis.ifelse(known.heard, known.answer_days, None),
        bucket=0,
    )
    curve = ibis.memtable(pa.table({"age": [0], "unseen": [0.0]}))
    log = Log(known, engine.table("given_events"))
    return count(log, Outlook(as_of, curve, None), experiments)


def results(design, rng, *, names=("exp",), **changes):
    """Draw, count and analyse: results by name of the experiment."""
    changes = {"unit": "application" if design.by_application else "user", **changes}
    experiments = [planned(name, **changes) for name in names]
    found = counted(*drawn(design, rng, names), experiments)
    return {each.experiment_id: results_of(each, alone(found, each)) for each in experiments}


def said(found, experiment, as_of=AS_OF) -> Evidence:
    return evidence(found, experiment, as_of=as_of, lineage=Lineage(run_id="1"))


def alone(found, experiment, as_of=AS_OF) -> Evidence:
    """The same without what people got in other experiments."""
    return replace(said(found, experiment, as_of), pairs=None)
