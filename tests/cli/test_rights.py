"""``layer7 privacy`` and ``layer7 fairness`` on a small home, in this process since each start takes long."""

import json

import pytest
from typer.testing import CliRunner

from canaries import PERSON, private_events
from layer7.cli.app import build
from layer7.errors import Layer7Error


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYER7_HOME", str(tmp_path / "home"))

    def call(*words, home=None):
        more = ["--home", str(home)] if home else []
        answer = CliRunner().invoke(build(words), [*words, *more, "--json"], catch_exceptions=False)
        if isinstance(answer.exception, Layer7Error):
            raise answer.exception
        return json.loads(answer.stdout)

    return call


def test_a_person_sees_takes_moves_and_leaves(run, tmp_path):
    told = [event for event in private_events() if event["event_type"] != "ERASURE_REQUESTED"]
    (tmp_path / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in told))
    assert run("ingest", str(tmp_path / "events.jsonl"))["accepted"] == len(told)
    status = run("privacy", "status", PERSON)
    assert {kept["place"]: kept["rows"] for kept in status["kept"]}["events"] == len(told)
    run("privacy", "consent", PERSON, "--set", "fairness_monitoring=yes")
    assert run("fairness", "declare", PERSON, "--set", "gender=female")[0]["group"] == "female"
    written = run("privacy", "export", PERSON, "--out", str(tmp_path / "mine.json"))
    assert written["events"] == len(told)
    taken = run("privacy", "import", str(tmp_path / "mine.json"), home=tmp_path / "other")
    assert taken["accepted"] == len(told)
    there = run("privacy", "export", PERSON, home=tmp_path / "other")
    assert there["kept"]["declared"] == json.loads((tmp_path / "mine.json").read_text())["kept"]["declared"]

    receipt = run("privacy", "erase", PERSON, "--yes")
    assert receipt["removed"]["declared"] == 1
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    assert run("privacy", "receipt", str(tmp_path / "receipt.json"))["genuine"] is True
    assert run("privacy", "rewrite") == {"files": 1, "erased_from_disk": 1}
    assert run("privacy", "erasures")[0]["gone_at"] is not None
    assert run("privacy", "status", PERSON)["kept"] == []
    assert run("ingest", str(tmp_path / "events.jsonl"))["erased"] == len(told)


def test_what_cannot_be_read_is_said(run, tmp_path):
    for words in (("privacy", "import"), ("privacy", "receipt")):
        with pytest.raises(Layer7Error, match="cannot be read"):
            run(*words, str(tmp_path / "nothing.json"))


def test_reports_say_that_there_is_nothing_yet(run):
    assert run("fairness", "show") == []
    assert run("fairness", "report")["breaches"] == []
