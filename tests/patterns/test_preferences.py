"""What a person does with suggestions again and again, and where her words are and are not."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from layer7.errors import Layer7Error
from layer7.patterns.preferences import ACCEPTED, EDITED, REJECTED, Said, preferences
from layer7.statistics.rates.shares import share_above
from layer7.storage.home import open_home
from layer7.storage.services.feedback import open_preferences
from layer7.storage.services.patterns import Patterns
from nights import FOUND, NOW, night


def test_the_chance_of_a_share_is_the_integral_of_its_beta_law():
    """Against scipy's quadrature of the posterior's density."""
    law = stats.beta(7 + 4 * 0.3, 3 + 4 * 0.7)
    wanted = integrate.quad(law.pdf, 0.5, 1)[0]
    assert share_above(7, 10, 0.5, usual=0.3).item() == pytest.approx(wanted, rel=1e-6)
    several = share_above([7, 3, 7, 7], [10, 4, 10, 10], [0.5, 0.5, 0.6, 0.5], usual=0.3).tolist()
    alone = [share_above(*each, usual=0.3).item() for each in ((7, 10, 0.5), (3, 4, 0.5), (7, 10, 0.6))]
    assert several == [*alone, alone[0]]
    with pytest.raises(Layer7Error):
        share_above(3, 2, 0.5)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.05, 0.95))
def test_more_of_it_makes_a_habit_more_certain(yes, no, line):
    assert share_above(yes + 1, yes + no + 1, line) >= share_above(yes, yes + no, line)


def said(person, decision, times, *, kind="job", **more):
    return [Said(person, kind, decision, **more)] * times


def test_by_hand():
    log = [
        *said("a", REJECTED, 9, reason="Too much on-call"),
        *said("a", ACCEPTED, 1),
        *said("a", ACCEPTED, 12, kind="rewrite"),
        *said("b", EDITED, 9, kind="rewrite", lengths=(100, 40)),
        *said("b", EDITED, 9, kind="plan", lengths=(100, 105)),
        *said("c", ACCEPTED, 3),
        *said("c", REJECTED, 3, reason="No"),
    ]
    found = preferences(log)
    assert found["a"]["acceptance_patterns"] == ("rewrite suggestions (12 of 12 accepted)",)
    assert found["a"]["rejection_patterns"] == ("on-call", "job suggestions (9 of 10 rejected)")
    assert found["b"]["typical_edit_patterns"] == (
        "keeps the length of plan suggestions (9 of 9 edits)",
        "shortens rewrite suggestions (9 of 9 edits)",
    )
    assert "c" not in found


def test_nothing_is_typical_of_nothing_or_of_once():
    assert preferences([]) == {}
    assert preferences(said("a", REJECTED, 1, reason="on-call")) == {}


def test_the_order_does_not_matter():
    log = [*said("a", REJECTED, 9, reason="far away, on-call"), *said("a", ACCEPTED, 9, kind="plan")]
    assert preferences(log[::-1]) == preferences(log)


def test_words_are_sealed_on_the_disk_and_gone_with_the_key(tmp_path):
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    same = {"user_id": "maria", "suggestion_type": "job"}
    log = [
        {
            "event_type": "SUGGESTION_REJECTED",
            "timestamp": (start + timedelta(days=at)).isoformat(),
            "suggested_content": {"title": "Guard"},
            "rejection_reason": "Zyzzyva shifts",
            **same,
        }
        for at in range(12)
    ]
    log.append(
        {
            "event_type": "APPLICATION_SUBMITTED",
            "timestamp": start.isoformat(),
            "user_id": "maria",
            "application_id": "a",
            "job_id": "j",
            "resume_version_id": "v",
        }
    )
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in log), encoding="utf-8")
    home = open_home(tmp_path / "home")
    home.ingest.files([file], now=lambda: NOW, progress=lambda _name, _size: None)
    run = night(home, date(2026, 3, 1), only=FOUND)
    assert run.report["find"]["preferences"] == {"decisions": 12, "people": 1}
    told = Patterns(home).of("maria")
    assert told.rejection_patterns[:2] == ("shifts", "zyzzyva")
    on_disk = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert b"zyzzyva" not in on_disk.lower()
    bucket = home.keys.bucket(home.keys.person("maria"))
    row = home.warehouse.rows_of("preferences", home.keys.person("maria"), bucket)[0]

    class Erased:
        def keys(self, _people):
            return {}

    assert open_preferences(row, Erased()) == {}
