"""Segments are answered at their own pace: how much of their silence has not been seen yet."""

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.fates import SILENT, fate_counts, fated, part
from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.segments.membership import SCHEMES
from layer7.statistics import SilenceMoments, fit_cohorts
from layer7.statistics.arrays import FloatArray

LEAST_ANSWERS = 20
"""Answers from which on a segment has delays of its own: with fewer, those of everyone are as near."""

MOST_SEGMENTS = 40
"""Segments of a scheme with delays of their own, those with the most answers; a fit takes 0.05 s."""

_REST = "rest"
"""All other segments of a scheme together: they count in the delays of everyone."""


def segment_fates(applications: ir.Table, members: ir.Table) -> ir.Table:
    """Count what became of the applications of every segment.

    Args:
        applications: one row per application.
        members: ``person`` and her places in the schemes.

    Returns:
        ``scheme``, ``segment``, ``fate`` and ``n``.
    """
    rows = fated(applications).join(members.select("person", *SCHEMES), "person")
    return ibis.union(*(_of_scheme(rows, scheme) for scheme in SCHEMES))


def _of_scheme(rows: ir.Table, scheme: str) -> ir.Table:
    placed = rows.filter(rows[scheme].notnull())
    counted = fate_counts(placed.mutate(segment=placed[scheme]), ("segment",))
    return counted.mutate(scheme=ibis.literal(scheme))


def unseen_ratios(counted: pa.Table, night: Outlook, *, groups: int) -> FloatArray:
    """Say of each segment how much of its silence is still unseen, over what the delays of everyone say.

    The sum of u(t) over its silent applications with its own p, r and delays, over the same sum with those of
    everyone. A segment that is answered late has a ratio above 1: more of its trials are still to be seen,
    and its latest weeks no longer look too silent. With fewer than 20 answers it is 1.

    Args:
        counted: rows of :func:`segment_fates`.
        night: what silence means for everyone.
        groups: how many segments there are.

    Returns:
        A ratio for each place.

    Source:
        :func:`layer7.statistics.fit_cohorts`, :meth:`layer7.statistics.SilenceModel.unseen_weight`.
    """
    ratios, everyone = np.ones(groups), night.weights()
    schemes = counted["scheme"].to_numpy(zero_copy_only=False)
    for scheme in SCHEMES:
        moments = _moments(counted.filter(pa.array(schemes == scheme)), night)
        for place, model in fit_cohorts(moments).items():
            silent = moments[place].silent
            theirs = _unseen(silent, everyone)
            if place != _REST and theirs > 0:
                ratios[int(place)] = _unseen(silent, model.unseen_by_day(everyone.size)) / theirs
    return ratios


def _moments(counted: pa.Table, night: Outlook) -> dict[str, SilenceMoments]:
    """Moments of the segments with the most answers, and of all others together; nothing without any."""
    place = counted["segment"].to_numpy().astype(np.int64)
    answered = part(counted["fate"].to_numpy().astype(np.int64), "kind") != SILENT
    answers = np.bincount(place, counted["n"].to_numpy() * answered)
    # Stable, so that of segments with as many answers the first is taken, whatever the engine's order.
    most = np.argsort(-answers, kind="stable")[:MOST_SEGMENTS]
    own = np.sort(most[answers[most] >= LEAST_ANSWERS])
    if not own.size:
        return {}
    cohorts = {str(each): place == each for each in own} | {_REST: ~np.isin(place, own)}
    return {
        name: to_silence_moments(counted.filter(pa.array(rows)), night.as_of)
        for name, rows in cohorts.items()
    }


def _unseen(silent: npt.NDArray[np.float64], weights: FloatArray) -> float:
    days = min(silent.size, weights.size)
    return float(silent[:days] @ weights[:days])
