"""What a person's data may be used for: her word, or the default where she has said nothing."""

import pytest

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.privacy import DEFAULTS, Consent, may_use
from layer7.privacy.consent import spoken


def test_defaults():
    assert DEFAULTS == {
        Purpose.PERSONALISATION: "standard",
        Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS: "no",
        Purpose.EXPERIMENTS: "yes",
        Purpose.FAIRNESS_MONITORING: "no",
    }
    allowed = {purpose for purpose in Purpose if may_use(Consent(), purpose)}
    assert allowed == {Purpose.PERSONALISATION, Purpose.EXPERIMENTS}


@pytest.mark.parametrize("purpose", Purpose)
def test_an_unreadable_record_counts_as_no(purpose):
    assert not may_use(None, purpose)
    for value in ("", "banana", "YES", "true", "1"):
        assert not may_use(Consent({purpose: value}), purpose)


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose is not Purpose.PERSONALISATION]
)
def test_yes_and_no(purpose):
    assert may_use(Consent({purpose: "yes"}), purpose)
    assert not may_use(Consent({purpose: "no"}), purpose)


@pytest.mark.parametrize(
    ("level", "allowed"), [("off", False), ("explicit_only", False), ("standard", True), ("full", True)]
)
def test_levels_of_personalisation(level, allowed):
    consent = Consent({Purpose.PERSONALISATION: level, Purpose.EXPERIMENTS: "yes"})
    assert may_use(consent, Purpose.PERSONALISATION) == allowed
    assert may_use(consent, Purpose.EXPERIMENTS) == allowed
    assert not may_use(consent, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)


def test_the_latest_word_counts(home, take, make_event):
    said = [("2026-01-02", True), ("2026-01-05", False), ("2026-01-04", True)]
    about = {"event_type": "CONSENT_CHANGED", "purpose": "contribute_to_market_insights"}
    absent = dict.fromkeys(("application_id", "job_id", "resume_version_id"))
    take(
        home,
        [make_event(**about, **absent, timestamp=f"{day}T09:00:00Z", value=value) for day, value in said],
    )
    consent = home.consents.of(home.keys.person("anna"))
    assert not may_use(consent, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)


@pytest.mark.parametrize(
    ("purpose", "text"), [(Purpose.EXPERIMENTS, "standard"), (Purpose.PERSONALISATION, "maybe")]
)
def test_a_word_that_a_purpose_does_not_know_is_refused_with_those_that_it_knows(purpose, text):
    with pytest.raises(Layer7Error) as refused:
        spoken(purpose, text)
    assert refused.value.code == "unknown_choice"
    assert text not in str(refused.value)
    assert "It is one of: " in refused.value.hint
