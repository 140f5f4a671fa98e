"""Settings of one person: a step a day, wishes first, nothing against her consent."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.analytics.optimizing.personal import FIT_BANDS, SUMS
from layer7.errors import Layer7Error
from layer7.personalization.config import FIELDS, Person, personalized_config, value_of
from layer7.personalization.learning import learn
from layer7.personalization.stepping import STEPS, stepped
from layer7.personalization.values import Learned, Usual
from layer7.personalization.wishes import checked, forgotten, known

USUAL = Usual(pace=10.0, fit=60.0, follow_up=7.0)
DAY = date(2026, 3, 2)
PACE = "optimal_applications_per_week"


def moments(**changes):
    row = {"person": "a", "bucket": 0, "first": 0, "last": 0} | dict.fromkeys(SUMS, 0) | changes
    return pa.Table.from_pylist([row])


def tastes(*rows):
    schema = pa.schema(
        [
            ("person", pa.string()),
            ("bucket", pa.int64()),
            ("level", pa.string()),
            ("n", pa.int64()),
            ("field", pa.string()),
        ]
    )
    made = [{"person": "a", "bucket": 0, "field": field, "level": level, "n": n} for field, level, n in rows]
    return pa.Table.from_pylist(made, schema=schema)


def test_nothing_is_learned_of_nothing():
    assert learn(moments(), tastes(), USUAL, end=10**9) == {"a": {}}


def test_what_is_learned_of_a_busy_person():
    week = 7 * 86_400
    bands = dict.fromkeys(FIT_BANDS, 0) | {"fit_14": 100, "fit_16": 100}
    found = learn(
        moments(n=200, recent=60, first=0, last=20 * week - 1, accepted=2, edited=18, rejected=20, **bands),
        tastes(
            ("location", "Berlin", 90),
            ("location", "Ulm", 10),
            ("arrangement", "remote", 80),
            ("arrangement", "unsaid", 20),
        ),
        USUAL,
        end=20 * week,
    )["a"]
    assert found[PACE].value == pytest.approx((4 * 10 + 60) / 16)
    assert found["min_fit_score_to_apply"].value == pytest.approx((50 * 60 + 200 * 71) / 250)
    assert found["edit_frequency"].value == "high"
    assert found["suggestion_acceptance_rate"].value == pytest.approx(0.5)
    assert found["preferred_locations"].value == ("Berlin",)
    assert found["work_arrangement_preference"].value == "remote"
    assert "follow_up_timing_days" not in found


NUMBERS = st.sampled_from(sorted(STEPS))


@given(
    NUMBERS,
    st.lists(st.tuples(st.integers(1, 3), st.floats(0, 100)), min_size=1, max_size=8),
)
def test_a_number_never_moves_faster_than_a_step_a_day_nor_beyond_what_the_data_say(field, nights):
    kept, day, before = None, DAY, USUAL.of(field)
    for later, target in nights:
        passed = later if kept else 1
        day += timedelta(days=later)
        learned = {field: Learned(value=target, n=5)}
        kept = stepped(kept, learned, USUAL, day=day)
        value = kept["fields"][field]["value"]
        assert abs(value - before) <= STEPS[field] * passed + 1e-9
        assert min(before, target) - 1e-9 <= value <= max(before, target) + 1e-9
        assert stepped(kept, learned, USUAL, day=day) == kept
        assert stepped(kept, {}, USUAL, day=day - timedelta(days=1)) == kept
        before = value


def test_a_night_that_runs_again_takes_no_second_step():
    once = stepped(None, {PACE: Learned(value=20.0, n=9)}, USUAL, day=DAY)
    next_night = stepped(once, {PACE: Learned(value=20.0, n=9)}, USUAL, day=DAY + timedelta(days=1))
    again = stepped(next_night, {PACE: Learned(value=5.0, n=9)}, USUAL, day=DAY + timedelta(days=1))
    assert [each["fields"][PACE]["value"] for each in (once, next_night, again)] == [11.0, 12.0, 10.0]


def test_words_move_one_place_a_day():
    found = {"edit_frequency": Learned(value="high", n=9)}
    low = stepped(None, {"edit_frequency": Learned(value="low", n=9)}, USUAL, day=DAY)
    then = stepped(low, found, USUAL, day=DAY + timedelta(days=1))
    assert [each["fields"]["edit_frequency"]["value"] for each in (low, then)] == ["low", "medium"]


KEPT = stepped(None, {PACE: Learned(value=14.0, n=12, low=11.0, high=17.0)}, USUAL, day=DAY)


@pytest.mark.parametrize(
    ("level", "wishes", "value", "origin"),
    [
        ("standard", {}, 11.0, "learned"),
        ("standard", {PACE: 3.0}, 3.0, "chosen"),
        ("explicit_only", {}, None, "default"),
        ("explicit_only", {PACE: 3.0}, 3.0, "chosen"),
        ("off", {}, None, "default"),
        ("standard", {f"forget:{PACE}": True}, None, "default"),
        ("standard", {f"forget:{PACE}": False}, 11.0, "learned"),
        ("full", {"paused": True}, 11.0, "learned"),
    ],
)
def test_her_word_and_her_consent_decide(level, wishes, value, origin):
    found = value_of(PACE, Person(level=level, kept=KEPT, wishes=wishes), USUAL)
    assert (found.value, found.origin, found.everybody) == (value, origin, 10.0)


def test_words_of_her_own_are_read_at_the_full_level_only():
    said = {
        "rejection_patterns": ("on-call",),
        "typical_edit_patterns": ("shortens rewrite suggestions (9 of 10 edits)",),
    }
    for level, patterns, detail in (("standard", (), None), ("full", ("on-call",), "brief")):
        config = personalized_config(
            "a", Person(level=level, said=said), USUAL, as_of="2026-03-03T00:00:00+00:00"
        )
        assert (config.rejection_patterns, config.preferred_detail_level) == (patterns, detail)


def test_the_whole_config_says_where_each_value_comes_from():
    person = Person(level="standard", kept=KEPT, wishes={"preferred_locations": ["Ulm"], "paused": True})
    config = personalized_config("a", person, USUAL, as_of="2026-03-03T00:00:00+00:00")
    assert config.origins == dict.fromkeys(FIELDS, "default") | {
        PACE: "learned",
        "preferred_locations": "chosen",
    }
    assert config.preferred_locations == ("Ulm",)
    assert config.learned[PACE].interval == (11.0, 17.0)
    assert config.min_fit_score_to_apply is None
    assert config.paused


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("salary", "1", "unknown_field"),
        ("forget:", True, "unknown_field"),
        ("forget:standing", True, "value_not_allowed"),
        ("forget:" + "x" * 300, True, "unknown_field"),
        (PACE, "many", "value_not_allowed"),
        (PACE, 1e9, "value_out_of_range"),
        (PACE, float("nan"), "value_out_of_range"),
        ("coach_tone_preference", "rude", "value_not_allowed"),
        ("preferred_locations", 3, "value_not_allowed"),
        ("preferred_locations", ["x" * 101], "value_not_allowed"),
        ("preferred_locations", ["a\nb"], "value_not_allowed"),
        ("paused", "perhaps", "value_not_allowed"),
        ("edit_frequency", "often", "value_not_allowed"),
    ],
)
def test_wishes_that_cannot_be_are_refused(field, value, code):
    with pytest.raises(Layer7Error) as refused:
        checked(field, value)
    assert refused.value.code == code


def test_wishes_that_can_be():
    assert checked("paused", "yes") is True
    assert checked("preferred_company_sizes", ("11-50", " ")) == ["11-50"]
    assert known("forget:location: Berlin") == "forget:location: Berlin"
    assert forgotten({"forget:a": True, "forget:b": False}) == {"a"}
