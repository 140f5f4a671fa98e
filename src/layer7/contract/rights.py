"""What a person is told about her rights: receipts, what is kept of her, what it is used for (addition)."""

from typing import Any, Literal

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


class KeptOf(Contract):
    """What one place holds of a person."""

    place: str = Field(description="The table or dataset.")
    holds: str = Field(description="What it is.")
    used_for: str = Field(description="What that is used for.")
    rows: Whole = Field(description="How many rows are about her.")


class UseOf(Contract):
    """One purpose for which a person's data may be used."""

    purpose: str = Field(description="Its name.")
    value: str = Field(description="What she said, or the default.")
    allowed: bool = Field(description="Whether her data are used for it now.")


class Right(Contract):
    """A right, and the way to use it."""

    right: str = Field(description="What she may ask for.")
    article: str = Field(description="Where the GDPR has it.")
    command: str = Field(description="The command.")
    http: str = Field(description="The request.")


class PersonStatus(Contract):
    """What is kept of a person, what it is used for, and what it contributed to."""

    user_id: str = Field(description="The person, in the caller's own id.")
    erased_at: str | None = Field(description="When she was last forgotten; null for never.")
    kept: tuple[KeptOf, ...] = Field(description="By place; empty where nothing is kept.")
    uses: tuple[UseOf, ...] = Field(description="By purpose.")
    contributed_to: tuple[str, ...] = Field(description="Figures and experiments that she is part of.")
    promise: tuple[str, ...] = Field(description="What is promised, in plain words.")
    rights: tuple[Right, ...] = Field(description="What she may ask for, and how.")


class PersonExport(Contract):
    """Everything that is kept of a person (GDPR 15 and 20); another installation can take it in."""

    format: Literal["layer7-person/1"] = Field(description="Name and version of this form.")
    user_id: str = Field(description="The person, in the caller's own id.")
    made_at: str = Field(description="When it was made.")
    events: tuple[FrozenMap[str, Any], ...] = Field(
        description="Every event, as the contract has it (/v1/schemas/Event.json), her own words opened."
    )
    consents: tuple[FrozenMap[str, Any], ...] = Field(description="All that she said of the use of her data.")
    kept: FrozenMap[str, tuple[FrozenMap[str, Any], ...]] = Field(
        description="Every other place of the register, row by row: what was learned of her."
    )
    fields: FrozenMap[str, str] = Field(description="What each place holds, in words.")
