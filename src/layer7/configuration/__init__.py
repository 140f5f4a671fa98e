"""What the other layers run on: the catalogue of settings, their versions, and what is served of them."""

from layer7.configuration.catalogue import CATALOGUE, parameter, parameters_of
from layer7.configuration.export import ComponentConfig, component_config, flag_manifest, settings_table
from layer7.configuration.parameter import Constraint, Parameter, Value, ValueKind, allowed_values, check
from layer7.configuration.resolution import Flat, Reason, Resolution, evidence_of, resolve
from layer7.configuration.versions import (
    ConfigVersion,
    Difference,
    apply,
    baseline,
    canonical_json,
    config_version,
    diff,
    plan,
    plan_back,
    restore,
    short_hash,
)

__all__ = [
    "CATALOGUE",
    "ComponentConfig",
    "ConfigVersion",
    "Constraint",
    "Difference",
    "Flat",
    "Parameter",
    "Reason",
    "Resolution",
    "Value",
    "ValueKind",
    "allowed_values",
    "apply",
    "baseline",
    "canonical_json",
    "check",
    "component_config",
    "config_version",
    "diff",
    "evidence_of",
    "flag_manifest",
    "parameter",
    "parameters_of",
    "plan",
    "plan_back",
    "resolve",
    "restore",
    "settings_table",
    "short_hash",
]
