"""Times without an offset, in a whole night: timing reads them by the zone of the person's profile."""

import json
from datetime import date
from unittest.mock import patch

from layer7.nightly import proposing
from layer7.storage.home import open_home
from nights import MEASURED, NOW, night


def events(zone):
    """Five people each send an application on Monday, 02:00 UTC: Sunday evening in New York."""
    for person in range(5):
        yield {
            "event_type": "PROFILE_UPDATED", "user_id": f"u{person}", "timestamp": "2026-03-01T00:00:00Z",
            "profile": {"timezone": zone},
        }  # fmt: skip
        told = {"user_id": f"u{person}", "application_id": f"a{person}", "job_id": f"j{person}"}
        told |= {"resume_version_id": "r", "context": {"job_characteristics": {"company": f"c{person}"}}}
        yield told | {"event_type": "APPLICATION_SUBMITTED", "timestamp": "2026-03-09T02:00:00"}
        yield told | {
            "event_type": "STATUS_CHANGED", "timestamp": "2026-03-12T02:00:00",
            "outcome": {"status": "interview"},
        }  # fmt: skip


def test_timing_reads_the_clock_of_the_profile(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events("America/New_York")))
    home = open_home(tmp_path / "home")
    home.ingest.files([file], now=lambda: NOW, progress=lambda _name, _size: None)
    with patch.object(proposing, "OPTIMIZERS", {"timing": proposing.timing}):
        run = night(home, date(2026, 6, 1), only=(*MEASURED, "propose"))
    told = run.report["propose"]["timing"]
    known = {name: rate["n"] for name, rate in told["interview_by_day"].items() if rate["n"]}
    assert known == {"Sunday": 5}
    known = {name: rate["n"] for name, rate in told["interview_by_time"].items() if rate["n"]}
    assert known == {"22:00-24:00": 5}
