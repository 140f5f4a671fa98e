"""Whether targets are rethought in time: each person's counts, and what came after a change of mode."""

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, count_if, epoch_seconds, outcomes
from layer7.analytics.optimizing.decisions import HEX
from layer7.contract.vocabulary import EventType, StrategyMode


def target_moments(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Count every person's applications, in all and since targets were last rethought.

    Args:
        applications: one row per application.
        events: the event log; only changes of mode are read.
        night: what silence means.

    Returns:
        ``person``, ``bucket``; ``n``, ``interviews``, ``unseen`` of all submitted applications; the same with
        ``_since`` of those sent after the last change to RETHINK_TARGETS (of all, if there was none).
    """
    sent = outcomes(applications, night)
    sent = sent.filter(sent.is_submitted)
    told = _changes(events)
    last = told.filter(told.to_mode == str(StrategyMode.RETHINK_TARGETS))
    last = last.group_by("person").aggregate(rethought=last.changed.max())
    rows = sent.left_join(last, "person")
    since = rows.rethought.isnull() | (rows.seconds >= rows.rethought)
    return rows.group_by("person", "bucket").aggregate(
        n=rows.count(),
        interviews=count_if(rows.is_interviewed),
        unseen=rows.unseen.sum(),
        n_since=count_if(since),
        interviews_since=count_if(since & rows.is_interviewed),
        unseen_since=ibis.ifelse(since, rows.unseen, 0.0).sum(),
    )


def switch_moments(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Count each person's applications before a change of mode, and from it to the next one.

    A change before which nothing was sent is left out: nothing is known of that person's luck.

    Args:
        applications: one row per application.
        events: the event log; only changes of mode are read.
        night: what silence means.

    Returns:
        One row per change with applications before and after it, without the person's name: ``to_mode``,
        ``fold`` (0 to 15), ``n_before``, ``interviews_before``, ``unseen_before``, and the same with
        ``_after``.
    """
    sent = outcomes(applications, night)
    sent = sent.filter(sent.is_submitted).select("person", "seconds", "is_interviewed", "unseen")
    told = _changes(events)
    turn = ibis.window(group_by=told.person, order_by=[told.changed, told.event_id])
    told = told.mutate(until=told.changed.lead().over(turn))
    rows = told.join(sent, "person")
    before = rows.seconds < rows.changed
    after = ~before & (rows.until.isnull() | (rows.seconds < rows.until))
    fold = ibis.greatest(ibis.literal(HEX).find(rows.person.right(1)), 0).cast("int64")
    summed = rows.mutate(fold=fold).group_by("person", "event_id", "to_mode", "fold").aggregate(
        **_sums(rows, before, "before"), **_sums(rows, after, "after")
    )  # fmt: skip
    return summed.filter(summed.n_before > 0, summed.n_after > 0).drop("person", "event_id")


def _sums(rows: ir.Table, here: ir.BooleanValue, name: str) -> dict[str, ir.Value]:
    return {
        f"n_{name}": count_if(here),
        f"interviews_{name}": count_if(here & rows.is_interviewed),
        f"unseen_{name}": ibis.ifelse(here, rows.unseen, 0.0).sum(),
    }


def _changes(events: ir.Table) -> ir.Table:
    rows = events.filter(events.event_type == str(EventType.MODE_CHANGED))
    return rows.select("person", "event_id", "to_mode", changed=epoch_seconds(rows.event_time))
