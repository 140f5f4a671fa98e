"""What may be kept, counted and shown."""

from layer7.privacy.consent import DEFAULTS, VALUES, Consent, may_use, spoken, strictness
from layer7.privacy.least import Enough, about_enough
from layer7.privacy.pseudonym import Pseudonym, bucket_of, derive_key
from layer7.privacy.seal import open_sealed, seal

__all__ = [
    "DEFAULTS",
    "VALUES",
    "Consent",
    "Enough",
    "Pseudonym",
    "about_enough",
    "bucket_of",
    "derive_key",
    "may_use",
    "open_sealed",
    "seal",
    "spoken",
    "strictness",
]
