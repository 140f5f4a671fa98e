"""Settings of an installation: ``layer7.toml`` in the home folder, ``LAYER7_*`` in the environment."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from layer7.errors import Layer7Error

FILE_NAME = "layer7.toml"

Origin = Annotated[str, Field(pattern=r"^https?://[^\s/*@?#]+$")]
"""A web origin as browsers write it: scheme, host and perhaps port, no slash at the end, no wildcard."""


Attribute = Literal["gender", "age", "ethnicity", "disability"]
"""What people may declare of themselves; a test holds these to :data:`layer7.fairness.groups.ATTRIBUTES`."""


class Settings(BaseSettings):
    """What an installation may decide for itself; the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="LAYER7_", extra="ignore", frozen=True)

    database_url: str = Field(
        default="", description="SQLAlchemy address of the state; empty means SQLite in the home folder"
    )
    buckets: int = Field(
        default=16, ge=1, le=4096, description="storage buckets; fixed when the home folder is made"
    )
    threads: int = Field(default=0, ge=0, le=256, description="engine threads; 0 means one per core")
    memory_limit: str = Field(default="2GB", pattern=r"^\d+(\.\d+)?[KMG]i?B$", description="engine memory")
    large_log: int = Field(
        default=200_000, ge=0, description="applications up to which every night learns from all of them anew"
    )
    look_every_days: int = Field(default=7, ge=1, le=365, description="days between looks at a larger log")
    backup_days: int = Field(
        default=35, ge=0, le=3650, description="how long backups are kept; erased names are held that long"
    )
    reserve_mb: int = Field(
        default=16, ge=0, le=1024, description="MiB held so that people can be erased on a full disk"
    )
    policy_version: str = Field(
        default="", max_length=100, description="name of the privacy notice in force, kept with each consent"
    )
    web_origins: tuple[Origin, ...] = Field(
        default=(), description="web origins whose pages may read settings from the browser; none by default"
    )
    fairness_groups: dict[Attribute, tuple[str, ...]] = Field(
        default_factory=dict,
        description="groups that people may declare, by attribute; without a list any short word is taken",
    )
    old_master_key: str = Field(
        default="", repr=False, description="the master key before the present one, while it is changed"
    )
    master_key: str = Field(default="", repr=False, description="64 hex digits; empty means keys/master.key")


_NAMES = frozenset(Settings.model_fields)


def load_settings(home: Path) -> Settings:
    """Read the settings of a home folder.

    Args:
        home: the home folder; its ``layer7.toml`` may be missing.

    Example:
        >>> load_settings(Path("nowhere")).buckets
        16

    Raises:
        Layer7Error: ``invalid_settings``, with what is wrong and where.
    """
    try:
        return _settings(home / FILE_NAME)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(f"{FILE_NAME} is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise _invalid(f"{FILE_NAME} is not UTF-8") from error
    except ValidationError as error:
        # The value itself is not repeated: it may be a key.
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _invalid(f"{wrong['loc'][0]}: {wrong['msg']}") from error
    except SettingsError as error:
        raise _invalid(f"the environment cannot be read: {error}") from error


def _invalid(what: str) -> Layer7Error:
    return Layer7Error(
        "invalid_settings",
        f"The settings of this installation cannot be used: {what}.",
        f"Mend {FILE_NAME} in the home folder, or the LAYER7_ variable of that name.",
    )


def _settings(file: Path) -> Settings:
    from_file: dict[str, Any] = {}
    if file.exists():
        from_file = {
            key: value for key, value in tomllib.loads(file.read_text("utf-8")).items() if key in _NAMES
        }
    from_environment = {name for name in _NAMES if f"LAYER7_{name.upper()}" in os.environ}
    return Settings(**{key: value for key, value in from_file.items() if key not in from_environment})
