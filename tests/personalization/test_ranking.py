"""Jobs in order: by what is expected of them, with every reason, and a share given by lot."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from layer7.contract.ranking import Job, RankedJob, RankRequest
from layer7.optimization.likelihood import Effect, LikelihoodModel
from layer7.personalization.asked import SOMEBODY, Asked, Leaning, Person
from layer7.personalization.config import Person as Settings
from layer7.personalization.likes import likes_of, rejected_of
from layer7.personalization.ranking import rank
from layer7.personalization.sums import effort_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
MODEL = replace(
    LikelihoodModel(),
    slopes={
        "fit_score": (0.2, 0.02),
        "resume_score": (0.1, 0.02),
        "applicants": (-0.35, 0.03),
        "posting_days": (-0.05, 0.02),
    },
    effects={"channel": {"referral": Effect(1.2, 0.1, 900), "easy_apply": Effect(-0.2, 0.05, 9_000)}},
)


def ranked(jobs, person=SOMEBODY, *, seed=1, **more):
    asked = Asked(jobs, AT, **({"exploration_share": 0.0} | more))
    return rank(MODEL, person, asked, rng=np.random.default_rng(seed))


def order(found):
    return [job["job_id"] for job in found]


def test_the_sum_by_hand():
    """Fit 80 is 2 steps above 60, a referral 1.2: 0.4 + 1.2 on the log odds."""
    (found,) = ranked([Job(job_id="a", fit_score=80.0, channel="Referral")])
    assert found["likelihood"] == pytest.approx(special.expit(MODEL.intercept + 1.6), abs=1e-5)
    assert found["likelihood_low"] < found["likelihood"] < found["likelihood_high"]
    assert [(t["name"], t["log_odds"], t["points"]) for t in found["terms"]] == [
        ("channel", 1.2, 60.0),
        ("fit_score", 0.4, 20.0),
    ]
    surplus = found["likelihood"] - effort_of(MODEL, SOMEBODY)
    assert found["expected_surplus"] == pytest.approx(surplus, abs=1e-5)
    assert found["why"] == "channel Referral: x 3.32; fit score 80: x 1.49"
    assert RankedJob.model_validate_json(json.dumps(found)).place == 1


def test_never_by_likelihood_alone():
    """A safe job one level below is likelier, and worth less; a job worth more may come first."""
    safe = Job(job_id="safe", fit_score=68.0, category="safety")
    usual = Job(job_id="usual", fit_score=62.0, category="target")
    dear = Job(job_id="dear", fit_score=50.0, worth=2.0)
    found = ranked([safe, usual, dear])
    assert order(found) == ["dear", "usual", "safe"]
    chances = {job["job_id"]: job["likelihood"] for job in found}
    assert chances["safe"] > chances["usual"] > chances["dear"]


def test_what_works_for_the_person_alone_counts_for_her():
    jobs = [Job(job_id="a", industry="Finance"), Job(job_id="b", industry="Energy")]
    person = Person(n=40, leanings={("industry", "energy"): Leaning(0.7, 12)})
    assert order(ranked(jobs)) == ["a", "b"]
    found = ranked(jobs, person)
    assert order(found) == ["b", "a"]
    assert found[0]["terms"][0] == {
        "name": "own_industry",
        "about": "Energy",
        "log_odds": 0.7,
        "points": 35.0,
        "of": "likelihood",
        "n": 12,
    }


def test_the_specifications_points_stand_beside():
    person = Person(
        company_types=frozenset({"series a startup"}),
        locations=frozenset({"berlin"}),
        rejected=("on-call",),
        min_fit_score=60.0,
    )
    job = Job(
        job_id="a", company_type="Series A startup", location="Berlin", description="Weekly ON-CALL duty",
        fit_score=55.0, priority_score=80.0,
    )  # fmt: skip
    (found,) = ranked([job], person)
    assert found["specification"] == {"adjustment": 0.0, "priority_score": 80.0, "should_apply": False}
    assert (found["should_apply"], found["reason"]) == (False, "fit 55 is below the minimum of 60")
    rejected = next(term for term in found["terms"] if term["name"] == "rejected")
    assert (rejected["points"], rejected["of"]) == (-15.0, "worth")


def test_what_is_too_unlikely_comes_last_with_its_reason():
    jobs = [Job(job_id="hopeless", fit_score=0.0, applicants=9_000.0), Job(job_id="usual", fit_score=60.0)]
    found = ranked(jobs)
    assert order(found) == ["usual", "hopeless"]
    assert "too unlikely for the effort" in found[1]["reason"]
    assert not found[1]["should_apply"]


def test_of_two_equal_jobs_the_less_crowded_comes_first_and_people_are_spread():
    jobs = [Job(job_id=name, fit_score=70.0, applicants=50.0) for name in ("a", "b")]
    seen = {"a": 0, "b": 0}
    for _ in range(20):
        first = order(ranked(jobs, exposures=seen))[0]
        seen[first] += 1
    assert seen == {"a": 10, "b": 10}
    crowded = ranked(jobs, exposures={"a": 100})[1]
    assert {term["name"] for term in crowded["terms"]} >= {"crowding", "applicants"}


def test_exploration_is_a_share_of_the_first_places_and_tells_its_chance():
    jobs = [Job(job_id=f"{at:03}", fit_score=float(100 - at)) for at in range(60)]
    explored, chances = 0, []
    for seed in range(300):
        found = ranked(jobs, seed=seed, slots=10, exploration_share=0.1)
        assert sorted(order(found)) == [job.job_id for job in jobs]
        explored += sum(job["explored"] for job in found[:10])
        chances += [job["propensity"] for job in found[:10] if job["explored"]]
        assert not any(job["explored"] for job in found[10:])
    assert explored / 3_000 == pytest.approx(0.1 * 0.9, abs=0.02)
    assert set(chances) == {0.01}
    assert ranked(jobs, seed=7, exploration_share=0.1) == ranked(jobs, seed=7, exploration_share=0.1)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)), st.integers(0, 9))
def test_the_order_they_came_in_does_not_matter_and_the_first_is_the_best(permutation, seed):
    dice = np.random.default_rng(seed)
    jobs = [
        Job(job_id=f"j{at}", fit_score=float(dice.integers(0, 100)), applicants=float(dice.integers(0, 300)))
        for at in range(12)
    ]
    found = ranked(jobs)
    assert ranked([jobs[at] for at in permutation]) == found
    applying = [job["expected_surplus"] for job in found if job["should_apply"]]
    assert applying == sorted(applying, reverse=True)


def test_bad_jobs_are_ranked_or_refused():
    bare = [Job(job_id="b"), Job(job_id="a")]
    assert order(ranked(bare)) == ["a", "b"]
    assert "nothing known" in ranked(bare)[0]["why"]
    assert ranked([]) == []
    hostile = Job(job_id="x", title="<script>alert(1)</script>'; DROP TABLE rankings; --", fit_score=60.0)
    assert order(ranked([hostile])) == ["x"]
    future = Job(job_id="f", posted_at="2031-01-01T00:00:00+00:00")
    assert [term["name"] for term in ranked([future])[0]["terms"]] == []
    for wrong in (
        {"jobs": [{"job_id": "a", "fit_score": 101}]},
        {"jobs": [{"job_id": "a", "fit_score": -1}]},
        {"jobs": [{"job_id": "a"}, {"job_id": "a"}]},
        {"jobs": [{"job_id": f"j{at}"} for at in range(1_001)]},
        {"jobs": [{"job_id": "a", "worth": 0}]},
    ):
        with pytest.raises(ValueError, match="validation error"):
            RankRequest.model_validate_json(json.dumps(wrong))


def test_a_worth_counts_once():
    one, two = ranked([Job(job_id="a", worth=2.0)]), ranked([Job(job_id="a")])
    effort = effort_of(MODEL, SOMEBODY)
    assert one[0]["expected_surplus"] + effort == pytest.approx(
        2 * (two[0]["expected_surplus"] + effort), abs=1e-4
    )


def test_what_she_wishes_is_worth_more_than_what_she_mostly_chooses():
    """Her own word takes the place of what was learned, and forgotten values are gone."""
    fields = {"preferred_locations": ["Ulm"], "preferred_company_sizes": ["10-50"]}
    kept = {"fields": {name: _learned(value) for name, value in fields.items()}}
    learned = Settings(level="standard", kept=kept)
    wishes = {"preferred_locations": ["Berlin"], "rejection_patterns": ["On-call"]}
    told = Settings(level="standard", kept=kept, wishes=wishes)
    assert [(like.name, like.keys, like.chosen) for like in likes_of(told)] == [
        ("location", ("berlin",), True),
        ("company_size", ("10 50",), False),
    ]
    assert rejected_of(told) == ("on-call",)
    jobs = [Job(job_id="a", location="Ulm"), Job(job_id="b", location="Berlin Mitte"), Job(job_id="c")]
    assert order(ranked(jobs, Person(likes=likes_of(learned)))) == ["a", "b", "c"]
    found = ranked(jobs, Person(likes=likes_of(told)))
    assert order(found) == ["b", "a", "c"]
    first = found[0]["terms"][0]
    assert (first["name"], first["points"], first["of"]) == ("wished_location", 10.0, "worth")
    forgot = Settings(level="standard", kept=kept, wishes={"forget:preferred_locations": True})
    assert [like.name for like in likes_of(forgot)] == ["company_size"]
    off = Settings(level="explicit_only", kept=kept, wishes={"work_arrangement_preference": "remote"})
    remote = Person(likes=likes_of(off))
    assert order(ranked([Job(job_id="a"), Job(job_id="z", location="Ulm (remote)")], remote)) == ["z", "a"]


def test_hostile_words_come_back_as_they_were():
    """Answers are written as text: quotes, backslashes, braces and other scripts stay what they are."""
    words = 'Berlin "Mitte" \\ </script> {0} %s \u2028\u202e Ä 😀 \t'
    wish = Settings(level="standard", wishes={"preferred_locations": ["Berlin"]})
    job = Job(job_id='a"b\\c{x}', location=words, channel="referral")
    (found,) = ranked(
        [job], Person(likes=likes_of(wish), leanings={("channel", "referral"): Leaning(0.5, 9)})
    )
    assert found["job_id"] == job.job_id
    told = {term["name"]: term for term in found["terms"]}
    assert told["wished_location"]["about"] == words
    assert told["own_channel"]["n"] == 9
    assert words in found["why"]
    assert RankedJob.model_validate_json(json.dumps(found)).terms[0].about == "referral"


def _learned(value):
    return {"value": value, "target": value, "low": None, "high": None, "n": 20, "history": []}
