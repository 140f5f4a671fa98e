"""What must have happened and what was captured."""

import pytest

from layer7.analytics import Share, month_facts, quality_moments, to_quality
from layer7.errors import Layer7Error


def _quality(build, *rows, accepted=0, quarantined=0):
    months = month_facts(build.applications(*rows), build.events())
    (counts,) = quality_moments(months).to_pyarrow().to_pylist()
    return to_quality(counts, accepted=accepted, quarantined=quarantined)


def test_a_missing_submission_or_creation_is_an_event_that_was_not_captured(build):
    make = build.application
    whole = make(0, interview=3, rejection=9)
    assert _quality(build, whole).captured == Share(4, 4)
    assert _quality(build, whole | {"sent_at": None}).captured == Share(3, 4)
    assert _quality(build, make(0) | {"created_at": None}).captured == Share(1, 2)
    assert _quality(build, make(0, sent=False)).captured == Share(1, 1)


def test_a_log_that_goes_straight_to_the_offer_is_taken_at_its_word(build):
    assert _quality(build, build.application(0, offer=9)).captured == Share(3, 3)
    assert _quality(build, build.application(0, interview=2, offer=9)).captured == Share(4, 4)


def test_an_interview_without_any_submission_is_seen(build):
    row = build.application(0, interview=3) | {"submitted_at": None, "sent_at": None}
    assert _quality(build, row).captured == Share(2, 3)


def test_fields_are_counted_among_submitted_applications(build):
    found = _quality(
        build,
        build.application(0, title="Engineer", fit_score=70, local_hour=9),
        build.application(0, title="Engineer"),
        build.application(0, sent=False),
        accepted=99,
        quarantined=1,
    )
    assert (found.completeness["title"], found.completeness["fit_score"]) == (Share(2, 2), Share(1, 2))
    assert found.complete == Share(3, 12)
    assert (found.drafts, found.local_time_unknown) == (Share(1, 3), Share(1, 2))
    assert found.accepted.value == 0.99


def test_nothing_of_nothing_is_no_share(build):
    found = _quality(build)
    assert found.captured.value is None
    assert found.completeness["title"].value is None
    with pytest.raises(Layer7Error, match="no share"):
        Share(2, 1)
