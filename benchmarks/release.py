"""How long a release takes: 1 million people, 10 million rows, 500 cells of two metrics; `make bench`.

The mark is 10 seconds and 2 GiB on two cores, from rows to noisy numbers. Beside it stands the whole ledger:
the same, with consent, the year's cap and a million charges, in one transaction.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from layer7.contract.vocabulary import Purpose
from layer7.privacy.bounding import Contributions, bounded, exact
from layer7.privacy.cells import CellTable, Layout
from layer7.privacy.noise import noisy
from layer7.storage.database.schema import consents
from layer7.storage.home import open_home

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LAYOUT = Layout([CellTable("cell", tuple(f"c{at}" for at in range(500)), ("answered", "interviewed"), 3)])


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took, on the clock and of the processors."""
    wall, used = time.perf_counter(), time.process_time()
    yield
    wall, used = time.perf_counter() - wall, time.process_time() - used
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sys.stdout.write(f"{what:45s} {wall:6.1f} s, {used:6.1f} s of processors, at most {most:.2f} GiB\n")


def main(people: int = 1_000_000, rows: int = 10_000_000) -> None:
    """Make people up, and release what they did."""
    rng = np.random.default_rng(1)
    words = rng.integers(0, 2**64, people, np.uint64)
    names = tuple(f"{word:016x}{at:016x}" for at, word in enumerate(words))
    made = Contributions(
        rng.integers(0, people, rows),
        rng.integers(0, 500, rows),
        rng.random((rows, 2)),
        words,
    )
    noisy(np.zeros((500, 3), np.int64), LAYOUT)
    with timed("rows to noisy numbers"):
        noisy(exact(bounded(made, LAYOUT, b"key"), LAYOUT), LAYOUT)
    with tempfile.TemporaryDirectory() as folder:
        home = open_home(Path(folder) / "home")
        said = {"purpose": Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS.value, "value": "yes", "source": "bench"}
        with home.state.write() as connection:
            connection.execute(consents.insert(), [{"person": name, "at": "2026", **said} for name in names])
        with timed("the same through the ledger, a million charged"):
            home.releases.draw(1, made, names, layout=LAYOUT, at=NOW)


if __name__ == "__main__":
    main()
