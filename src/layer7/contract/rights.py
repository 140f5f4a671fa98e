"""What a person is told about her rights: receipts, what is kept of her, what it is used for (addition)."""

from pydantic import Field

from layer7.contract.base import Contract
from layer7.contract.fields import FrozenMap, Whole


class ErasureReceipt(Contract):
    """The proof that a person was erased, signed with the installation's audit key."""

    receipt_id: str = Field(description="Its name; no id of a person.")
    requested_at: str = Field(description="When it was asked for.")
    erased_at: str = Field(description="From when on nothing reads or serves anything of the person.")
    key_destroyed: bool = Field(
        description="Whether there was a key: with it gone, her own words are unreadable in every backup."
    )
    removed: FrozenMap[str, Whole] = Field(description="Rows deleted by then, by place.")
    waiting: tuple[str, ...] = Field(
        description="Datasets that are hidden by now and rewritten without her by the next night."
    )
    kept: FrozenMap[str, str] = Field(description="What stays, and why.")
    signature: str = Field(description="HMAC-SHA-256 of all of the above.")


class ErasureProgress(Contract):
    """How far an erasure has come; the receipt does not wait for the files."""

    receipt: ErasureReceipt = Field(description="The receipt.")
    rewritten_at: str | None = Field(description="Since when no file in use holds her; null for not yet.")
    gone_at: str | None = Field(description="Since when no replaced file is left on the disk either.")
