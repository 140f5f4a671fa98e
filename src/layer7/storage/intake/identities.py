"""Which identities the log may hold: 64-bit hashes in sorted runs; files are read only to make sure."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


class Identities:
    """Hashes of the identities in the live files of a log: 8 bytes an event, looked up in logarithmic time.

    A hash that is met says that the identity *may* be there; one that is not met says that it is not. Hashes
    of files that are gone stay, and only cost a needless look.

    The runs are kept as a log-structured merge tree: a run is merged into the one before it unless that is
    more than twice as long, so n events make at most about log2(n) runs and each hash is moved as often.

    Source: O'Neil et al., The log-structured merge-tree, Acta Informatica 33 (1996).

    Example:
        >>> known = Identities()
        >>> known.add("a.parquet", np.array([7, 3], np.uint64))
        >>> known.meets(np.array([3, 4], np.uint64)).tolist()
        [True, False]
    """

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._runs: list[Hashes] = []

    def learn(self, files: Iterable[str], read: Callable[[list[str]], Hashes]) -> None:
        """Take up files that are not known yet.

        Args:
            files: names of all live files.
            read: gives the hashes of the identities in files.
        """
        unknown = [name for name in files if name not in self._files]
        if unknown:
            self._merge(read(unknown))
            self._files.update(unknown)

    def add(self, file: str, hashes: Hashes) -> None:
        """Take up one file whose hashes are at hand."""
        self._merge(hashes)
        self._files.add(file)

    def _merge(self, hashes: Hashes) -> None:
        run = np.sort(hashes)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            # The stable sort finds the two sorted halves and merges them in one pass.
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)

    def meets(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Give for each hash whether it is known."""
        order = np.argsort(hashes)
        wanted = hashes[order]
        met = np.zeros(len(hashes), bool)
        for run in self._runs:
            place = np.searchsorted(run, wanted)
            met[order] |= run[np.minimum(place, len(run) - 1)] == wanted
        return met


def repeated(hashes: Hashes) -> NDArray[np.bool_]:
    """Give for each hash whether it comes more than once.

    Example:
        >>> repeated(np.array([5, 1, 5], np.uint64)).tolist()
        [True, False, True]
    """
    ordered = np.sort(hashes)
    return np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]])
