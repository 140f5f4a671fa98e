"""What the night says of the patterns it found."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from layer7.analytics.cells.moments import DIMENSIONS
from layer7.patterns.believing import Laws


def pattern_report(shown: pa.Table, *, people: pa.Table, laws: Laws) -> Mapping[str, Any]:
    """Say how many patterns are shown, to how many people, how many of them are expected to be wrong.

    Args:
        shown: what :func:`layer7.patterns.detection.choose` gave.
        people: what :func:`layer7.patterns.outlooks.needed` gave.
        laws: what was learned from all people.
    """
    doubt = 1 - shown["probability"].to_numpy()
    return {
        "people": people.num_rows,
        "shown": shown.num_rows,
        "people_shown": len(set(shown["person"].to_pylist())),
        "expected_false_discovery_rate": float(doubt.mean()) if doubt.size else None,
        "by_dimension": dict(sorted(Counter(shown["dimension"].to_pylist()).items())),
        "share_of_cells_with_an_effect": {
            name: float(np.round(laws.of(place).effects, 5)) for place, name in enumerate(DIMENSIONS)
        },
        "correlation_within_employer": float(np.round(laws.background.correlation, 4)),
    }
