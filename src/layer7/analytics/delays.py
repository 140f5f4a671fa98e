"""After how many days answers came, and how old silence is: what the silence model is told."""

from datetime import datetime

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.outcomes import SECONDS_PER_DAY, epoch_seconds, judged
from layer7.analytics.scores import FOLDS, fold_of
from layer7.statistics import SilenceMoments

KINDS = ("interview", "rejection", "silent")


def delay_moments(applications: ir.Table, as_of: datetime) -> ir.Table:
    """Count submitted applications by what they came to and after how many whole days.

    Each application is counted once: by its interview if it reached one, else by its rejection, else as
    silent. An answer counts by the days from submission until the log knew of it: an answer that a person
    enters late is silence until then, so days that are merely reported would let recent rates sink.

    Args:
        applications: one row per application.
        as_of: the end of the night, with its time zone.

    Returns:
        ``kind`` (:data:`KINDS`), ``day`` and ``n``; a few thousand rows at most.

    Raises:
        Layer7Error: ``naive_time``.
    """
    told = _told(applications, as_of)
    return told.group_by("kind", "day").aggregate(n=told.count())


def delay_folds(applications: ir.Table, as_of: datetime) -> ir.Table:
    """Count as :func:`delay_moments` does, in 16 folds of people.

    Args:
        applications: one row per application.
        as_of: the end of the night, with its time zone.

    Returns:
        ``fold`` (0 to 15), ``kind``, ``day`` and ``n``.

    Raises:
        Layer7Error: ``naive_time``.
    """
    told = _told(applications, as_of)
    return told.group_by("fold", "kind", "day").aggregate(n=told.count())


def _told(applications: ir.Table, as_of: datetime) -> ir.Table:
    rows = judged(applications, as_of)
    rows = rows.filter(rows.is_submitted)
    known_at = ibis.cases((rows.is_interviewed, rows.interview_at), (rows.is_rejected, rows.rejected_at))
    days = (epoch_seconds(known_at) - rows.seconds) // SECONDS_PER_DAY
    return rows.select(
        fold=fold_of(rows.person),
        kind=ibis.cases((rows.is_interviewed, "interview"), (rows.is_rejected, "rejection"), else_="silent"),
        day=ibis.greatest(ibis.coalesce(days, rows.age), 0),
    )


def to_silence_moments(counted: pa.Table) -> SilenceMoments:
    """Give the counts of :func:`delay_moments` as the silence model takes them.

    Args:
        counted: ``kind``, ``day`` and ``n``, in any order.

    Example:
        >>> counted = pa.table({"kind": ["silent", "interview"], "day": [2, 1], "n": [5, 1]})
        >>> to_silence_moments(counted).silent.tolist()
        [0.0, 0.0, 5.0]
    """
    kinds, days, n = (counted[name].to_numpy() for name in ("kind", "day", "n"))

    def histogram(kind: str) -> npt.NDArray[np.float64]:
        own = kinds == kind
        sums = np.bincount(days[own].astype(np.int64), n[own].astype(np.float64))
        return sums.astype(np.float64)

    return SilenceMoments(
        interviews=histogram("interview"),
        rejections=histogram("rejection"),
        silent=histogram("silent"),
    )


def to_silence_folds(counted: pa.Table) -> tuple[SilenceMoments, ...]:
    """Give the counts of :func:`delay_folds` as the silence model takes them, fold by fold.

    Args:
        counted: ``fold``, ``kind``, ``day`` and ``n``, in any order.

    Example:
        >>> counted = pa.table({"fold": [3], "kind": ["silent"], "day": [2], "n": [5]})
        >>> [fold.n for fold in to_silence_folds(counted)][2:5]
        [0.0, 5.0, 0.0]
    """
    folds = counted["fold"].to_numpy()
    return tuple(to_silence_moments(counted.filter(pa.array(folds == fold))) for fold in range(FOLDS))
