"""The documentation says what the code does: links resolve, examples run, generated parts are up to date."""

import ast
import doctest
import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from layer7.contract.columns import EVENT_COLUMNS
from layer7.contract.event_examples import EVENT_EXAMPLES
from layer7.contract.events import EVENT_MODELS
from layer7.contract.fields import ADDITION
from layer7.contract.lifecycle import ALLOWED, Kind
from layer7.contract.reading import _CODES, MAX_BYTES, read_event
from layer7.contract.schema import INTERFACES, definitions
from layer7.contract.vocabulary import EventType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
README = ROOT / "README.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

EVENTS = "<!-- events: begin -->", "<!-- events: end -->"
REGENERATE = "run: LAYER7_REWRITE=1 .venv/bin/python -m pytest tests/test_docs.py -k up_to_date"
INDEX_HEAD = "<!-- Written from README.md; change that, then " + REGENERATE + " -->\n\n"


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """Give a page without its code, which may hold brackets that are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


# --- generated parts


def properties(schema: dict[str, Any], found: dict[str, Any], path: tuple[str, ...] = ()) -> Any:
    """Walk the fields of an event: path, schema, whether it is required where its object is there."""
    for field, about in schema["properties"].items():
        arms = [arm for arm in about.get("anyOf", [about]) if arm.get("type") != "null"]
        inner = found[arms[0]["$ref"].rsplit("/", 1)[-1]] if len(arms) == 1 and "$ref" in arms[0] else None
        here = (*path, field)
        if inner and "properties" in inner:
            yield from properties(inner, found, here)
        elif here != ("event_type",):
            kinds = [inner] if inner else arms
            yield here, kinds, about, field in schema.get("required", ())


def spoken(kind: dict[str, Any]) -> str:
    """Say in words what a schema allows."""
    if "enum" in kind or "const" in kind:
        return ", ".join(f"`{word}`" for word in kind.get("enum", [kind.get("const")]))
    match kind:
        case {"type": "string", "maxLength": most}:
            return (
                f"text, {f'{least} to' if (least := kind.get('minLength')) else 'up to'} {most:,} characters"
            )
        case {"type": "array", "maxItems": most, "items": each}:
            return f"list of up to {most}: {spoken(each)} each"
        case {"type": "object", "maxProperties": most, "additionalProperties": every}:
            ((pattern, each),) = kind.get("patternProperties", {"": every}).items()
            named = f" named like `{pattern}`" if pattern else ""
            return f"object with up to {most} members{named}: {spoken(each)} each"
        case {"type": "number", "maximum": most}:
            low = (
                f"{kind['minimum']} to"
                if "minimum" in kind
                else f"above {kind['exclusiveMinimum']:g} and up to"
            )
            return f"number, {low} {most:,.0f}"
    return "true or false" if kind.get("type") == "boolean" else "any JSON"


def event_row(path: tuple[str, ...], kinds: list[Any], about: dict[str, Any], *, required: bool) -> str:
    column = next((column for column in EVENT_COLUMNS.values() if column.path == path), None)
    instant = path[-1] in {"timestamp", "posted_at"}
    words = "ISO 8601 date or time" if instant else " or ".join(spoken(kind) for kind in kinds)
    presence = ["required" if required else "optional"]
    presence += [f"where there is `{path[-2]}`"] if required and len(path) > 1 else []
    presence = [" ".join(presence)] + (["addition"] if ADDITION in about else [])
    notes = [about["description"]] if "description" in about else []
    notes += ["sealed under the person's own key"] if column and column.shape.sealed else []
    return f"| `{'.'.join(path)}` | {words} | {', '.join(presence)} | {'; '.join(notes)} |"


def event_tables() -> str:
    """Give the generated part of docs/events.md: every event type with its fields and an example."""
    models = list(dict.fromkeys(EVENT_MODELS.values()))
    found = definitions(models)
    lines = [EVENTS[0], ""]
    for model in models:
        types = [kind for kind, of in EVENT_MODELS.items() if of is model]
        schema, section = found[model.__name__], INTERFACES[model.__name__].section
        lines += ["### " + ", ".join(f"`{kind}`" for kind in types), ""]
        where = "An addition to the specification." if section == "addition" else f"Specification {section}."
        lines += [f"{schema['description'].replace(' (addition)', '')} {where}", ""]
        lines += ["| field | what it may be | presence | meaning |", "| --- | --- | --- | --- |"]
        rows = properties(schema, found)
        lines += [event_row(path, kinds, about, required=required) for path, kinds, about, required in rows]
        first, *others = (EVENT_EXAMPLES[kind] for kind in types)
        lines += ["", "```json", json.dumps(first, indent=2, ensure_ascii=False), "```", ""]
        if others:
            told = [json.dumps(example, ensure_ascii=False) for example in others]
            lines += ["The others of its kind, one line each as in a file:", "", "```json", *told, "```", ""]
    return "\n".join([*lines, EVENTS[1]])


def events_page(page: str) -> str:
    before, rest = page.split(EVENTS[0], 1)
    return before + event_tables() + rest.split(EVENTS[1], 1)[1]


def index_page() -> str:
    """Give the first page of the documentation: the README, its links seen from docs/."""

    def rewritten(found: re.Match[str]) -> str:
        image, text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        if target.startswith("docs/"):
            return f"{image}[{text}]({target.removeprefix('docs/')})"
        return text if text.startswith("`") else f"{text} (`{target}`)"

    text = README.read_text("utf-8")
    text = re.sub(r'(src|srcset)="docs/', r'\1="', text)
    return INDEX_HEAD + re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", rewritten, text)


@pytest.mark.parametrize("page", ["index.md", "events.md"])
def test_the_generated_parts_are_up_to_date(page: str) -> None:
    path = DOCS / page
    made = index_page() if page == "index.md" else events_page(path.read_text("utf-8"))
    if os.environ.get("LAYER7_REWRITE"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text("utf-8") == made, f"docs/{page} is out of date; {REGENERATE}"


# --- quarantine codes

GOOD = EVENT_EXAMPLES[EventType.CONSENT_CHANGED]
SCORE = EVENT_EXAMPLES[EventType.SCORE_CHANGED]
BAD: dict[str, Any] = {
    "duplicate_key": '{"a": 1, "a": 2}',
    "event_id_conflict": None,  # needs a log: see tests/storage
    "event_too_long": " " * MAX_BYTES + "{}",
    "invalid_json": "{",
    "invalid_timestamp": {**GOOD, "timestamp": "yesterday"},
    "invalid_value": {**GOOD, "user_id": "a\u200bb"},
    "missing_field": {"event_type": "CONSENT_CHANGED"},
    "not_an_object": "[1]",
    "not_finite": json.dumps({**SCORE, "after_score": 12345}).replace("12345", "1e999"),
    "not_utf8": '{"a": "\\xe9"}',
    "out_of_range": {**SCORE, "after_score": 101},
    "timestamp_in_future": {**GOOD, "timestamp": "2031-01-01"},
    "too_deep": "[" * 30 + "]" * 30,
    "too_long": {**GOOD, "user_id": "u" * 201},
    "too_short": {**GOOD, "user_id": ""},
    "unknown_choice": {**GOOD, "purpose": "fun"},
    "unknown_specversion": {"specversion": "0.3"},
    "wrong_type": {**SCORE, "after_score": "71"},
}


def results(node: ast.expr) -> set[str]:
    """Give the texts that an expression can come to."""
    match node:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return results(one) | results(other)
        case ast.BoolOp(values=arms) | ast.Call(args=arms):
            return set().union(*map(results, arms))
    return set()


def codes_in_code() -> set[str]:
    """Gather every code that a Problem is made with."""
    found = set(_CODES.values())
    package = ROOT / "src" / "layer7"
    for path in [*(package / "contract").glob("*.py"), *(package / "storage").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem" and node.args:
                found |= results(node.args[0])
            if (
                path.name == "reading.py"
                and isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "code"
            ):
                found |= results(node.value)
    return found


def test_the_page_lists_every_code_of_the_quarantine() -> None:
    part = (DOCS / "events.md").read_text("utf-8").split("\n## Quarantine\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([a-z0-9_]+)` \|", part, re.MULTILINE)
    assert sorted(listed) == sorted(codes_in_code()) == sorted(BAD)


@pytest.mark.parametrize("code", [code for code, event in BAD.items() if event is not None])
def test_an_event_is_refused_with_the_code(code: str) -> None:
    bad = BAD[code]
    reading = read_event(bad if isinstance(bad, str) else json.dumps(bad), now=NOW)
    assert [problem.code for problem in reading.problems][:1] == [code]


# --- rooms and moves


def how_it_works_table(head: str) -> list[list[str]]:
    page = (DOCS / "how-it-works.md").read_text("utf-8").split(head)[1].split("\n\n")[0]
    return [[cell.strip(" `") for cell in row.split("|")[1:3]] for row in page.splitlines()[2:]]


def test_the_rooms_of_the_page_stand_in_the_order_that_imports_are_held_to() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [layer.strip("()").removeprefix("layer7.") for layer in reversed(contracts[0]["layers"])]
    package = ROOT / "src" / "layer7"
    there = [room for room in layers if any(package.glob(f"{room}.py")) or any((package / room).glob("*.py"))]
    listed = [room for room, _ in how_it_works_table("| room | gives | the question it answers |")]
    assert [room for room in listed if room in there] == there
    assert set(listed) <= set(layers)


def test_the_moves_of_the_page_are_those_of_the_code() -> None:
    moves = ALLOWED[Kind.RECOMMENDATION].items()
    allowed = {
        state.replace("_", " "): {to.replace("_", " ") for to in ways} for state, ways in moves if ways
    }
    assert {state: set(ways.split(", ")) for state, ways in how_it_works_table("| from | to |")} == allowed


def test_the_moves_of_a_rollout_are_those_of_the_code() -> None:
    page = (DOCS / "methods" / "rollout.md").read_text("utf-8").split("| from | to |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:3]] for row in page.splitlines()[2:]]
    moves = ALLOWED[Kind.ROLLOUT].items()
    allowed = {
        state.replace("_", " "): {to.replace("_", " ") for to in to_states} for state, to_states in moves
    }
    assert {state: set(ways.split(", ")) for state, ways in rows} == {
        s: to for s, to in allowed.items() if to
    }


# --- links, examples, words, the whole site


@pytest.mark.parametrize("page", [README, ROOT / "CHANGELOG.md", *PAGES], ids=name)
def test_every_relative_link_resolves(page: Path) -> None:
    text = prose(page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    missing = [
        target
        for target in targets
        if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.split("#")[0]).exists()
    ]
    unresolved = re.findall(r"\]\[[^\]]+\]", text)
    assert (missing, unresolved) == ([], []), f"{name(page)} links to what is not there"


EXAMPLES = [page for page in [README, *PAGES] if ">>>" in "".join(fenced(page.read_text("utf-8"), "python"))]


@pytest.mark.parametrize("page", EXAMPLES, ids=name)
def test_the_examples_run_and_say_what_they_show(page: Path) -> None:
    blocks = [block for block in fenced(page.read_text("utf-8"), "python") if ">>>" in block]
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name(page), str(page), 0)
    told: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert (failed, tried > 0) == (0, True), "".join(told)


# Written in pieces, so that this file does not hold them.
FORBIDDEN = [
    "cla" + "ude", "anthro" + "pic", "chat" + "gpt", "co" + "pilot", "open" + "ai", "language " + "model",
    "sub" + "agent", "ai assis" + "tant", "coding assis" + "tant", "this ses" + "sion", "/wo" + "rk/",
    "/tm" + "p/brief", "/opt/" + "pypi", "/ro" + "ot/", "pypi." + "org",
    "registry.npm" + "js", "files.python" + "hosted",
]  # fmt: skip
TEXTS = {
    ".md",
    ".py",
    ".toml",
    ".yml",
    ".svg",
    ".html",
    ".css",
    ".js",
    ".csv",
    ".mako",
    ".ts",
    ".lock",
    ".sh",
}


def test_nothing_speaks_of_how_or_where_it_was_made() -> None:
    folders = ["src", "tests", "docs", "examples", ".ci"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    said: dict[str, str] = {}
    for path in files:
        if path.suffix in TEXTS or path.name in {"Makefile", "LICENSE", "run"}:
            text = path.read_text("utf-8").lower()
            said |= {name(path): word for word in FORBIDDEN if word in text}
    assert said == {}


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    missing = [page for page in listed if not (DOCS / page).exists()]
    assert missing == [], "pages that mkdocs.yml lists and nobody has written"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert built.returncode == 0, built.stdout + built.stderr
    for page in tmp_path.rglob("*.html"):
        fetched = re.findall(
            r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(https?:[^"]+)', page.read_text("utf-8")
        )
        assert fetched == [], f"{page.name} fetches from elsewhere"
