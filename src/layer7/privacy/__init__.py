"""What may be kept, counted and shown."""

from layer7.privacy.consent import DEFAULTS, Consent, may_use
from layer7.privacy.pseudonym import Pseudonym, bucket_of, derive_key
from layer7.privacy.release import Released, release
from layer7.privacy.seal import open_sealed, seal

__all__ = [
    "DEFAULTS",
    "Consent",
    "Pseudonym",
    "Released",
    "bucket_of",
    "derive_key",
    "may_use",
    "open_sealed",
    "release",
    "seal",
]
