"""How likely is an interview: a chance that is a sum of terms, learned, tested, adopted or refused."""

from layer7.optimization.likelihood.judging import Contest, contest
from layer7.optimization.likelihood.model import (
    Effect,
    LikelihoodModel,
    Term,
    content,
    restored,
    version_of,
)
from layer7.optimization.likelihood.training import OWN_TABLE, own_table, own_terms, train

__all__ = [
    "OWN_TABLE",
    "Contest",
    "Effect",
    "LikelihoodModel",
    "Term",
    "content",
    "contest",
    "own_table",
    "own_terms",
    "restored",
    "train",
    "version_of",
]
