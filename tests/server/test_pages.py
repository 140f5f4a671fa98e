"""The pages say what they are given, keep hostile text as text, and decide only on purpose."""

import re
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest
from fastapi.testclient import TestClient

from layer7.contract.evidence import RateEvidence
from layer7.contract.lifecycle import ALLOWED, Kind, State
from layer7.contract.vocabulary import Route
from layer7.errors import Layer7Error
from layer7.review import Action, consequences, decide
from layer7.server.pages import (
    LINKS,
    Fall,
    FunnelStep,
    QualityLine,
    StageLine,
    WeekRate,
    context,
    figures,
    foreseen,
    surveys,
)
from layer7.server.pages.assets import MEDIA_TYPES
from layer7.storage.database.tokens import Scope
from server.made_up_pages import EMPTY, FULL, HOSTILE, NOW, SEGMENTS, MadeUp, holding, recommendation, site

PAGES = files("layer7.server.pages")
DECIDE = "/recommendations/rec_88/decide"


@pytest.fixture
def data():
    return MadeUp()


@pytest.fixture
def client(data):
    return TestClient(site(data), follow_redirects=False)


def text_of(response):
    """Give what a reader sees: no tags, single blanks."""
    page = re.sub(r"<script.*?</script>|<style.*?</style>", " ", response.text, flags=re.DOTALL)
    seen = re.sub(r"<[^>]+>", " ", page).replace("&#39;", "'").replace("&#34;", '"').replace("&lt;", "<")
    return re.sub(r"\s+", " ", seen.replace("&gt;", ">").replace("\u00a0", " "))


def asked(client, **form):
    return client.post(DECIDE, data={"action": "approve", "why": "", "etag": "rec_88-0"} | form)


# The overview.


def test_the_overview_says_the_rate_with_its_interval_and_n(client):
    seen = text_of(client.get("/"))
    assert "Of 100 applications about 4 lead to an interview (3.9 to 4.4; n = 212,345)" in seen
    assert "212,345 applications of 3,120 people, read up to 1 July 2025." in seen
    assert "3 recommendations wait for a decision." in seen
    assert "After 14 days of silence an interview still comes in 1.4 % of cases. From day 22 on" in seen


def test_every_week_is_in_the_table_and_a_week_that_cannot_be_told_says_so(client):
    seen = text_of(client.get("/"))
    assert all(f"{figures.day(week.week)} " in seen for week in FULL.weeks)
    assert "23 June 2025 cannot tell yet 31" in seen


@pytest.mark.parametrize(("alarm", "notices"), [(True, 1), (False, 0)])
def test_a_fall_of_rates_stands_above_all_and_no_fall_beside_the_weeks(alarm, notices):
    told = replace(FULL, waiting=0, fall=Fall("Rates were <held> against themselves.", alarm=alarm))
    page = TestClient(site(MadeUp(told))).get("/")
    assert "Rates were <held> against themselves." in text_of(page)
    assert page.text.count('class="notice bad"') == notices


def test_a_rate_that_cannot_be_told_says_how_much_is_missing():
    rate = RateEvidence(value=None, n=40, events=0, needed=160, method="cure model")
    few = replace(FULL, rate=rate, weeks=(WeekRate(date(2025, 6, 2), None, None, None, 40),), silence=())
    response = TestClient(site(MadeUp(few))).get("/")
    seen = text_of(response)
    assert "We cannot tell yet how many applications lead to an interview: about 160 more are needed" in seen
    assert "No week has enough applications for a rate yet." in seen
    assert "No interview was seen yet, so we cannot tell what silence means." in seen
    assert "vega.js" not in response.text


def test_the_empty_page_says_what_to_do_next():
    seen = text_of(TestClient(site(MadeUp(EMPTY))).get("/"))
    assert "Nothing to learn from yet." in seen
    assert all(step in seen for step in ("layer7 demo", "layer7 import-log", "POST /v1/events"))


def test_before_the_first_night_the_page_stands():
    early = replace(EMPTY, applications=12, people=1)
    seen = text_of(TestClient(site(MadeUp(early))).get("/"))
    assert "12 applications of 1 person" in seen
    assert "No night has run yet." in seen


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (QualityLine("x", 0.997, 0.99, 9), "on target"),
        (QualityLine("x", 0.98, 0.99, 9), "below target"),
        (QualityLine("x", None, 0.99, 9), "cannot tell yet"),
        (QualityLine("x", 0.995, 0.99, 9, low=0.98, high=0.999), "cannot tell yet"),
        (QualityLine("x", 0.5, 0.99, 9, low=0.4, high=0.6), "below target"),
        (QualityLine("x", 0.5, None, 9), ""),
    ],
)
def test_a_target_is_met_or_missed_only_as_far_as_the_interval_says(line, word):
    assert context.verdict(line).text == word


# The recommendations.


def test_the_queue_shows_what_waits_and_its_gain(client):
    seen = text_of(client.get("/recommendations"))
    assert "Waiting 3" in seen
    assert "75.0 points → to 70.0 points" in seen
    assert "+0.021 (0.012 to 0.041) ; n = 1,840" in seen
    assert "+1.2 points (\u22120.6 to 3.0)" in seen


def test_an_empty_queue_is_no_failure(client):
    assert "No recommendation is approved" in text_of(client.get("/recommendations?state=approved"))


def test_the_page_shows_the_very_plan_and_what_every_decision_does(client):
    shown = recommendation("rec_89")
    seen = text_of(client.get("/recommendations/rec_89"))
    assert f"Starts from version {shown.plan.from_version}" in seen
    assert "technical 0.4 0.47" in seen
    assert "The interval holds zero" in seen
    for sentences in foreseen(shown, actor="ada", at=NOW).values():
        assert all(sentence in seen for sentence in sentences)


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("state", ALLOWED[Kind.RECOMMENDATION])
def test_what_is_foreseen_is_what_the_decision_does(route, state):
    shown = recommendation().model_copy(update={"state": state, "recommendation": route})
    for action, told in foreseen(shown, actor="ada", at=NOW).items():
        made = decide(shown, action, actor="ada", at=NOW, why="what you write below.")
        assert told == consequences(made, shown)


def test_what_would_be_refused_is_not_offered():
    waiting = recommendation().model_copy(update={"state": State.APPROVED})
    assert set(foreseen(waiting, actor="ada", at=NOW)) == {Action.REJECT}
    planless = recommendation().model_copy(update={"plan": None})
    assert foreseen(planless, actor="ada", at=NOW) == {}


def test_every_state_route_and_action_has_its_words():
    states = set(ALLOWED[Kind.RECOMMENDATION])
    assert set(context.STATES) == set(context.STANDING) == states
    assert set(context.ROUTES) == set(Route)
    assert set(context.ACTIONS) == set(Action)


@pytest.mark.parametrize(
    ("address", "status"), [("/recommendations/nope", 404), ("/recommendations?state=nope", 422)]
)
def test_what_is_not_there_is_said_kindly(client, address, status):
    response = client.get(address)
    assert response.status_code == status
    assert "That did not work." in text_of(response)


# Experiments and rollouts.


def test_experiments_are_listed_with_what_they_say(client):
    seen = text_of(client.get("/experiments"))
    assert "Strategy Threshold Optimization improve_resume_threshold : 75 points against 70 points" in seen
    assert "Better, as far as proven." in seen
    assert "Proven better" in seen
    assert "No verdict may be read" in seen
    assert "Fit Score Weight Adjustment" in seen
    empty = MadeUp()
    empty.tried = {}
    assert "No experiment yet." in text_of(TestClient(site(empty)).get("/experiments"))


def test_an_experiment_shows_its_plan_its_parts_and_where_it_goes(client):
    seen = text_of(client.get("/experiments/exp_001"))
    assert "+2.0 points (1.0 to 3.0)" in seen
    assert "first stage 360 +1 points (\u22122 to 4)" in seen
    assert "second stage 440 cannot tell yet" in seen
    assert "offer rate +0.1 points (\u22120.1 to 0.3) no worse than accepted" in seen
    assert "It waits for a person's approval. See the rollout" in seen
    assert "Results come with the night" in text_of(client.get("/experiments/exp_002"))
    assert client.get("/experiments/nope").status_code == 404


def test_segments_are_told_with_interval_n_and_no_advice(client):
    seen = text_of(client.get("/segments"))
    assert "Of 100 applications about 4 lead to an interview (3.9 to 4.3; n = 144,000)" in seen
    assert "mid level about 800 people a week 0 4.0 % 3.4 to 4.6 % n&nbsp;=&nbsp;48,000 25" in seen
    assert "it predicts" in seen


def test_the_market_says_what_it_rests_on_and_what_waits(client):
    seen = text_of(client.get("/market"))
    assert "Of 100 applications about 63 are never answered (61 to 65; n = 7,100)" in seen
    assert "takes 13.2 days on average (12.1 to 14.4; 2,500 answers), of answers within 42 days" in seen
    assert "Healthcare 5,200 36 % 33 to 39 % n&nbsp;=&nbsp;7,100" in seen
    assert "Negotiation with public administrations 0.40 % cannot tell yet" in seen
    assert "best months to apply 24 months of log." in seen
    assert "2025-06 cannot tell yet 31" in seen


def test_before_the_first_release_both_pages_say_so():
    client = TestClient(site(MadeUp(EMPTY)))
    assert "No segment is told of yet" in text_of(client.get("/segments"))
    assert "No night has looked at the market yet" in text_of(client.get("/market"))


def test_rates_of_published_studies_stand_where_nothing_is_released():
    bare = SEGMENTS[0].model_copy(update={"interval": None, "user_count": 0, "n": 0, "window": None})
    told = surveys.segments_context((bare,))
    assert told["items"][0][2] is None
    assert surveys.segments_context((bare.model_copy(update={"evidence": {}}),))["headline"] is None


def test_rollouts_show_their_stages_and_whether_their_evidence_expired(client):
    seen = text_of(client.get("/rollouts"))
    assert "10 % 50 % all but 5 %" in seen
    assert "Evidence expired on 1 June 2025" in seen
    old = client.get("/rollouts/ramp_old")
    assert "start a new experiment to renew it" in text_of(old)
    assert re.findall(r'<details class="choice (\w+)"', old.text) == ["roll_back"]
    waiting = client.get("/rollouts/ramp_exp_001").text
    assert re.findall(r'<details class="choice (\w+)"', waiting) == ["approve", "pause", "roll_back"]
    assert 'aria-current="step">10' in waiting
    empty = MadeUp()
    empty.ramps = {}
    assert "No change is on its way." in text_of(TestClient(site(empty)).get("/rollouts"))
    reader = TestClient(site(MadeUp(), holding(Scope.READ))).get("/rollouts/ramp_exp_001")
    assert "<form" not in reader.text


def moved(client, **form):
    return client.post("/rollouts/ramp_exp_001/move", data={"action": "pause", "why": "", "etag": "1"} | form)


def test_a_move_is_made_then_confirmed(client, data):
    response = moved(client, why=" Friday ")
    assert response.headers["location"] == "/rollouts/ramp_exp_001?done=pause"
    assert "Paused by ada, 2 July 2025, 09:00 UTC." in text_of(client.get(response.headers["location"]))
    assert data.moved["ramp_exp_001"][-1].why == "Friday"
    assert "Paused by" not in client.get("/rollouts/ramp_old?done=pause").text


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"action": "roll_back"}, 422, "To roll back needs a reason."),
        ({"etag": "7"}, 412, "It has changed since you opened it."),
        ({"action": "explode"}, 422, "There is no action 'explode'."),
    ],
)
def test_a_refused_move_is_shown_on_the_page_and_nothing_is_done(client, data, form, status, said):
    response = moved(client, **form)
    assert response.status_code == status
    assert said in text_of(response)
    assert len(data.moved["ramp_exp_001"]) == 1


# Deciding.


@pytest.mark.parametrize(
    ("action", "why", "said"),
    [
        ("approve", "", "Recorded: approved by ada, 2 July 2025, 09:00 UTC. Next comes its experiment"),
        ("reject", "Too few people.", "Recorded: rejected by ada"),
        ("send_back", "Which people?", "Recorded: sent back by ada, 2 July 2025, 09:00 UTC. It may be"),
    ],
)
def test_a_decision_is_taken_then_confirmed(client, data, action, why, said):
    response = asked(client, action=action, why=f"  {why} ")
    assert response.status_code == 303
    seen = text_of(client.get(response.headers["location"]))
    assert said in seen
    assert why in seen
    (made,) = data.history["rec_88"]
    assert (made.action, made.why, made.actor) == (action, why, "ada")


def test_an_address_alone_confirms_nothing(client):
    assert "Recorded" not in client.get("/recommendations/rec_88?done=approve").text


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"action": "reject"}, 422, "To reject needs a reason."),
        ({"action": "send_back", "why": "  "}, 422, "To send back needs a reason."),
        ({"etag": "rec_88-7"}, 412, "It has changed since you opened it."),
        ({"action": "explode"}, 422, "There is no action 'explode'."),
        ({"action": "apply"}, 409, "cannot become applied"),
        ({"why": "x" * 2001}, 422, "The reason has 2,001 characters; 2,000 are allowed."),
    ],
)
def test_a_refusal_is_shown_on_the_page_and_nothing_is_decided(client, data, form, status, said):
    response = asked(client, **form)
    assert response.status_code == status
    assert said in text_of(response)
    assert data.history["rec_88"] == ()


def test_a_refusal_keeps_what_was_typed(client):
    response = asked(client, action="reject", why="My reason", etag="stale")
    assert re.search(r'choice reject"[^>]* open>', response.text)
    assert ">\nMy reason</textarea>" in response.text


def test_deciding_on_what_is_not_there_is_said_kindly(client):
    response = client.post("/recommendations/nope/decide", data={"action": "approve"})
    assert response.status_code == 404
    assert "There is no such recommendation." in text_of(response)


def test_the_locks_are_made_for_reading_and_for_deciding(data):
    asked_for = []

    def require(*scopes):
        asked_for.append(scopes)
        return holding()(*scopes)

    site(data, require)
    assert asked_for == [(Scope.READ, Scope.REVIEW), (Scope.REVIEW,)]


def test_who_may_only_read_is_told_so_and_offered_nothing(data):
    seen = TestClient(site(data, holding(Scope.READ))).get("/recommendations/rec_88")
    assert "You may read it, but not decide" in text_of(seen)
    assert "<form" not in seen.text


def test_every_page_asks_who_is_there():
    def nobody():
        raise Layer7Error("not_signed_in", "This needs a token that is in use.", "Bring one.")

    client = TestClient(site(MadeUp(), lambda *_: nobody))
    for address in ("/", "/recommendations", "/recommendations/rec_88", "/experiments", "/rollouts"):
        assert client.get(address).status_code == 401
    assert client.get("/segments").status_code == client.get("/market").status_code == 401
    assert client.get("/experiments/exp_001").status_code == 401
    assert client.post("/rollouts/ramp_exp_001/move").status_code == 401
    assert client.post(DECIDE, data={"action": "approve"}).status_code == 401
    assert client.get("/static/pages.css").status_code == 200


# Safety.


def test_hostile_text_stays_text():
    steps = (FunnelStep(HOSTILE, 5, 1.0),)
    run = replace(FULL.last_run, run_id=HOSTILE, stages=(StageLine(HOSTILE, 1.0, HOSTILE),))
    quality = (QualityLine(HOSTILE, 0.5, 0.9, 5, HOSTILE),)
    client = TestClient(site(MadeUp(replace(FULL, funnel=steps, last_run=run, quality=quality))))
    trials = ("/experiments", "/experiments/exp_001_holdback", "/rollouts", "/rollouts/ramp_old")
    for address in ("/", "/recommendations", "/recommendations/rec_90", "/segments", "/market", *trials):
        response = client.get(address)
        assert HOSTILE in text_of(response)
        assert "<img src=x" not in response.text
        assert "document.title='taken'" not in response.text


def test_chart_data_cannot_leave_its_script_element(client):
    page = client.get("/").text
    inside = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.DOTALL)
    assert len(inside) == 2
    assert all("<" not in spec for spec in inside)


def test_the_pages_hold_no_script_of_their_own_and_the_one_file_is_short():
    for template in (PAGES / "templates").iterdir():
        source = template.read_text()
        assert not re.search(r"<[^>]+\son\w+\s*=", source)
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", source))
        assert "http://" not in source
        assert "https://" not in source
        assert "style=" not in source
    assert len((PAGES / "static" / "charts.js").read_text().splitlines()) <= 40


def test_no_link_is_dead(client):
    todo, seen = ["/", *(link.path for link in LINKS)], set()
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        response = client.get(address)
        assert response.status_code == 200, address
        if response.headers["content-type"].startswith("text/html"):
            found = re.findall(r'(?:href|src)="([^"#]+)"', response.text)
            todo += [link.replace("&amp;", "&") for link in found]
    assert {"/recommendations/rec_88", "/recommendations?state=proposed", "/rollouts/ramp_old"} <= seen
    assert {"/experiments/exp_001", "/experiments/exp_001_holdback", "/rollouts/ramp_exp_001"} <= seen


def test_pages_are_not_kept_and_work_below_a_path(data):
    client = TestClient(site(data), root_path="/layer7", follow_redirects=False)
    response = client.get("/recommendations/rec_88")
    assert response.headers["cache-control"] == "no-store"
    assert 'href="/layer7/recommendations" aria-current="page"' in response.text
    assert asked(client).headers["location"] == "/layer7/recommendations/rec_88?done=approve"


# Files.


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_files_are_kept_by_the_browser_and_sent_compressed(client, name):
    first = client.get(f"/static/{name}")
    assert first.headers["content-type"] == MEDIA_TYPES[name]
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["cache-control"] == "no-cache"
    plain = client.get(f"/static/{name}", headers={"accept-encoding": "identity"})
    assert plain.content == first.content
    again = client.get(f"/static/{name}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_only_the_listed_files_are_served(client):
    for name in ("charts.css", "..%2frouter.py", "router.py"):
        assert client.get(f"/static/{name}").status_code == 404


def test_named_files_are_kept_for_a_year(client):
    address = re.search(r'href="(/static/pages.css\?v=\w+)"', client.get("/").text).group(1)
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/pages.css?v=old").headers["cache-control"] == "no-cache"
