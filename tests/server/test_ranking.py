"""Rankings over HTTP: for somebody known, somebody unknown, somebody who does not want to be learned of."""

import base64
import json
import zlib
from datetime import date

import numpy as np
import pytest
from sqlalchemy import update

from layer7.contract.ranking import RankDecision, Ranking
from layer7.nightly import applications
from layer7.nightly.measuring import measure
from layer7.nightly.night import Night
from layer7.nightly.predicting import predict
from layer7.privacy import seal
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database import schema
from layer7.storage.warehouse.reading import Horizon

JOBS = {
    "jobs": [
        {"job_id": f"j{at}", "fit_score": 40 + at, "channel": "referral" if at % 7 == 0 else "easy_apply"}
        for at in range(50)
    ],
    "slots": 5,
}


@pytest.fixture
def learned(house, tmp_path):
    """A house where the stages that rankings live from have run once."""
    market = simulate(
        SCENARIOS["default"], people=30, weeks=4, start=date(2026, 1, 5), rng=np.random.default_rng(2)
    )
    write_events(events(market), tmp_path / "log", format="jsonl")
    home, horizon = house.home, Horizon(date(2026, 3, 1), house.time())
    home.ingest.files([tmp_path / "log"], now=house.time, progress=lambda _name, _size: None)
    number = home.runs.begin(horizon.as_of, known_at=horizon.known_at, at=house.time())
    night = Night(home, horizon, number, house.time, lambda _share: None)
    report = {stage.__name__: dict(stage(night).report) for stage in (applications, measure, predict)}
    home.runs.end(number, status="done", report=report, at=house.time())
    return house


def rank(house, user="user-000001", jobs=JOBS):
    return house.post(f"/v1/users/{user}/rank", jobs, "read")


def keep_as_before(home, user_id, decision, *, numbered):
    """Keep a ranking in a form of earlier versions, where every job holds its terms, or their numbers."""
    kept, person = decision.model_dump(mode="json"), home.keys.person(user_id)
    if numbered:
        kept["terms"] = [term for job in kept["ranking"]["jobs"] for term in job["terms"]]
        numbers = iter(range(len(kept["terms"])))
        for job in kept["ranking"]["jobs"]:
            job["terms"] = [next(numbers) for _ in job["terms"]]
    packed = base64.b64encode(zlib.compress(json.dumps(kept).encode())).decode()
    body = seal(home.keys.keys([person])[person], packed)
    with home.state.write() as connection:
        hers = schema.rankings.c.id == decision.decision_id
        assert connection.execute(update(schema.rankings).where(hers).values(body=body)).rowcount == 1


def test_a_ranking_what_it_was_made_from_and_who_is_in_it(learned):
    """Told again with its inputs; shown jobs count for others; no consent, no terms; erased, no ranking."""
    answer = rank(learned)
    assert answer.status_code == 200, answer.text
    found = Ranking.model_validate_json(answer.text)
    assert found.personalised
    assert found.applications_seen > 0
    assert found.min_fit_score == 60.0
    assert {job.job_id for job in found.jobs} == {job["job_id"] for job in JOBS["jobs"]}
    kept = RankDecision.model_validate_json(learned.get(f"/v1/decisions/{found.decision_id}").text)
    assert kept.ranking == found
    assert kept.versions["likelihood"] == found.model == kept.versions["own_terms"]
    assert learned.get("/v1/likelihood").json()["version"] == found.model

    for numbered in (False, True):
        keep_as_before(learned.home, "user-000001", kept, numbered=numbered)
        again = learned.get(f"/v1/decisions/{found.decision_id}").text
        assert RankDecision.model_validate_json(again) == kept

    other = rank(learned, "user-000002").json()
    kept = learned.get(f"/v1/decisions/{other['decision_id']}").json()
    shown = {job.job_id for job in found.jobs[:5] if job.should_apply}
    assert kept["exposures"] == dict.fromkeys(shown, 1)

    learned.post("/v1/users/user-000001/consent", {"purpose": "personalisation", "value": "off"}, "events")
    after, stranger = rank(learned).json(), rank(learned, "nobody").json()
    assert after["personalised"] is stranger["personalised"] is False
    assert after["applications_seen"] == 0
    assert [job["terms"] for job in after["jobs"]] != [job.terms for job in found.jobs]
    assert after["effort"] == stranger["effort"] != found.effort

    learned.client.delete("/v1/users/user-000001", headers=learned.headers["privacy"])
    assert learned.get(f"/v1/decisions/{found.decision_id}").status_code == 404
    assert rank(learned).json()["personalised"] is False


def test_before_any_night_a_better_fit_comes_first(house):
    answer = rank(house, jobs=JOBS | {"exploration_share": 0})
    assert answer.status_code == 200, answer.text
    easy = [job["job_id"] for job in answer.json()["jobs"] if job["should_apply"]]
    assert easy[0] == "j49"


def test_too_many_jobs_and_wrong_ones_are_refused_with_a_pointer(house):
    many = {"jobs": [{"job_id": f"j{at}"} for at in range(10_000)]}
    assert rank(house, jobs=many).status_code == 422
    wrong = rank(house, jobs={"jobs": [{"job_id": "a", "fit_score": 400}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/jobs/0/fit_score")
    nul = rank(house, jobs={"jobs": [{"job_id": "a", "title": "x\0"}]}).json()["errors"][0]
    assert (nul["pointer"], nul["detail"]) == ("/jobs/0/title", "holds a NUL or half a surrogate pair")
    assert house.get("/v1/decisions/rank_0").json()["type"] == "urn:layer7:problem:unknown_decision"


JOB = '{"job_id": "a", "title": "x"}'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"jobs": [{"job_id": "a", "title": "x", "title": "y"}]}', "duplicate_key"),
        ('{"jobs": [{"job_id": "a", "title" : "x", "title"\n:"y"}]}', "duplicate_key"),
        (r'{"jobs": [{"job_id": "a", "job\u005fid": "b", "title": "say \":\\"}]}', "duplicate_key"),
        (f'{{"jobs": [], "slots": 1, "jobs": [{JOB}]}}', "duplicate_key"),
        ('{"jobs": [{"job_id": "a", "fit_score": NaN}]}', "invalid_json"),
        (f'{{"jobs": [{JOB}], "more": {"[" * 30}{"]" * 30}}}', "too_deep"),
        (f'{{"jobs": [{JOB}], "more": 1}}', "invalid_request"),
        (r'{"jobs": [{"job_id": "\":\\", "title": ":\\\":", "description": "a : b"}]}', None),
        ('{"jobs" : [{"job_id"\t:"a", "title": "x"}]}', None),
    ],
)
def test_a_name_that_stands_twice_is_found_however_it_is_written(house, body, code):
    headers = {**house.headers["read"], "Content-Type": "application/json"}
    answer = house.client.post("/v1/users/ada/rank", content=body.encode(), headers=headers)
    assert answer.json().get("type") == (None if code is None else f"urn:layer7:problem:{code}")


def test_her_own_wishes_count_at_once_and_also_where_nothing_may_be_learned(learned):
    """A wish is read on every use; explicit_only and a pause leave wishes alone."""
    jobs = {"jobs": [{"job_id": "a", "location": "Ulm"}, {"job_id": "b", "location": "Berlin"}], "slots": 2}
    jobs["exploration_share"] = 0

    def wish(field, value):
        body = {"field": field, "value": value}
        answer = learned.post("/v1/users/user-000001/wishes", body, "events")
        assert answer.status_code == 200, answer.text

    wish("preferred_locations", ["Berlin"])
    found = rank(learned, jobs=jobs).json()
    assert found["personalised"]
    assert [job["job_id"] for job in found["jobs"]] == ["b", "a"]
    wish("paused", "yes")
    found = rank(learned, jobs=jobs).json()
    assert (found["personalised"], found["applications_seen"]) == (False, 0)
    assert "wished_location" in {term["name"] for term in found["jobs"][0]["terms"]}
    wish("paused", "no")
    learned.post(
        "/v1/users/user-000001/consent", {"purpose": "personalisation", "value": "explicit_only"}, "events"
    )
    found = rank(learned, jobs=jobs).json()
    assert (found["personalised"], found["jobs"][0]["job_id"]) == (False, "b")
