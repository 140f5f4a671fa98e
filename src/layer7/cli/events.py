"""Events in: ``ingest``, ``import-log``, ``quarantine``, ``schema``."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from layer7.cli.terminal import HomeOption, JsonOption, now, opened, out, print_json, print_table, progress
from layer7.contract.schema import schemas
from layer7.storage.intake.ingest import Summary
from layer7.storage.intake.sources import find_files
from layer7.storage.spreadsheet.log import load_mapping, read_log

quarantine = typer.Typer(help="Events that could not be taken.", no_args_is_help=True)
schema = typer.Typer(help="The contract as JSON Schemas.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("ingest")(ingest)
    app.command("import-log")(import_log)
    app.add_typer(quarantine, name="quarantine")
    app.add_typer(schema, name="schema")


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of events.", show_default=False)],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when any was quarantined.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take events from JSON Lines (gzip too), Parquet or CloudEvents JSON; each counts once."""
    opened_home = opened(home)
    total = sum(path.stat().st_size for path in find_files(paths))
    with progress("Taking events", total, quiet=as_json) as advance:
        summary = opened_home.ingest.files(paths, now=now, progress=lambda _name, size: advance(size))
    opened_home.erasures.resume(now())
    opened_home.declared.sweep()
    _report(summary, as_json=as_json)
    if summary.failed_files or (strict and summary.quarantined):
        raise typer.Exit(1)


def _report(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
        return
    print_table(
        "Events",
        ("what became of them", "n"),
        [
            ("accepted", summary.accepted),
            ("duplicate (there before)", summary.duplicate),
            ("quarantined", summary.quarantined),
            ("ignored (unknown type)", summary.ignored),
            ("not taken (from before an erasure)", summary.erased),
        ],
    )
    for title, counter in (
        ("Accepted by type", summary.by_type),
        ("Quarantined, by reason", summary.quarantined_codes),
        ("Unknown fields, left out", summary.unknown_fields),
        ("Unknown types, ignored", summary.ignored_types),
    ):
        if counter:
            print_table(title, ("name", "n"), counter.most_common(20))
    for name, reason in summary.failed_files.items():
        out.print(f"[bold red]{name}[/]: {reason}")
    if summary.quarantined:
        out.print("See them with: layer7 quarantine list", style="dim")


def import_log(
    file: Annotated[Path, typer.Argument(help="The spreadsheet as CSV.", show_default=False)],
    *,
    mapping: Annotated[Path, typer.Option("--mapping", help="What its columns and words mean (TOML).")],
    user: Annotated[str, typer.Option("--user", help="Whose job search it is.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a person's own spreadsheet of applications; importing it again changes nothing."""
    opened_home = opened(home)
    reading = read_log(
        file,
        load_mapping(mapping),
        user_id=user,
        today=now().date(),
        owner=opened_home.keys.person(user),
    )
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / f"{file.stem}.jsonl"
        lines.write_text("".join(json.dumps(event) + "\n" for event in reading.events), encoding="utf-8")
        summary = opened_home.ingest.files([lines], now=now, progress=lambda _name, _size: None)
    problems = [
        {"row": item.row_number, "column": item.column, "code": item.code, "reason": item.reason}
        for item in reading.problems
    ]
    if as_json:
        notes = [{name: getattr(note, name) for name in type(note).__slots__} for note in reading.notes]
        counts = {"rows": reading.rows, "applications": reading.applications}
        print_json({**counts, **summary.as_json(), "problems": problems, "notes": notes})
        return
    out.print(f"{reading.rows:,} rows, {reading.applications:,} applications, {len(problems):,} remarks.")
    _report(summary, as_json=False)
    if problems:
        rows = [(item["row"], item["column"], item["reason"]) for item in problems]
        print_table("Remarks", ("row", "column", "reason"), rows)


@quarantine.command("list")
def list_quarantine(
    *,
    code: Annotated[str | None, typer.Option("--code", help="Only events with this fault.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List events that wait in quarantine, with code, reason and the raw line."""
    waiting = opened(home).quarantine.waiting(code=code, limit=limit)
    if as_json:
        print_json([{name: getattr(item, name) for name in type(item).__slots__} for item in waiting])
        return
    if not waiting:
        out.print("The quarantine is empty.")
        return
    print_table(
        "Quarantine",
        ("id", "code", "reason", "where", "raw"),
        [
            (item.id, item.code, item.reason, f"{item.source}:{item.position}", item.raw[:80])
            for item in waiting
        ],
    )


@quarantine.command("retry")
def retry_quarantine(
    *,
    code: Annotated[str | None, typer.Option("--code", help="Only events with this fault.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try quarantined events again; what can be taken now leaves the quarantine."""
    _report(opened(home).ingest.retry(now=now(), code=code), as_json=as_json)


@schema.command("export")
def export_schemas(
    folder: Annotated[Path, typer.Argument(help="Where to write the schemas.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Write the JSON Schema of every interface."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, value in schemas().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path.name)
    if as_json:
        print_json({"folder": str(folder), "written": written})
    else:
        out.print(f"{len(written)} schemas written to {folder}")
