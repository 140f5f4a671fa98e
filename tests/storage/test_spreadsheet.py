"""A real person's spreadsheet becomes events: the known answers, the mess, and identities that stay."""

import json
import re
from collections import Counter
from datetime import date

import pytest

from layer7.contract.reading import read_event
from layer7.errors import Layer7Error
from layer7.storage.home import open_home
from layer7.storage.spreadsheet.log import load_mapping, read_log
from storage.spreadsheets import (
    COLUMNS,
    GERMAN,
    LOG,
    MAPPING,
    MESSY,
    NOW,
    ROOT,
    SENT,
    STORY,
    accepted,
    by_application,
    mapping_of,
    read,
    story,
    table,
)


@pytest.fixture(scope="module")
def real():
    return read_log(LOG, load_mapping(MAPPING), user_id="me", today=date(2025, 1, 1))


def test_known_answers_of_a_real_log(real):
    """177 applications, 114 never answered, 13 that reached an interview, 2 offers.

    Stages are cumulative: 10 rows say "Interview", 2 "Inter + Rejec" (an interview all the same) and 1
    "Offer" (an offer counts as an interview), so 13 of 177 reached one. The column "Job Offer" says yes
    twice: for the row "Offer" and for one of the "Interview" rows, so 2 of those 13 became offers. 49 rows
    say "Rejected"; "Position Removed" is an answer too, and a no; with the 2 after interviews that makes 52.
    Silence (114 rows "Ghosted") is censored: it has no event of its own.
    """
    heard = [
        frozenset(event["outcome"]["status"] for event in events[1:])
        for events in by_application(real).values()
    ]
    assert (real.rows, real.applications, len(heard)) == (177, 177, 177)
    assert Counter(heard) == {
        frozenset(): 114,
        frozenset({"rejected"}): 50,
        frozenset({"interview"}): 9,
        frozenset({"interview", "rejected"}): 2,
        frozenset({"interview", "offer"}): 2,
    }
    assert all(problem.kept for problem in real.problems)
    assert real.without_days == 6, "2 interviews and 2 rejections that contradict themselves, 2 offers"


def test_delays_of_a_real_log(real):
    """The 13 invitations came within 6 days, but for two after 74 and 125 (counted from the file by hand)."""
    sent = {events[0]["application_id"]: events[0]["timestamp"] for events in by_application(real).values()}
    invited = [event for event in real.events if event.get("outcome", {}).get("status") == "interview"]
    days = sorted(
        (date.fromisoformat(event["timestamp"]) - date.fromisoformat(sent[event["application_id"]])).days
        for event in invited
    )
    assert days == [0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 6, 74, 125]
    stated = sorted(event["outcome"]["days_to_response"] for event in invited if len(event["outcome"]) > 1)
    assert stated == [0, 1, 1, 1, 1, 2, 3, 3, 6, 74, 125]


def test_doubts_about_a_real_log(real):
    """Seven rows time an answer that their status denies; two miscount; two reject before the interview."""
    assert [(problem.row_number, problem.code) for problem in real.problems] == [
        *((row, "rejection_not_in_status") for row in (10, 18, 21, 22, 44)),
        (63, "answer_not_in_status"),
        (73, "out_of_order"),
        (100, "rejection_not_in_status"),
        (107, "days_differ"),
        (108, "days_differ"),
        (108, "out_of_order"),
    ]


def test_words_of_a_real_log(real):
    understood = {(note.column, note.word): (note.meaning, note.rows) for note in real.notes}
    assert understood["status", "Inter + Rejec"] == ("interview_then_rejected", 2)
    assert understood["status", "Ghosted"] == ("ghosted", 114)
    assert understood["channel", "Linkedin"] == ("LinkedIn", 93)
    assert understood["channel", "LinkedIn"] == ("LinkedIn", 12)
    assert sum(note.rows for note in real.notes if note.column == "seniority") == 177
    assert None not in {note.meaning for note in real.notes}


def test_a_row_of_a_real_log_in_full(real):
    events = next(events for events in by_application(real).values() if events[0]["timestamp"] == "2022-07-14"
                  and len(events) == 3)  # fmt: skip
    job = {"title": "Developer", "company": "Employer 063", "seniority": "entry", "location": "MO"}
    assert events[0]["context"] == {"job_characteristics": job | {"industry": "IT", "channel": "Indeed"}}
    assert [event.get("outcome") for event in events[1:]] == [
        {"status": "interview", "days_to_response": 1},
        {"status": "rejected"},
    ]
    assert [event["timestamp"] for event in events] == ["2022-07-14", "2022-07-15", "2022-07-21"]


def test_two_rows_that_say_the_same_are_two_applications_for_one_job(real):
    sent = [event for event in real.events if event["event_type"] == "APPLICATION_SUBMITTED"]
    alike = [event for event in sent if event["context"]["job_characteristics"]["company"] == "Employer 112"
             and event["timestamp"] == "2023-02-25"]  # fmt: skip
    assert len({event["application_id"] for event in alike}) == 2
    assert len({event["job_id"] for event in alike}) == 1


def test_importing_again_adds_nothing(real, tmp_path):
    home = open_home(tmp_path / "home")
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in real.events))
    counts = []
    for _ in range(2):
        summary = home.ingest.files([path], now=lambda: NOW, progress=lambda *_: None)
        counts.append((summary.accepted, summary.duplicate, summary.quarantined, summary.unknown_fields))
    assert counts == [(244, 0, 0, {}), (0, 244, 0, {})]


def test_every_event_is_accepted(real, tmp_path):
    accepted(real)
    accepted(read(tmp_path, MESSY, GERMAN))


def test_a_messy_german_spreadsheet(tmp_path):
    """Hand-made; row numbers are the spreadsheet's, a cell with a line break is one row."""
    reading = read(tmp_path, MESSY, GERMAN)
    assert (reading.rows, reading.applications) == (8, 5)
    assert [(p.row_number, p.column, p.code, p.kept) for p in reading.problems] == [
        (5, "gesendet am", "missing_date", False),
        (6, "gesendet am", "unreadable_date", False),
        (8, "Antwort am", "before_sent", True),
        (9, "Gehalt", "unreadable_number", True),
        (9, "Status", "unknown_status", True),
        (10, "beyond the last column", "too_many_cells", False),
    ]
    said = [(event["timestamp"], event.get("outcome")) for event in reading.events]
    assert Counter(json.dumps(event) for event in said) == Counter(
        json.dumps(event)
        for event in [
            *[("2024-03-01", None), ("2024-03-11", {"status": "rejected", "days_to_response": 10.0})] * 2,
            ("2024-03-05", None),
            ("2024-03-06", None),
            ("2024-03-20", {"status": "interview"}),
            ("2024-03-07", None),
        ]
    )
    jobs = [event["context"]["job_characteristics"] for event in reading.events if "context" in event]
    assert jobs[0] == {"company": "Müller & Söhne", "title": "Buchhalter", "seniority": "mid",
                       "channel": "StepStone", "location": "Köln", "salary": 45000.5}  # fmt: skip
    formula = next(job for job in jobs if job["company"].startswith("="))
    assert formula["company"] == '=HYPERLINK("https://example.org"; "Stelle")'
    assert formula["channel"] == "StepStone"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_any_program_and_country(tmp_path, encoding, delimiter):
    text = (
        "Firma;Stelle;Gesendet am;Status;Portal;Ort;Antwort am;Gespräch am;Gehalt\r\nÖl;Bäcker;1.3.2024;offen"
    )
    reading = read(tmp_path, text.replace(";", delimiter), GERMAN, encoding=encoding)
    assert reading.events[0]["context"]["job_characteristics"]["title"] == "Bäcker"
    assert not reading.problems


@pytest.mark.parametrize(
    ("cells", "heard"),
    [
        ({"status": ""}, []),
        ({"status": "Waiting"}, []),
        ({"status": "ghosted"}, []),
        ({"status": "i  WITHDREW "}, []),
        ({"status": "no"}, [("rejected", SENT, None)]),
        ({"status": "no", "answered": "2024-03-04"}, [("rejected", "2024-03-04", 3.0)]),
        ({"status": "no", "days": "3"}, [("rejected", "2024-03-04", 3.0)]),
        (
            {"status": "no", "answered": "2024-03-04", "refused": "2024-03-09"},
            [("rejected", "2024-03-09", 8.0)],
        ),
        ({"status": "interview", "days": "2.5"}, [("interview", "2024-03-03", 2.5)]),
        ({"status": "interview", "met": "2024-03-09"}, [("interview", "2024-03-09", None)]),
        (
            {"status": "no", "answered": "2024-03-04", "met": "2024-03-09"},
            [("interview", "2024-03-04", 3.0), ("rejected", "2024-03-09", None)],
        ),
        ({"status": "ghosted", "met": "2024-03-09"}, [("interview", "2024-03-09", None)]),
        (
            {"status": "interview, then no", "answered": "2024-03-04", "refused": "2024-03-11"},
            [("interview", "2024-03-04", 3.0), ("rejected", "2024-03-11", 10.0)],
        ),
        ({"status": "offer"}, [("interview", SENT, None), ("offer", SENT, None)]),
        (
            {"status": "interview", "answered": "2024-03-04", "offer": "Yes", "offered": "2024-03-21"},
            [("interview", "2024-03-04", 3.0), ("offer", "2024-03-21", 20.0)],
        ),
        (
            {"status": "no", "answered": "2024-03-04", "offer": "yes", "refused": "2024-03-30"},
            [
                ("interview", "2024-03-04", 3.0),
                ("offer", "2024-03-04", None),
                ("rejected", "2024-03-30", 29.0),
            ],
        ),
    ],
)
def test_what_a_row_says(tmp_path, cells, heard):
    assert story(tmp_path, **cells) == (heard, [])


@pytest.mark.parametrize(
    ("cells", "heard", "problem"),
    [
        ({"status": "perhaps"}, [], ("status", "unknown_status")),
        ({"status": "waiting", "offer": "maybe"}, [], ("offer", "unknown_offer")),
        ({"status": "ghosted", "answered": "2024-03-04"}, [], ("status", "answer_not_in_status")),
        ({"status": "waiting", "refused after": "4"}, [], ("status", "rejection_not_in_status")),
        ({"status": "no", "answered": "2024-02-04"}, [("rejected", SENT, None)], ("answered", "before_sent")),
        ({"status": "no", "answered": "soon"}, [("rejected", SENT, None)], ("answered", "unreadable_date")),
        (
            {"status": "no", "answered": "1024-03-04"},
            [("rejected", SENT, None)],
            ("answered", "impossible_date"),
        ),
        ({"status": "no", "days": "-3"}, [("rejected", SENT, None)], ("days", "out_of_range")),
        ({"status": "no", "days": "1e3"}, [("rejected", SENT, None)], ("days", "unreadable_number")),
        (
            {"status": "no", "answered": "2024-03-04", "days": "5"},
            [("rejected", "2024-03-04", None)],
            ("days", "days_differ"),
        ),
        (
            {"status": "interview", "answered": "2024-03-09", "met": "2024-03-04"},
            [("interview", "2024-03-04", None)],
            ("met", "out_of_order"),
        ),
        (
            {"status": "interview, then no", "answered": "2024-03-04", "refused after": "1"},
            [("interview", "2024-03-04", 3.0), ("rejected", "2024-03-04", None)],
            ("refused after", "out_of_order"),
        ),
        (
            {"status": "offer", "met": "2024-03-04", "offered": "2024-03-02"},
            [("interview", "2024-03-04", None), ("offer", "2024-03-04", None)],
            ("offered", "out_of_order"),
        ),
        ({"status": "waiting", "company": "", "title": " "}, [], ("company", "nameless")),
        ({"status": "waiting", "title": "t" * 501}, [], ("title", "too_long")),
    ],
)
def test_what_a_row_cannot_mean(tmp_path, cells, heard, problem):
    """A contradiction is reported, and what remains certain is kept: the event, without its days."""
    assert story(tmp_path, **cells) == (heard, [problem])


def test_silence_makes_an_event_only_when_asked(tmp_path):
    recorded = STORY.replace("[columns]", "record_ghosted = true\n[columns]", 1)
    assert story(tmp_path, recorded, status="ghosted")[0] == [("ghosted", SENT, None)]
    assert story(tmp_path, recorded, status="waiting")[0] == []


def test_what_lies_ahead_has_not_been(tmp_path):
    rows = [
        {"sent": "2024-03-09", "company": "A", "status": "waiting"},
        {"sent": SENT, "company": "B", "status": "interview", "met": "2024-03-07"},
        {"sent": SENT, "company": "C", "status": "no", "days": "6"},
    ]
    reading = read(tmp_path, table(rows), STORY, today=date(2024, 3, 5))
    assert [(p.row_number, p.code, p.kept) for p in reading.problems] == [
        (2, "date_in_future", False),
        (3, "date_in_future", True),
        (4, "date_in_future", True),
    ]
    assert {event["timestamp"] for event in reading.events} == {SENT}


def test_identities_belong_to_a_person_and_do_not_give_her_away(tmp_path):
    text = table([{"sent": SENT, "company": "A", "title": "t", "status": "no"}])
    path = tmp_path / "log.csv"
    path.write_text(text)
    mapping = mapping_of(tmp_path, STORY)
    a, b = (read_log(path, mapping, user_id=user).events for user in ("a", "b"))
    assert not {event["event_id"] for event in a} & {event["event_id"] for event in b}
    assert a[0]["job_id"] == b[0]["job_id"]
    c, d = (read_log(path, mapping, user_id=user, owner="7f3a").events for user in ("a", "b"))
    assert [event["event_id"] for event in c] == [event["event_id"] for event in d]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('date_sent = "sent"', "", "columns.date_sent: required, but missing"),
        ('company = "company"', 'firm = "company"', "columns.firm: unknown; allowed are date_sent, company"),
        ("[offer]", "[offers]", "offers: unknown; allowed are columns, date_formats"),
        ('"no" = "rejected"', '"no" = "refused"', "'silent', 'ghosted', 'interview'"),
        ('"no" = "rejected"', '"GHOSTED " = "rejected"', "gives the word 'ghosted' two meanings"),
        ('"%Y-%m-%d"', '"%Y-%m"', "a date format names day, month and year"),
        ('["%Y-%m-%d"]', "[]", "date_formats"),
        ('resume_version_id = "cv"', 'resume = "cv"', "constants.resume_version_id: required"),
        (
            'resume_version_id = "cv"',
            'resume = "cv"',
            "constants.resume: unknown; allowed are resume_version_id",
        ),
        ('[offer]\n"yes" = true\n"no" = false', "", "a table [offer] must say which words are an offer"),
        ('"no" = false', '"no" = 2024-01-01', "offer.no"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_is_allowed(tmp_path, old, new, words):
    assert old in STORY
    with pytest.raises(Layer7Error) as caught:
        mapping_of(tmp_path, STORY.replace(old, new))
    assert caught.value.code == "invalid_mapping"
    assert words in caught.value.message


def test_a_mapping_that_is_no_toml(tmp_path):
    with pytest.raises(Layer7Error, match="is not TOML"):
        mapping_of(tmp_path, "date_sent: sent")


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "missing_columns", "its header says nothing"),
        (b"a,b\n1,2\n", "missing_columns", "no column 'sent', 'company'.*'a', 'b'"),
        (HEADER.replace("title", "company").encode(), "missing_columns", "no column 'title'"),
        (f"{HEADER},Company".encode(), "ambiguous_column", "more than one column 'company'"),
        (f'{HEADER}\n{SENT},A,"t,no\n{SENT},B,t,no'.encode(), "unclosed_quote", "row 2"),
        (f"{HEADER}\n{'x' * 200_000}".encode(), "unreadable_file", "not CSV"),
        (b"PK\x03\x04rest", "unknown_format", "a workbook, not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(tmp_path, content, code, words):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(Layer7Error, match=words) as caught:
        read_log(path, mapping_of(tmp_path, STORY), user_id="u")
    assert caught.value.code == code
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path):
    mapping = mapping_of(tmp_path, STORY)
    with pytest.raises(Layer7Error, match="no file"):
        read_log(tmp_path / "none.csv", mapping, user_id="u")
    with pytest.raises(Layer7Error, match="1 to 200 visible characters"):
        read_log(LOG, mapping, user_id="\u200b")


def test_the_example_of_the_quick_start(tmp_path):
    """The spreadsheet and the mapping that the page shows fit each other."""
    page = (ROOT / "docs" / "quick-start.md").read_text("utf-8")
    text, mapping = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL).group(1) for kind in ("csv", "toml"))
    reading = read(tmp_path, text, mapping)
    assert (reading.applications, reading.problems) == (4, ())
    assert Counter(event.get("outcome", {}).get("status") for event in reading.events) == {
        None: 4,
        "interview": 2,
        "offer": 1,
        "rejected": 1,
    }
    for line in re.search(r"```json\n(.*?)```", page, re.DOTALL).group(1).splitlines():
        taken = read_event(line, now=NOW)
        assert taken.event is not None, taken
        assert not taken.unknown
