"""What the server counts for Prometheus; nothing in it names a person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_LAG = (1, 10, 60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.events = Counter(
            "layer7_events",
            "Events that came, by type and what became of them.",
            ("type", "result"),
            registry=self._registry,
        )
        self.lag = Histogram(
            "layer7_event_lag_seconds",
            "Time between an event and its acceptance.",
            buckets=_LAG,
            registry=self._registry,
        )
        self.evaluations = Counter(
            "layer7_evaluations", "Settings served, by reason.", ("flag", "reason"), registry=self._registry
        )
        self.not_modified = Counter(
            "layer7_evaluations_not_modified", "Bulk evaluations answered with 304.", registry=self._registry
        )
        self.requests = Counter(
            "layer7_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "layer7_request_seconds",
            "Time of requests by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.inbox = Gauge("layer7_inbox_events", "Events that wait for the log.", registry=self._registry)
        self.queue = Gauge(
            "layer7_queued_events", "Events that wait for the writer.", registry=self._registry
        )
        self.quarantine = Gauge(
            "layer7_quarantine_events",
            "Refused events that wait, by code.",
            ("code",),
            registry=self._registry,
        )
        self.recommendations = Gauge(
            "layer7_recommendations", "Recommendations by state.", ("state",), registry=self._registry
        )

    def text(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return generate_latest(self._registry)
