"""Counts per score point in folds of people."""

import pytest

from layer7.analytics import score_moments, scored_people, to_folds, to_people


def test_by_hand(build):
    make = build.application
    applications = build.applications(
        make(0, person="00a", interview=2, resume_score=69.5),
        make(85, person="00a", resume_score=70.4),
        make(0, person="00f", rejection=2, resume_score=100),
        make(0, person="00f"),
        make(0, person="00f", sent=False, resume_score=50),
    )
    night = build.night(unseen=0.25)
    folds = to_folds(score_moments(applications, night).to_pyarrow())
    assert len(folds) == 16
    assert (folds[10].n[70], folds[10].events[70], folds[10].n_eff[70]) == (2, 1, 1.75)
    assert (folds[15].n[100], folds[15].events[100], folds[15].n.sum()) == (1, 0, 1)
    events, trials = to_people(scored_people(applications, night).to_pyarrow())
    assert sorted(zip(events.tolist(), trials.tolist(), strict=True)) == [(0, 1), (1, 1.75)]


def test_people_and_folds_count_the_same(build):
    rows = [
        build.application(
            n % 90, person=f"{n % 13:x}", interview=None if n % 7 else 3, resume_score=40 + n % 60
        )
        for n in range(300)
    ]
    applications, night = build.applications(*rows), build.night()
    folds = to_folds(score_moments(applications, night).to_pyarrow())
    events, trials = to_people(scored_people(applications, night).to_pyarrow())
    assert sum(fold.total_events for fold in folds) == events.sum()
    assert sum(fold.total_n_eff for fold in folds) == pytest.approx(trials.sum())
