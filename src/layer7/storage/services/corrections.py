"""What was really heard, as a person says: an event through the ordinary door, so the log stays the truth."""

import json
from datetime import datetime

from layer7.contract.reading import read_event
from layer7.contract.vocabulary import EventType
from layer7.errors import Layer7Error
from layer7.storage.home import Home
from layer7.storage.intake.inbox import Receipt

SOURCE = "correction"
NOTHING = "none"
"""Said in place of an outcome: nothing was heard."""


def correct(
    home: Home, user_id: str, application_id: str, *, outcome: str, days: float | None, at: datetime
) -> Receipt:
    """Record what was really heard of an application; earlier outcomes of it no longer count.

    Args:
        home: the installation.
        user_id: the person, in the caller's own id.
        application_id: which of her applications.
        outcome: ``interview``, ``offer``, ``rejected``, ``ghosted``, or ``none``.
        days: days from submission to the answer; None when unknown.
        at: now, with offset.

    Raises:
        Layer7Error: ``unknown_application``; ``invalid_outcome`` with the reason.
    """
    if not _is_there(home, user_id, application_id):
        raise Layer7Error(
            "unknown_application",
            "No night knows of this application of this person.",
            "Check both ids; a new application is known after the next night.",
        )
    event = {
        "event_type": EventType.OUTCOME_CORRECTED.value,
        "user_id": user_id,
        "application_id": application_id,
        "timestamp": at.isoformat(),
        "outcome": None if outcome == NOTHING else {"status": outcome, "days_to_response": days},
    }
    text = json.dumps(event)
    reading = read_event(text, now=at)
    if reading.event is None:
        reason = reading.problems[0].reason if reading.problems else "it cannot be read"
        raise Layer7Error(
            "invalid_outcome",
            f"The outcome cannot be taken: {reason}.",
            "It is one of interview, offer, rejected, ghosted, none; days are 0 or more.",
        )
    return home.inbox.accept([(text, reading)], now=at, source=SOURCE)[0]


def _is_there(home: Home, user_id: str, application_id: str) -> bool:
    person = home.keys.person(user_id)
    bucket = home.keys.bucket(person)
    with home.warehouse.open() as tables:
        found = tables.read("applications")
        if found is None:
            return False
        own = found.filter(found.bucket == bucket, found.person == person)
        return bool(own.filter(own.application_id == application_id).count().to_pyarrow().as_py())
