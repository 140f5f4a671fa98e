"""When, from what and with which dice findings are made; and how they are written down."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from layer7.contract.evidence import Lineage, Period, TimeEvidence
from layer7.statistics.rates.time_to_event import METHOD, TimeToEvent


@dataclass(frozen=True, slots=True)
class Making:
    """When, from what and with which dice findings are made.

    Args:
        window: time that the data are from.
        as_of: when the log was read to, ISO 8601.
        lineage: where the numbers come from.
        rng: the dice of the intervals of times.
    """

    window: Period
    as_of: str
    lineage: Lineage
    rng: np.random.Generator


def time_evidence(found: TimeToEvent, unit: Literal["days", "weeks"]) -> TimeEvidence:
    """Give a mean time in the contract's words.

    Args:
        found: the time.
        unit: its unit.
    """
    return TimeEvidence(
        value=found.mean,
        low=found.low,
        high=found.high,
        n=found.n,
        events=found.events,
        horizon=found.horizon,
        unit=unit,
        method=METHOD,
        needed=found.needed or None,
    )


def document(found: BaseModel) -> str:
    """Give a finding as the JSON that a derived table keeps, numbers to 12 digits.

    The last bits of a float depend on the processor and on where an array lies in memory; the same night
    twice should give the same table.

    Args:
        found: an interface of the contract.
    """
    return json.dumps(_rounded(found.model_dump(mode="json")), ensure_ascii=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
