"""What events say: for each sort of event, the rows of the truth that cause it, when, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from layer7.simulation import levels
from layer7.simulation.columns import Column, Ints, Named, Times, names
from layer7.simulation.run import Simulation
from layer7.simulation.schema import (
    CONTEXT_TYPE,
    JOB_TYPE,
    METRICS_TYPE,
    OUTCOME_TYPE,
    PROFILE_TYPE,
    TEXTS,
)
from layer7.simulation.taking import even
from layer7.simulation.truth import version_ids

Columns = dict[str, Column]

OF_APPLICATIONS = range(5, 11)
EXPOSED = 12
"""Places of sorts among `kinds`: those that tell all about an application, and the one that names it."""

_REASONS = {
    "IMPROVE_RESUME_FIRST": "Resume score is below the threshold",
    "APPLY_MODE": "Resume score is high enough to apply",
    "RETHINK_TARGETS": "Many applications and few interviews",
}
_CONTENTS = {
    "rewrite": "Say what the work achieved, with a number",
    "job": "A new posting that fits the profile",
    "strategy": "Apply to fewer jobs that fit better",
    "plan": "Five applications this week",
}
_EDITS = {kind: f"{content}, in my own words" for kind, content in _CONTENTS.items()}
_DECIDED = {decision: f"SUGGESTION_{decision}" for decision in levels.DECISIONS}
_DISLIKED = {dislike: f"I do not want {dislike}" for dislike in levels.DISLIKES}
_STATUSES = {
    "rejected": "rejected",
    "interviewed_then_rejected": "rejected",
    "declined": "offer",
    "accepted": "offer",
}
_ANSWERS = {
    "rejected": "rejected_unseen",
    "interviewed_then_rejected": "rejected_after_interview",
    "declined": "offer",
    "accepted": "offer",
}


@dataclass(frozen=True, slots=True)
class Causes:
    """Rows of the truth, each of which causes one event."""

    table: pa.Table
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Column:
        """What the truth says of each; the columns that nobody asks for cost nothing."""
        column = self.table[name].combine_chunks()
        whole = len(self.rows) == len(column)  # rows ascend, so these are all of them
        return column if whole else column.take(pa.array(self.rows, type=pa.int64()))

    def numbers(self, name: str) -> Ints:
        """The same for columns of numbers."""
        return np.asarray(self[name].to_numpy(zero_copy_only=False), dtype=np.int64)

    def names(self, name: str) -> Named:
        """The same for columns of names."""
        return cast("Named", self[name])


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of event: the rows of the truth that cause it, when it is logged, and what it says."""

    table: pa.Table
    at: Times  # on the person's own clock; null if it never happens
    write: Callable[[Causes], Columns]


def kinds(simulation: Simulation) -> tuple[Kind, ...]:
    """All sorts of events; the place of a sort is part of the identity of its events."""
    sent, people = simulation.applications, simulation.people
    modes, rewrites, suggestions = simulation.modes, simulation.rewrites, simulation.suggestions
    return (
        Kind(people, people["joined_local"], _profile_updated),
        Kind(modes, modes["at_local"], _mode_changed),
        Kind(rewrites, rewrites["at_local"], _resume_rewritten),
        Kind(rewrites, _only(rewrites["at_local"], rewrites["accepted"]), _score_changed),
        Kind(suggestions, suggestions["at_local"], _suggested),
        Kind(sent, sent["created_local"], _created),
        Kind(sent, _only(sent["submitted_local"], sent["submitted"]), _submitted),
        Kind(sent, sent["interview_logged_local"], _interviewed),
        Kind(sent, sent["onsite_logged_local"], _invited_on),
        Kind(sent, sent["decision_logged_local"], _decided),
        Kind(sent, sent["ghosted_logged_local"], _ghosted),
        Kind(simulation.decisions, simulation.decisions["at_local"], _policy_decided),
        Kind(sent, _exposures(simulation), _exposed),
        Kind(people, _only(people["joined_local"], _contributes(simulation)), _agreed),
    )


def _contributes(simulation: Simulation) -> Times:
    """Who agrees to contribute: spread evenly by the golden ratio, so that no dice are needed."""
    number = simulation.people["person"].to_numpy()
    agrees = (number * (np.sqrt(5) - 1) / 2) % 1 < simulation.market.contributing_share
    return pa.chunked_array([pa.array(agrees)])


def _exposures(simulation: Simulation) -> Times:
    """When a coin decided about tailoring: as an application is begun."""
    times = simulation.applications["created_local"]
    if simulation.market.tailored_at_random:
        return times
    return pa.chunked_array([pa.nulls(len(times), times.type)])


def _only(times: Times, happened: Times) -> Times:
    did = happened.to_numpy() & times.is_valid().to_numpy()
    seconds = times.cast(pa.int64()).fill_null(pa.scalar(0, pa.int64())).to_numpy()
    return pa.chunked_array([pa.array(seconds, mask=~did).cast(pa.timestamp("s"))])


def job_of(applications: pa.Table) -> Columns:
    """What every event of an application says of it, one row per application."""
    truth = Causes(applications, np.arange(applications.num_rows))
    job = _struct(truth, JOB_TYPE, {"skills": even(truth["skills"])})
    context = _struct(truth, CONTEXT_TYPE, {"job_characteristics": job})
    return {"job_id": even(truth["job_id"]), "context": context}


def _struct(truth: Causes, kind: pa.StructType, others: Columns) -> pa.StructArray:
    """A struct whose fields are the truth's columns of the same name, or those given."""
    arrays = [others[f.name] if f.name in others else truth[f.name].cast(f.type) for f in kind]
    return pa.StructArray.from_arrays(arrays, names=[field.name for field in kind])


def _same(value: str, size: int) -> Column:
    return names(np.zeros(size, dtype=np.int64), (value,))


def _worded(values: Named, words: Mapping[str, str]) -> Column:
    """What stands for each value; null stays null."""
    spelled = list(dict.fromkeys(words.values()))
    labels = [words.get(str(label)) for label in values.dictionary.to_pylist()]
    codes = pa.array([None if word is None else spelled.index(word) for word in labels], type=pa.int32())
    return pa.DictionaryArray.from_arrays(codes.take(values.indices), pa.array(spelled, type=pa.string()))


def _lists(values: Named) -> Column:
    """A list of one element per value."""
    texts = values.dictionary_decode()
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1), type=pa.int32()), texts)


def _profile_updated(truth: Causes) -> Columns:
    profile = {
        "target_roles": _lists(truth.names("role")),
        "industries": pa.nulls(len(truth), TEXTS),
        "locations": _lists(truth.names("region")),
    }
    return {
        "event_type": _same("PROFILE_UPDATED", len(truth)),
        "profile": _struct(truth, PROFILE_TYPE, profile),
    }


def _mode_changed(truth: Causes) -> Columns:
    return {
        "event_type": _same("MODE_CHANGED", len(truth)),
        "from_mode": truth["from_mode"],
        "to_mode": truth["to_mode"],
        "reason": _worded(truth.names("to_mode"), _REASONS),
        "metrics": _struct(truth, METRICS_TYPE, {}),
    }


def _resume(truth: Causes, event_type: str) -> Columns:
    before, after = truth["before"], truth["after"]
    return {
        "event_type": _same(event_type, len(truth)),
        "resume_version_id": version_ids(truth.numbers("person"), truth.numbers("version")),
        "before_score": before,
        "after_score": after,
        "score_delta": pc.round(pc.subtract(after, before), 1),
        "user_accepted": truth["accepted"],
    }


def _resume_rewritten(truth: Causes) -> Columns:
    return _resume(truth, "RESUME_REWRITTEN") | {
        "rewrite_type": truth["rewrite_type"],
        "gaps_addressed": _lists(truth.names("gap")),
    }


def _score_changed(truth: Causes) -> Columns:
    return _resume(truth, "SCORE_CHANGED")


def _suggested(truth: Causes) -> Columns:
    decision = truth.names("decision").indices.to_numpy()
    kind = truth.names("kind").indices.to_numpy()
    edited, rejected = (decision == levels.DECISIONS.index(word) for word in ("EDITED", "REJECTED"))
    contents = (
        *(_CONTENTS[kind] for kind in levels.SUGGESTION_TYPES),
        *(_EDITS[kind] for kind in levels.SUGGESTION_TYPES),
    )
    return {
        "event_type": _worded(truth.names("decision"), _DECIDED),
        "suggestion_type": truth["kind"],
        "suggested_content": _worded(truth.names("kind"), _CONTENTS),
        "final_content": names(np.where(rejected, -1, kind + len(_CONTENTS) * edited), contents),
        "rejection_reason": _worded(truth.names("dislike"), _DISLIKED),
    }


def _application(truth: Causes, event_type: str) -> Columns:
    return {
        "event_type": _same(event_type, len(truth)),
        "resume_version_id": truth["resume_version_id"],
    }


def _created(truth: Causes) -> Columns:
    return _application(truth, "APPLICATION_CREATED")


def _submitted(truth: Causes) -> Columns:
    return _application(truth, "APPLICATION_SUBMITTED")


def _status(truth: Causes, status: Column, days: str, kind: Column) -> Columns:
    outcome = {"status": status, "days_to_response": pc.round(truth[days], 4), "response_type": kind}
    return _application(truth, "STATUS_CHANGED") | {"outcome": _struct(truth, OUTCOME_TYPE, outcome)}


def _interviewed(truth: Causes) -> Columns:
    size = len(truth)
    return _status(truth, _same("interview", size), "interview_days", _same("phone_screen", size))


def _invited_on(truth: Causes) -> Columns:
    size = len(truth)
    return _status(truth, _same("interview", size), "onsite_days", _same("onsite", size))


def _decided(truth: Causes) -> Columns:
    end = truth.names("end")
    return _status(truth, _worded(end, _STATUSES), "decision_days", _worded(end, _ANSWERS))


def _ghosted(truth: Causes) -> Columns:
    size = len(truth)
    return _status(truth, _same("ghosted", size), "ghosted_days", names(np.full(size, -1), ()))


def _policy_decided(truth: Causes) -> Columns:
    return {
        "event_type": _same("POLICY_DECISION", len(truth)),
        "decision": truth["mode"],
        "propensity": truth["propensity"],
        "explored": truth["explored"],
        "metrics": _struct(truth, METRICS_TYPE, {}),
    }


def _exposed(truth: Causes) -> Columns:
    tailored = truth.numbers("tailoring_applied")
    return {
        "event_type": _same("EXPERIMENT_EXPOSED", len(truth)),
        "experiment_id": _same("tailoring", len(truth)),
        "variant_id": names(tailored, ("plain", "tailored")),
    }


def _agreed(truth: Causes) -> Columns:
    return {
        "event_type": _same("CONSENT_CHANGED", len(truth)),
        "purpose": _same("contribute_to_market_insights", len(truth)),
        "value": pa.array(np.ones(len(truth), dtype=np.bool_)),
    }
