"""What the silence model is told."""

from layer7.analytics import fate_counts, fated, to_silence_moments
from layer7.statistics import SilenceMoments


def told(applications, as_of):
    return to_silence_moments(fate_counts(fated(applications)).to_pyarrow(), as_of)


def test_each_application_counts_once_by_when_the_log_knew_its_best_answer(build):
    make = build.application
    applications = build.applications(
        make(0, interview=3.9),
        make(0, interview=2, rejection=1),
        make(0, rejection=7.2),
        make(80, interview=1, interview_days=None),
        make(85, rejection=1, rejection_days=None),
        make(86),
        make(87, closed="ghosted"),
        make(88, sent=False),
    )
    found = told(applications, build.as_of)
    assert found.interviews.tolist() == [0, 1, 1, 1]
    assert found.rejections.tolist() == [0, 1, 0, 0, 0, 0, 0, 1]
    assert found.silent.nonzero()[0].tolist() == [2, 3]
    assert found.n == 7


def test_parts_of_a_log_add(build):
    rows = [build.application(day % 60, interview=None if day % 5 else day % 11) for day in range(40)]

    def moments(part):
        return told(build.applications(*part), build.as_of)

    pooled, added = moments(rows), moments(rows[:15]) + moments(rows[15:])
    assert isinstance(added, SilenceMoments)
    assert (pooled.silent == added.silent).all()
    assert (pooled.interviews == added.interviews).all()


def test_an_empty_log_is_no_error(build):
    assert told(build.applications(), build.as_of).n == 0
