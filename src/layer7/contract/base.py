"""What every model of the contract shares: frozen, strict, finite."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A value that crosses the border of the engine: frozen, strictly typed, without NaN or infinity.

    Unknown fields are refused; the events of :mod:`layer7.contract.events` are the exception,
    since their writers may be newer than this reader.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
