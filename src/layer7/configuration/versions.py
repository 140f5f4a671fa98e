"""Immutable versions of a component's settings, named by their content, and the changes between them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from layer7.configuration.catalogue import CATALOGUE, parameter, parameters_of
from layer7.configuration.parameter import Parameter, Value, check
from layer7.contract.fields import FrozenDict
from layer7.contract.recommendation import SettingsChange
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

NAME_DIGITS = 12
"""Hexadecimal digits of a name: 48 bits, so a million versions collide with probability 0.002."""


def canonical_json(value: object) -> str:
    """Write a value as JSON in exactly one way: names sorted, no blanks, ASCII, floats as floats.

    Args:
        value: truth values, finite numbers, text, None, sequences, and mappings with text as names.

    Raises:
        Layer7Error: ``not_json`` for anything else, NaN and infinity included.

    Example:
        >>> canonical_json({"b": 75.0, "a": (1, True)})
        '{"a":[1,true],"b":75.0}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise Layer7Error(
            "not_json",
            f"The value cannot be written as JSON: {error}.",
            "Use finite numbers, text, mappings.",
        ) from error


def short_hash(value: object) -> str:
    """Name a value by its content: ``v`` and 12 hexadecimal digits of SHA-256 of its canonical JSON.

    Args:
        value: anything that :func:`canonical_json` takes.

    Example:
        >>> short_hash(75.0) == short_hash(75.0) != short_hash(75)
        True
    """
    return "v" + hashlib.sha256(canonical_json(value).encode()).hexdigest()[:NAME_DIGITS]


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """All settings of one component at one point of their history; the name is a hash of the content.

    The constructor takes content as it is, so that versions from before a change of the catalogue keep
    their names; make new ones with :func:`config_version`, :func:`baseline` or :func:`apply`.

    Args:
        component: whose settings these are.
        content: value by key.

    Example:
        >>> baseline(Component.JOB_DISCOVERY).version
        'v...'
    """

    component: Component
    content: Mapping[str, Value]
    version: str = field(init=False)

    def __post_init__(self) -> None:
        frozen = {
            key: FrozenDict(held) if isinstance(held, Mapping) else held for key, held in self.content.items()
        }
        named = {"component": self.component, "content": frozen}
        object.__setattr__(self, "content", FrozenDict(frozen))
        object.__setattr__(self, "version", short_hash(named))

    def value(self, key: str) -> Value:
        """Give the value of a setting; one that is younger than this version has its default.

        Args:
            key: the setting's name.

        Raises:
            Layer7Error: ``unknown_parameter``, or ``wrong_component`` for another component's setting.
        """
        known = _of(self.component, key)
        return self.content.get(key, known.default)


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that two versions hold different values of."""

    parameter: str
    from_value: Value
    to_value: Value


def config_version(component: Component, values: Mapping[str, object]) -> ConfigVersion:
    """Make a version from values, each checked; settings that are not given have their defaults.

    Args:
        component: whose settings these are.
        values: value by key, in any form that :func:`layer7.configuration.check` takes.

    Raises:
        Layer7Error: ``unknown_parameter``, ``wrong_component``, or why a value is refused.

    Example:
        >>> config_version(Component.STRATEGY_ENGINE, {"min_days_in_mode": 5}).content["min_days_in_mode"]
        5
    """
    checked = {key: check(_of(component, key), given) for key, given in values.items()}
    return ConfigVersion(component, {p.key: checked.get(p.key, p.default) for p in parameters_of(component)})


def baseline(component: Component) -> ConfigVersion:
    """Give the version that holds the catalogue's defaults.

    Args:
        component: whose settings.

    Example:
        >>> baseline(Component.STRATEGY_ENGINE).value("improve_resume_threshold")
        75.0
    """
    return config_version(component, {})


def restore(component: Component, version: str, content: str) -> ConfigVersion:
    """Read a version back from the canonical JSON of its content, and prove that it is that version.

    Args:
        component: whose settings these are.
        version: the name under which it was kept.
        content: ``canonical_json(version.content)`` as it was kept.

    Raises:
        Layer7Error: ``version_damaged`` when the content does not give the name.

    Example:
        >>> kept = baseline(Component.ORCHESTRATOR)
        >>> restore(kept.component, kept.version, canonical_json(kept.content)) == kept
        True
    """
    try:
        restored = ConfigVersion(component, json.loads(content))
    except (ValueError, AttributeError, Layer7Error):
        restored = None
    if restored is None or restored.version != version:
        raise Layer7Error(
            "version_damaged",
            f"The content kept for {component} {version} does not give that name.",
            "Restore the state from a backup, or point the component at another version.",
        )
    return restored


def plan(version: ConfigVersion, key: str, to_value: object) -> SettingsChange:
    """Plan the change of one setting: what a person is shown is exactly what :func:`apply` will do.

    Args:
        version: the version that the change starts from.
        key: the setting's name.
        to_value: its value after the change.

    Raises:
        Layer7Error: ``no_change`` when it has this value already, or why the value is refused.

    Example:
        >>> plan(baseline(Component.STRATEGY_ENGINE), "improve_resume_threshold", 70).to_value
        70.0
    """
    wanted, held = check(_of(version.component, key), to_value), version.value(key)
    if wanted == held:
        raise Layer7Error(
            "no_change",
            f"{key} of {version.component} is {canonical_json(held)} already.",
            "Plan another value, or nothing.",
        )
    return SettingsChange(
        component=version.component,
        parameter=key,
        from_value=held,
        to_value=wanted,
        from_version=version.version,
    )


def plan_back(version: ConfigVersion, change: SettingsChange) -> SettingsChange:
    """Plan to take one applied change back, leaving every later change of other settings in place.

    Args:
        version: the version in force now.
        change: the change that was applied.

    Raises:
        Layer7Error: ``plan_stale`` when the setting no longer has the value of the change.

    Example:
        >>> start = baseline(Component.STRATEGY_ENGINE)
        >>> change = plan(start, "improve_resume_threshold", 70)
        >>> now = apply(start, change)
        >>> apply(now, plan_back(now, change)) == start
        True
    """
    _require(version, change.parameter, change.to_value)
    return plan(version, change.parameter, change.from_value)


def apply(version: ConfigVersion, change: SettingsChange) -> ConfigVersion:
    """Make the version after a change; nothing else than the change is different in it.

    Args:
        version: the version in force now.
        change: the plan.

    Returns:
        A complete version by today's catalogue.

    Raises:
        Layer7Error: ``wrong_component``; ``plan_stale`` when the plan starts from another version or value
            than the one in force; or why the value is refused.

    Example:
        >>> start = baseline(Component.STRATEGY_ENGINE)
        >>> after = apply(start, plan(start, "improve_resume_threshold", 70))
        >>> diff(start, after)
        (Difference(parameter='improve_resume_threshold', from_value=75.0, to_value=70.0),)
    """
    if change.component is not version.component:
        raise _wrong_component(change.parameter, change.component, version.component)
    if change.from_version != version.version:
        raise _stale(f"it starts from {change.from_version}, but {version.version} is in force")
    _require(version, change.parameter, change.from_value)
    held = {known.key: version.value(known.key) for known in parameters_of(version.component)}
    return config_version(version.component, held | {change.parameter: change.to_value})


def diff(a: ConfigVersion, b: ConfigVersion) -> tuple[Difference, ...]:
    """List the settings that two versions of one component hold different values of.

    Args:
        a: the version before.
        b: the version after.

    Returns:
        The differences in the order of the catalogue; empty exactly when all settings agree.

    Raises:
        Layer7Error: ``wrong_component`` when the versions belong to two components.

    Example:
        >>> diff(baseline(Component.ORCHESTRATOR), baseline(Component.ORCHESTRATOR))
        ()
    """
    if a.component is not b.component:
        raise _wrong_component(b.version, b.component, a.component)
    pairs = ((known.key, a.value(known.key), b.value(known.key)) for known in parameters_of(a.component))
    return tuple(Difference(key, before, after) for key, before, after in pairs if before != after)


def _plain(value: object) -> dict[str, object]:
    if isinstance(value, Mapping):
        return dict(value)
    message = f"{type(value).__name__} is no JSON value"
    raise TypeError(message)


def _of(component: Component, key: str) -> Parameter:
    known = CATALOGUE.get(key) or parameter(key)
    if known.component is not component:
        raise _wrong_component(key, known.component, component)
    return known


def _require(version: ConfigVersion, key: str, held: object) -> None:
    now = version.value(key)
    if now != held:
        raise _stale(f"it expects {key} at {canonical_json(held)}, but it is {canonical_json(now)}")


def _stale(why: str) -> Layer7Error:
    return Layer7Error(
        "plan_stale", f"The plan no longer fits: {why}.", "Plan again from the version in force."
    )


def _wrong_component(what: str, owner: Component, asked: Component) -> Layer7Error:
    return Layer7Error(
        "wrong_component", f"{what} belongs to {owner}, not to {asked}.", f"Ask for it under {owner}."
    )
