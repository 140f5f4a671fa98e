"""Spreadsheets as people keep them, and how tests read them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from layer7.contract.reading import read_event
from layer7.storage.spreadsheet.log import LogMapping, load_mapping, read_log

ROOT = Path(__file__).parents[2]
LOG = ROOT / "examples" / "job_search_log.csv"
MAPPING = ROOT / "examples" / "job_search_log.toml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

GERMAN = """
date_formats = ["%d.%m.%Y", "%d.%m.%y"]
decimal = ","
[columns]
date_sent = "gesendet am"
company = "Firma"
title = "Stelle"
status = "Status"
channel = "Portal"
location = "Ort"
first_response = "Antwort am"
interview_date = "Gespräch am"
salary = "Gehalt"
[constants]
resume_version_id = "lebenslauf_2"
seniority = "mid"
[status]
"Absage" = "rejected"
"offen" = "silent"
"Gespräch" = "interview"
[channels]
"stepstone" = "StepStone"
"""

MESSY = """ Gesendet am ;Firma;Stelle;Portal;Ort;STATUS;Antwort am;Gespräch am;Gehalt
01.03.2024;Müller & Söhne;Buchhalter;StepStone;Köln;Absage;11.03.2024;;45.000,50 €
01.03.2024;Müller  & Söhne;Buchhalter;StepStone;Köln; absage;11.03.2024;;45.000,50 €
;; ;;;;;;
;Groß AG;Tester;;Berlin;;;;
31.02.2024;X GmbH;Tester;;Berlin;;;;
5.3.2024;"=HYPERLINK(""https://example.org"";
""Stelle"")";Tester;stepstone ;Berlin;;;;
06.03.24;Übermut KG;Leiterin;Xing;;GESPRÄCH;04.03.2024;20.03.2024;
07.03.2024;Zug AG;Lokführer;;;Vielleicht;;;viel
08.03.2024;A;B;;;offen;;;;;verrutscht
"""

STORY = """
date_formats = ["%Y-%m-%d"]
[columns]
date_sent = "sent"
company = "company"
title = "title"
status = "status"
first_response = "answered"
days_to_first_response = "days"
interview_date = "met"
rejection_date = "refused"
days_to_rejection = "refused after"
offer = "offer"
offer_date = "offered"
[constants]
resume_version_id = "cv"
[status]
"waiting" = "silent"
"ghosted" = "ghosted"
"interview" = "interview"
"no" = "rejected"
"interview, then no" = "interview_then_rejected"
"offer" = "offer"
"I withdrew" = "withdrawn"
[offer]
"yes" = true
"no" = false
"""
SENT = "2024-03-01"
COLUMNS = (
    "sent",
    "company",
    "title",
    "status",
    "answered",
    "days",
    "met",
    "refused",
    "refused after",
    "offer",
)
COLUMNS = (*COLUMNS, "offered")


def mapping_of(folder: Path, text: str) -> LogMapping:
    path = folder / "mapping.toml"
    path.write_text(text, "utf-8")
    return load_mapping(path)


def read(folder: Path, text: str, mapping: str, *, encoding="utf-8", **options):
    path = folder / "log.csv"
    path.write_bytes(text.encode(encoding))
    return read_log(path, mapping_of(folder, mapping), user_id="u", **options)


def table(rows) -> str:
    lines = [",".join(COLUMNS)]
    lines += [",".join(f'"{row.get(name, "")}"' for name in COLUMNS) for row in rows]
    return "\n".join(lines)


def story(folder: Path, mapping: str = STORY, **cells):
    reading = read(folder, table([{"sent": SENT, "company": "A", "title": "t", **cells}]), mapping)
    heard = [
        (event["outcome"]["status"], event["timestamp"], event["outcome"].get("days_to_response"))
        for event in reading.events[1:]
    ]
    return heard, [(problem.column, problem.code) for problem in reading.problems]


def by_application(reading):
    found = {}
    for event in reading.events:
        found.setdefault(event["application_id"], []).append(event)
    return found


def accepted(reading):
    for event in reading.events:
        taken = read_event(json.dumps(event), now=NOW)
        assert taken.event is not None, taken
        assert not taken.unknown
    identities = [event["event_id"] for event in reading.events]
    assert len(set(identities)) == len(identities)
