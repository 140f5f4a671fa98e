"""After how many days answers came, and how old silence is: what the silence model is told."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.applications.fates import INTERVIEW, REJECTION, SILENT, ages, part
from layer7.analytics.applications.folds import FOLDS
from layer7.statistics import SilenceMoments


def to_silence_moments(counted: pa.Table, as_of: datetime) -> SilenceMoments:
    """Give applications, counted by their fates, as the silence model takes them.

    Each application counts once: by its interview if it reached one, else by its rejection, else as silent
    for so many whole days.

    Args:
        counted: of :func:`layer7.analytics.applications.fates.fate_counts`, in any order.
        as_of: the end of the night, with its time zone.

    Raises:
        Layer7Error: ``naive_time``.
    """
    fates = counted["fate"].to_numpy().astype(np.int64)
    n = counted["n"].to_numpy().astype(np.float64)
    kind = part(fates, "kind")
    days = np.where(kind == SILENT, ages(fates, as_of), part(fates, "delay"))

    def histogram(of: int) -> npt.NDArray[np.float64]:
        own = kind == of
        return np.bincount(days[own], n[own]).astype(np.float64)

    return SilenceMoments(
        interviews=histogram(INTERVIEW), rejections=histogram(REJECTION), silent=histogram(SILENT)
    )


def to_silence_folds(counted: pa.Table, as_of: datetime) -> tuple[SilenceMoments, ...]:
    """Give counts within 16 folds of people as the silence model takes them, fold by fold.

    Args:
        counted: of :func:`layer7.analytics.applications.fates.fate_counts`, within ``fold`` (0 to 15).
        as_of: the end of the night, with its time zone.

    Raises:
        Layer7Error: ``naive_time``.
    """
    folds = counted["fold"].to_numpy()
    return tuple(to_silence_moments(counted.filter(pa.array(folds == fold)), as_of) for fold in range(FOLDS))
