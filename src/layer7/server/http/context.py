"""What every door of one running server shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fastapi import Request

from layer7.contract.analytics import UserPerformance
from layer7.server.http.limits import Allowance, Limits
from layer7.server.http.metrics import Metrics
from layer7.server.http.writer import EventWriter
from layer7.storage.database.tokens import Tokens
from layer7.storage.decisions.configs import Configs
from layer7.storage.decisions.recommendations import Recommendations
from layer7.storage.decisions.serving import Serving
from layer7.storage.home import Home
from layer7.storage.intake.answers import Answers
from layer7.storage.services.rankings import Rankings

Clock = Callable[[], datetime]


class PerformanceReader(Protocol):
    """Reads the figures of one person that the last night made."""

    def performance(self, user_id: str, period: str) -> UserPerformance | None:
        """Give a person's performance; None for somebody unknown.

        Args:
            user_id: the caller's own id of the person.
            period: a name of a period, such as ``all``.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that the doors need.

    Args:
        home: the installation.
        clock: now, in UTC.
        configs: its settings.
        recommendations: its recommendations.
        tokens: who may do what.
        answers: answers that may be asked for again.
        serving: what is served of the settings.
        writer: the writer of events.
        metrics: what is counted.
        limits: how much may come.
        events: how many events each token may still send.
        requests: how many requests each token may still send.
        strangers: how many wrong tokens each address may still try.
        rankings: what rankings know of people, and where they are kept.
        performance: figures of people; None until a night made any.
    """

    home: Home
    clock: Clock
    configs: Configs
    recommendations: Recommendations
    tokens: Tokens
    answers: Answers
    serving: Serving
    writer: EventWriter
    metrics: Metrics
    limits: Limits
    events: Allowance
    requests: Allowance
    strangers: Allowance
    rankings: Rankings
    performance: PerformanceReader | None


def context_of(request: Request) -> Context:
    """Give the context of the app that a request came to."""
    found = request.app.state.layer7
    if not isinstance(found, Context):
        message = "the app was not made by create_app"
        raise TypeError(message)
    return found
