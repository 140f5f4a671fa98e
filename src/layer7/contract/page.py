"""The tables of docs/contract.md, read off the schemas, so that page, schema and model cannot differ."""

from collections.abc import Iterator, Mapping
from typing import Any

from layer7.contract.fields import ADDITION
from layer7.contract.schema import INTERFACES, Interface, definitions

START = "<!-- contract: start of the generated tables -->"
"""Where the generated part of the page begins."""

END = "<!-- contract: end of the generated tables -->"
"""Where the generated part of the page ends."""


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" {low:g} to {high:g}"
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']:g}" + _below(schema)
    if low is not None:
        return f" from {low:g}"
    return f" up to {high:g}" if high is not None else ""


def _below(schema: Mapping[str, Any]) -> str:
    if "exclusiveMaximum" in schema:
        return f" and below {schema['exclusiveMaximum']:g}"
    return f" and up to {schema['maximum']:g}" if "maximum" in schema else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema allows."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(arm) for arm in schema["anyOf"] if arm.get("type") != "null"))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    return _collection(schema) or str(schema.get("type", "any JSON")) + _bounds(schema)


def _collection(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return "pair of " + _kind(schema["prefixItems"][0])
    if "items" in schema:
        return "list of " + _kind(schema["items"])
    if "patternProperties" in schema:
        ((pattern, values),) = schema["patternProperties"].items()
        return f"map from name (`{pattern}`) to {_kind(values)}"
    if isinstance(schema.get("additionalProperties"), dict):
        key = _kind(schema["propertyNames"]) if "propertyNames" in schema else "name"
        return f"map from {key} to {_kind(schema['additionalProperties'])}"
    return ""


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    return any(arm.get("type") == "null" for arm in schema.get("anyOf", ()))


def _presence(name: str, field: Mapping[str, Any], owner: Mapping[str, Any]) -> str:
    values = field.get("additionalProperties")
    words = ["required" if name in owner.get("required", ()) else "optional"]
    words += ["may be null"] if _may_be_null(field) else []
    words += ["values may be null"] if isinstance(values, dict) and _may_be_null(values) else []
    words += ["**addition**"] if ADDITION in field else []
    return ", ".join(words)


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | type | presence | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in schema["properties"].items():
        meaning = field.get("description", "")
        yield f"| `{name}` | {_kind(field)} | {_presence(name, field, schema)} | {meaning} |"


def _entry(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    if name in INTERFACES:
        section = INTERFACES[name].section
        where = "An addition." if section == "addition" else f"Specification {section}."
        yield f"{where} {schema['description']}"
    else:
        yield schema.get("description", "Any JSON value.")
    yield ""
    if "properties" in schema:
        yield from _fields(schema)
    else:
        yield f"One of: {_kind(schema)}."
    yield ""


def _index_row(name: str, interface: Interface, schema: Mapping[str, Any]) -> str:
    fields = schema["properties"]
    added = len(fields) if ADDITION in schema else sum(ADDITION in field for field in fields.values())
    return (
        f"| [{name}](#{name.lower()}) | {interface.section} | {interface.purpose} "
        f"| {len(fields) - added} | {added} |"
    )


def contract_page() -> str:
    """Give the generated part of docs/contract.md: the index of interfaces and the table of each.

    Returns:
        Markdown from the start marker to the end marker.

    Example:
        >>> contract_page().startswith(START), contract_page().endswith(END)
        (True, True)
    """
    found = definitions([interface.model for interface in INTERFACES.values()])
    lines = [
        START,
        "",
        "| interface | section | purpose | fields | additions |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [_index_row(name, interface, found[name]) for name, interface in INTERFACES.items()]
    lines += ["", "## Interfaces", ""]
    for name in INTERFACES:
        lines += _entry(name, found[name])
    lines += ["## Parts", ""]
    for name in sorted(set(found) - set(INTERFACES)):
        lines += _entry(name, found[name])
    return "\n".join([*lines, END])


def with_tables(page: str) -> str:
    """Give a page with its generated part made anew.

    Args:
        page: the text of docs/contract.md, with both markers.

    Returns:
        The same page; what stands outside the markers is untouched.

    Example:
        >>> with_tables(f"Before {START} old {END} after").split(START)[0]
        'Before '
    """
    before, rest = page.split(START, 1)
    _, after = rest.split(END, 1)
    return before + contract_page() + after
