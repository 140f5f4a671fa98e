"""Settings in the forms that others read: the specification's interfaces, OpenFeature's manifest, a table."""

from collections.abc import Mapping
from datetime import datetime

from layer7.configuration.catalogue import CATALOGUE
from layer7.configuration.parameter import Parameter, Value, ValueKind, allowed_values
from layer7.configuration.resolution import resolve
from layer7.configuration.versions import ConfigVersion, baseline, canonical_json
from layer7.contract.settings import (
    JobDiscoveryConfig,
    OptimizedBy,
    OrchestratorConfig,
    StrategyEngineConfig,
)
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

ComponentConfig = StrategyEngineConfig | OrchestratorConfig | JobDiscoveryConfig
"""The whole configuration of one component."""

_MODELS: Mapping[Component, type[ComponentConfig]] = {
    Component.STRATEGY_ENGINE: StrategyEngineConfig,
    Component.ORCHESTRATOR: OrchestratorConfig,
    Component.JOB_DISCOVERY: JobDiscoveryConfig,
}


def component_config(
    version: ConfigVersion,
    *,
    last_updated: datetime,
    optimized_by: OptimizedBy,
    confidence: float | None,
    overrides: Mapping[str, object] | None = None,
) -> ComponentConfig:
    """Give the specification's interface (section 9) for a version.

    Settings that the interface does not have (such as ``exploration_share``) are served as flags only.

    Args:
        version: the version in force.
        last_updated: when it came into force, with its offset.
        optimized_by: who changed it last.
        confidence: probability, 0 to 1, that the last change gains something; None when not estimated.
        overrides: one person's own values by key; Layer 2's interface lists them in ``user_overrides``,
            in the others they stand in place of everybody's values.

    Raises:
        Layer7Error: ``naive_time`` when the time has no offset; what :func:`resolve` refuses an
            override with.

    Example:
        >>> from datetime import UTC
        >>> start = baseline(Component.JOB_DISCOVERY)
        >>> moment = datetime(2025, 7, 2, 3, 10, tzinfo=UTC)
        >>> config = component_config(start, last_updated=moment, optimized_by="manual", confidence=None)
        >>> config.fit_score_weights.technical
        0.4
    """
    if last_updated.tzinfo is None:
        raise Layer7Error("naive_time", "The time of the last change has no offset.", "Give it in UTC.")
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    own = {key: resolve(version, key, override=value).value for key, value in given.items()}
    model = _MODELS[version.component]
    lists_overrides = "user_overrides" in model.model_fields
    values = {key: version.value(key) for key in model.model_fields if key in CATALOGUE}
    facts = {
        "last_updated": last_updated.isoformat(),
        # Layer 6's interface has this instead: null as long as nothing was ever changed.
        "last_optimized": None if version == baseline(version.component) else last_updated.isoformat(),
        "optimized_by": optimized_by,
        "confidence": confidence,
        "version": version.version,
        "user_overrides": own or None,
    }
    known = {name: fact for name, fact in facts.items() if name in model.model_fields}
    return model.model_validate(values | ({} if lists_overrides else own) | known)


def flag_manifest() -> dict[str, object]:
    """Give the OpenFeature flag manifest, from which its command line generates typed accessors.

    Returns:
        ``{"flags": {key: {"flagType", "defaultValue", "description", ...}}}``; objects carry a ``schema``,
        and ``x-layer7`` holds what the standard has no word for.

    Example:
        >>> flag_manifest()["flags"]["rethink_targets_threshold"]["defaultValue"]
        30
    """
    return {"flags": {key: _flag(entry) for key, entry in sorted(CATALOGUE.items())}}


def settings_table() -> str:
    """Give the catalogue as a Markdown table, the one in docs/settings.md.

    Example:
        >>> settings_table().splitlines()[0]
        '| setting | component | allowed | default | per person | what it does | specification |'
    """
    head = "| setting | component | allowed | default | per person | what it does | specification |"
    return "\n".join((head, "| --- " * 7 + "|", *(_row(entry) for entry in CATALOGUE.values())))


def _json_value(value: Value) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _flag(entry: Parameter) -> dict[str, object]:
    flag: dict[str, object] = {
        "flagType": entry.kind.value,
        "defaultValue": _json_value(entry.default),
        "description": f"{entry.description} Allowed: {allowed_values(entry)}.",
        "x-layer7": {"component": entry.component.value, "unit": entry.unit, "personal": entry.personal},
    }
    if entry.kind is ValueKind.OBJECT:
        flag["schema"] = {
            "type": "object",
            "properties": {name: {"type": "number"} for name in entry.members},
            "required": list(entry.members),
            "additionalProperties": False,
        }
    return flag


def _row(entry: Parameter) -> str:
    default = canonical_json(entry.default).replace(",", ", ").replace(":", ": ")
    personal = "yes" if entry.personal else "no"
    cells = (
        f"`{entry.key}`",
        entry.component.value,
        allowed_values(entry),
        f"`{default}`",
        personal,
        entry.description,
        entry.section,
    )
    return "| " + " | ".join(cells) + " |"
