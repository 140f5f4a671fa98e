"""The noise: one discrete Gaussian over the whole vector, by OpenDP, from the operating system's randomness.

There is no other source of noise here: without OpenDP nothing is released.
"""

from functools import cache
from importlib import import_module, metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.privacy.cells import SCALE, Layout

OPENDP = "0.16.0"
"""The version whose behaviour the tests prove."""

_HINT = "Install it with the extra: pip install 'layer7[insights]'."
_ROUNDING = 1e-12
_TRIES = 60


def off() -> str | None:
    """Say why nothing can be released; None where it can.

    The library must be there in the proven version, and must give the known loss of a small mechanism.
    """
    try:
        found = metadata.version("opendp")
    except metadata.PackageNotFoundError:
        return f"Market insights are off: OpenDP is not installed. {_HINT}"
    if found != OPENDP:
        return f"Market insights are off: OpenDP is {found}, proven is {OPENDP}. {_HINT}"
    try:
        works = abs(_gaussian(2.0).map(1.0) - 0.125) < 1e-9
    except Exception as error:  # noqa: BLE001 - whatever a broken library raises, nothing is released
        return f"Market insights are off: OpenDP failed its self-test ({type(error).__name__})."
    return None if works else "Market insights are off: OpenDP failed its self-test."


def noisy(exact: npt.NDArray[np.int64], layout: Layout) -> npt.NDArray[np.int64]:
    """Add noise to an exact vector; the loss that OpenDP proves for it is at most that of the layout.

    Args:
        exact: what :func:`layer7.privacy.bounding.exact` gives.
        layout: what is released.

    Returns:
        The same shape, in points of the scale; 0 where nothing is released.

    Raises:
        Layer7Error: ``insights_off`` without OpenDP; ``noise_unproven`` if no scale has a proven loss.
    """
    reason = off()
    if reason is not None:
        raise Layer7Error("insights_off", reason, _HINT)
    found = np.zeros(exact.shape, np.int64)
    found[layout.used] = np.array(_proven(layout)(exact[layout.used].tolist()), np.int64)
    return found


def _proven(layout: Layout) -> Any:
    """Give a mechanism whose proven loss is at most rho; rounding is met by more noise, never less."""
    scale = layout.sigma * SCALE
    for _ in range(_TRIES):
        mechanism = _gaussian(scale)
        if mechanism.map(layout.l2) <= layout.rho:
            return mechanism
        scale *= 1 + _ROUNDING
    raise Layer7Error(
        "noise_unproven", f"No noise near {scale:.3f} has a proven loss of {layout.rho}.", "Tell us of it."
    )


def _gaussian(scale: float) -> Any:
    domains, metrics, measurements = _opendp()
    domain = domains.vector_domain(domains.atom_domain(T="i64"))
    return measurements.make_gaussian(domain, metrics.l2_distance(T=float), scale=scale)


@cache
def _opendp() -> tuple[Any, ...]:
    """Load those parts of the library that are needed, when they are: its prelude loads much else."""
    import_module("opendp.mod").enable_features("contrib")
    return tuple(import_module(f"opendp.{part}") for part in ("domains", "metrics", "measurements"))
