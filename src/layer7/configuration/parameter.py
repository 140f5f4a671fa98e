"""One setting: what it is, which values it may take, and the one check that every value passes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from numbers import Integral

from layer7.contract.fields import FrozenDict
from layer7.contract.settings import WEIGHT_TOLERANCE
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

Value = bool | int | float | str | Mapping[str, float]
"""What a setting may hold: a truth value, a number, a word, or numbers by name."""

MAX_NUMBER = 2**53 - 1
"""Largest number of a setting without a range: beyond it JSON clients lose digits."""


class ValueKind(StrEnum):
    """Kinds of values, with OpenFeature's names."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    OBJECT = "object"


class Constraint(StrEnum):
    """What must hold between the members of an object."""

    SUMS_TO_ONE = "sums_to_one"
    NON_DECREASING = "non_decreasing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting of one component; one parameter is one feature flag.

    Args:
        key: name of the setting and of its flag, ``^[a-z0-9][a-z0-9_.-]*$``.
        component: the layer that reads it.
        kind: the kind of its values.
        default: the value in force before anything was learned or set.
        low: lowest allowed number, in ``unit``; None for other kinds.
        high: highest allowed number, in ``unit``; None for other kinds.
        choices: allowed words of a string; empty for other kinds.
        members: lowest and highest number by member of an object, in the order of the constraint.
        constraint: what must hold between the members; None when nothing.
        unit: unit of the numbers, in the plural, such as ``points``.
        description: what it does, one sentence.
        section: where the specification speaks of it.
        personal: whether one person may have a value of their own.
    """

    key: str
    component: Component
    kind: ValueKind
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    members: Mapping[str, tuple[float, float]] = FrozenDict()
    constraint: Constraint | None = None
    unit: str = ""
    description: str
    section: str
    personal: bool = False


def check(parameter: Parameter, value: object) -> Value:
    """Give a value in the one form in which a setting is kept and served, or refuse it.

    Integers become ``int``, floats ``float`` (so that JSON writes ``75.0``, which typed clients need),
    objects read-only mappings in the order of the parameter's members. An integral number such as
    ``30.0`` is accepted for an integer; truth values are never numbers.

    Args:
        parameter: the setting.
        value: what came, for example from JSON.

    Returns:
        The value, finite, within the parameter's range; for the same content always the same form.

    Raises:
        Layer7Error: ``wrong_type``, ``value_out_of_range`` (NaN and infinity too), ``value_not_allowed``,
            ``wrong_members`` or ``constraint_broken``.

    Example:
        >>> from layer7.configuration.catalogue import parameter
        >>> check(parameter("improve_resume_threshold"), 70)
        70.0
    """
    if parameter.kind is ValueKind.OBJECT:
        return _members(parameter, value)
    if parameter.kind in {ValueKind.INTEGER, ValueKind.FLOAT}:
        return _number(parameter, value)
    if parameter.kind is ValueKind.BOOLEAN and isinstance(value, bool):
        return value
    if parameter.kind is ValueKind.STRING and isinstance(value, str):
        return _choice(parameter, value)
    raise _wrong_type(parameter, value)


def allowed_values(parameter: Parameter) -> str:
    """Say in words which values a setting may take.

    Args:
        parameter: the setting.

    Example:
        >>> from layer7.configuration.catalogue import parameter
        >>> allowed_values(parameter("rethink_targets_threshold"))
        'integer, 1 to 1000 applications'
    """
    if parameter.kind is ValueKind.BOOLEAN:
        return "true or false"
    if parameter.choices:
        return "one of " + ", ".join(parameter.choices)
    if parameter.kind is ValueKind.OBJECT:
        return f"object with {_ranges(parameter.members)}{_RULES[parameter.constraint]}"
    if parameter.low is None or parameter.high is None:
        return parameter.kind.value
    return f"{parameter.kind}, {parameter.low:g} to {parameter.high:g} {parameter.unit}".rstrip()


_RULES = {
    None: "",
    Constraint.SUMS_TO_ONE: "; they add up to 1",
    Constraint.NON_DECREASING: "; none below the one before it",
}


def _ranges(members: Mapping[str, tuple[float, float]]) -> str:
    if len(set(members.values())) == 1:
        low, high = next(iter(members.values()))
        return f"{', '.join(members)}, each {low:g} to {high:g}"
    return ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in members.items())


def _refusal(code: str, parameter: Parameter, came: str) -> Layer7Error:
    return Layer7Error(
        code,
        f"{parameter.key}: {came}; allowed is {allowed_values(parameter)}.",
        f"The default is {_shown(parameter.default)}.",
    )


def _shown(value: object) -> str:
    text = str(dict(value)) if isinstance(value, Mapping) else repr(value)
    return text if len(text) <= 120 else text[:119] + "…"


def _wrong_type(parameter: Parameter, value: object) -> Layer7Error:
    return _refusal("wrong_type", parameter, f"{_shown(value)} is of another kind")


def _real(parameter: Parameter, value: object) -> int | float:
    if isinstance(value, bool):
        raise _wrong_type(parameter, value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, float):
        return float(value) + 0.0  # minus zero becomes zero, so that equal values have one form
    raise _wrong_type(parameter, value)


def _number(parameter: Parameter, value: object) -> int | float:
    number = _real(parameter, value)
    low = -MAX_NUMBER if parameter.low is None else parameter.low
    high = MAX_NUMBER if parameter.high is None else parameter.high
    # Written this way round, the comparison also refuses NaN.
    if not low <= number <= high:
        raise _refusal("value_out_of_range", parameter, f"{_shown(value)} lies outside")
    if parameter.kind is ValueKind.FLOAT:
        return float(number)
    if number != int(number):
        raise _wrong_type(parameter, value)
    return int(number)


def _choice(parameter: Parameter, value: str) -> str:
    if parameter.choices and value not in parameter.choices:
        raise _refusal("value_not_allowed", parameter, f"{_shown(value)} is none of the words")
    return value


def _members(parameter: Parameter, value: object) -> Mapping[str, float]:
    if not isinstance(value, Mapping):
        raise _wrong_type(parameter, value)
    if set(value) != set(parameter.members):
        missing = sorted(set(parameter.members) - set(value))
        surplus = sorted(str(name) for name in set(value) - set(parameter.members))
        raise _refusal("wrong_members", parameter, f"missing members {missing}, unknown members {surplus}")
    numbers: dict[str, float] = {}
    for name, (low, high) in parameter.members.items():
        number = _real(parameter, value[name])
        if not low <= number <= high:
            raise _refusal("value_out_of_range", parameter, f"{name} {_shown(value[name])} lies outside")
        numbers[name] = float(number)
    _constrain(parameter, numbers)
    return FrozenDict(numbers)


def _constrain(parameter: Parameter, numbers: Mapping[str, float]) -> None:
    values = tuple(numbers.values())
    if parameter.constraint is Constraint.SUMS_TO_ONE:
        total = math.fsum(values)
        if not math.isclose(total, 1, rel_tol=0, abs_tol=WEIGHT_TOLERANCE):
            raise _refusal("constraint_broken", parameter, f"the members add up to {total:.9g}")
    if parameter.constraint is Constraint.NON_DECREASING:
        for (left, before), (right, after) in zip(numbers.items(), list(numbers.items())[1:], strict=False):
            if after < before:
                raise _refusal(
                    "constraint_broken", parameter, f"{right} ({after}) is below {left} ({before})"
                )
