"""What can be done when a group fares worse, the mildest step first; people decide."""

from collections.abc import Mapping
from types import MappingProxyType

LADDER: Mapping[str, str] = MappingProxyType(
    {
        "roll_back": "take the last change back: `layer7 rollouts rollback`, `layer7 config rollback`",
        "drop_proxy": "drop or replace a feature that tells who somebody is",
        "shrink": "draw small groups harder towards everybody",
        "constrain": "train again under a constraint that is blind to the group",
        "other": "another decision of a person, with its reason",
    }
)
"""The steps; the group itself is never used to serve anybody."""
