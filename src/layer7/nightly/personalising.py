"""The stage ``personalise``: settings of every person's own, one step a day towards what she does."""

from collections.abc import Mapping
from datetime import datetime

from layer7.analytics.applications.outcomes import seconds_of
from layer7.analytics.optimizing.personal import personal_moments, tastes
from layer7.contract.vocabulary import Component
from layer7.nightly.night import NOTHING_YET, Log, Night, Outcome
from layer7.personalization.learning import learn
from layer7.personalization.stepping import Kept, stepped
from layer7.personalization.values import Learned, Usual
from layer7.storage.services.personalized import usual_values


def personalise(night: Night) -> Outcome:
    """Move every person's settings one step towards what she does; who has paused stays where she is."""
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        if log is None:
            return NOTHING_YET
        usual = usual_values(night.home.configs.active(Component.ORCHESTRATOR))
        found = learned_of(log, usual, night.horizon.end)
    night.progress(0.6)
    paused, changed = night.home.personal.paused(), 0

    def step(person: str, kept: Kept | None) -> Kept:
        nonlocal changed
        now = stepped(kept, found[person], usual, day=night.horizon.as_of)
        changed += _values(kept) != _values(now)
        return now

    rows = night.home.personal.renew(found.keys() - paused, step, at=night.clock())
    return Outcome(rows, {"people": len(found), "changed": changed, "paused": len(paused & found.keys())})


def learned_of(log: Log, usual: Usual, end: datetime) -> Mapping[str, Mapping[str, Learned]]:
    """Learn what people do, from their own data alone.

    Args:
        log: what may be read, of one person or of many.
        usual: everybody's values.
        end: the end of the night.
    """
    moments = personal_moments(log.applications, log.events, end).to_pyarrow()
    return learn(moments, tastes(log.applications, end).to_pyarrow(), usual, end=seconds_of(end))


def _values(kept: Kept | None) -> Mapping[str, object]:
    return {} if kept is None else {name: own["value"] for name, own in kept["fields"].items()}
