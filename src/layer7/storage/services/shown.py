"""To how many people each job was lately shown: counted once, and then kept up, since every ranking asks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from layer7.storage.database.schema import exposures

EXPOSURE_DAYS = 14
"""So long somebody to whom a job was shown counts as one who may apply to it."""

FRESH = timedelta(minutes=5)
"""After this a count is read anew: other processes show jobs as well, and what is old falls out."""

_MOST_JOBS = 200_000


class Shown:
    """Counts of people by job, as far as they were asked for."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[datetime, int]] = {}

    def counts(
        self, connection: Connection, jobs: Iterable[str], *, since: str, at: datetime
    ) -> Mapping[str, int]:
        """Give to how many people jobs were shown; those shown to nobody are left out.

        Args:
            connection: to read with.
            jobs: names as they are kept.
            since: from when on it counts, ISO 8601.
            at: now.
        """
        oldest, wanted, counts = at - FRESH, list(jobs), self._counts
        known = zip(wanted, map(counts.get, wanted), strict=True)
        old = [job for job, count in known if count is None or not oldest < count[0] <= at]
        if old:
            query = select(exposures.c.job, func.count()).where(
                exposures.c.job.in_(old), exposures.c.at >= since
            )
            found = {job: int(n) for job, n in connection.execute(query.group_by(exposures.c.job)).all()}
            if len(counts) > _MOST_JOBS:
                counts = self._counts = {job: counts[job] for job in wanted if job in counts}
            # In place, and read from here: other threads count at the same time.
            counts.update({job: (at, found.get(job, 0)) for job in old})
        return {job: count for job in wanted if (count := counts[job][1])}

    def add(self, jobs: Iterable[str]) -> None:
        """Count one person more.

        Args:
            jobs: that she was shown for the first time.
        """
        counts = self._counts
        for job in jobs:
            known = counts.get(job)
            if known is not None:
                counts[job] = known[0], known[1] + 1
