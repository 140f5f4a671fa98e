"""Letters from findings: nothing is said that no finding holds, in any tone, of any length, of anything."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.reading import claims, proves, unsupported
from layer7.insights import (
    Change,
    Facts,
    Learned,
    Manner,
    Pattern,
    Rated,
    SilenceLaw,
    Standing,
    Targets,
    Week,
    to_html,
    to_markdown,
    weekly_insights,
)
from layer7.insights.sentences import gain_of

START = date(2026, 3, 2)
HOSTILE = '</td><script>alert("x")</script> [a](javascript:b) **c** `d` \u202e& "quoted"\n# head'
CURVE = tuple((day, 0.04 * 0.93**day) for day in range(91))


def pattern(low=2.0, high=8.0, *, level="Berlin", dimension="location", ratio=4.0):
    return Pattern(
        dimension=dimension,
        level=level,
        odds_ratio=(ratio, low, high),
        probability=0.96,
        n=40,
        events=6,
        rate=(0.16, 0.08, 0.27),
        change=20,
    )


def facts(**changes):
    made = Facts(
        user_id="anna",
        as_of=datetime(2026, 3, 10, tzinfo=UTC),
        start=START,
        week=Week(start=START, sent=(3, 0, 5, 8, 2, 7, 9, 12), waiting=31, longest=54, due=4),
        rated=Rated(value=0.05, low=0.02, high=0.1, n=46, seen=35.5, events=2, none=0.31),
        silence=SilenceLaw(curve=CURVE, answered=0.36, n=9000),
        learned=Learned(needed={"location": 120, "channel": 40, "weekday": 900}),
    )
    return replace(made, **changes)


def letter(tone="friendly", detail="standard", **changes):
    return weekly_insights(facts(**changes), Manner(tone, detail))


def test_a_week_with_nothing_new_says_so_kindly_and_what_would_help():
    quiet = letter(week=Week(start=START, sent=(0,) * 8), rated=None)
    assert quiet.highlights == quiet.concerns == quiet.try_this_week == quiet.stop_doing == ()
    assert "quiet week" in quiet.sentences[0].text
    assert quiet.not_yet_known[0] == "Your interview rate: 1 application is enough to begin."
    assert quiet.silence.answer == "Nothing of yours is waiting for an answer."
    waiting = letter(week=Week(start=START, sent=(4,) + (0,) * 7, waiting=4, longest=50))
    assert waiting.try_this_week[0].startswith("4 applications of yours wait: if an answer came")


def test_a_week_in_numbers():
    told = letter(
        aim=10.0,
        planned=True,
        week=Week(start=START, sent=(0,) * 7 + (12,), invited=2, offered=1, waiting=9, due=1),
    )
    assert told.sentences[0].text == "What a week: you got an offer. Congratulations!"
    assert told.highlights == (
        "You also got 2 invitations to interviews.",
        "You planned 10 a week, and sent 12.",
    )
    assert told.try_this_week[0].startswith("Follow up on 1 application that turned 7 days old")
    assert [week.applications for week in told.weeks] == [0] * 7 + [12]
    assert told.weeks[0].week_start == "2026-01-12"


def test_too_little_sent_is_told_against_her_own_pace_and_not_beside_an_offer():
    little = Week(start=START, sent=(9,) * 7 + (0,))
    assert letter(aim=9.0, week=little).concerns == (
        "You usually send about 9 a week; this week it was none.",
    )
    assert letter(aim=9.0, week=replace(little, offered=1)).concerns == ()
    stopped = replace(little, sent=(9,) * 4 + (0,) * 4)
    assert letter(aim=9.0, week=stopped).concerns == ()
    assert letter(aim=9.0, planned=True, week=stopped).concerns == (
        "You planned 9 a week; this week it was none.",
    )
    assert (
        letter(week=replace(stopped, rejected=1))
        .sentences[0]
        .text.endswith("1 rejection; it also ends a wait.")
    )


@pytest.mark.parametrize(("n", "since"), [(46, "so far"), (30, "since you last changed your targets")])
def test_who_never_changed_her_targets_is_not_told_that_she_did(n, since):
    low = Targets(rethink=True, probability=0.87, threshold=0.02, n=n, interviews=0)
    (told,) = letter(learned=Learned(targets=low)).concerns
    assert told.startswith(f"{n} applications and 0 interviews {since}: with a chance of 87 % your true ")


MEAN = (0.034, 0.021, 0.052)


def standing(rated, place, low, high):
    among = Standing(segment_id="mid", who="mid level", people=44, mean=MEAN, percentile=(place, low, high))
    told = letter(rated=rated, standing=among)
    return next(each.text for each in told.sentences if each.part == "vs_similar_users")


def test_of_few_applications_no_rate_is_told_and_nobody_is_ahead_of_all():
    one = Rated(value=0.019, low=0.0004, high=0.15, n=1, seen=0.1, events=0, none=0.99)
    assert standing(one, 50, 2, 97) == (
        "After 1 application (0 interviews so far) your own interview rate may still be anywhere from below "
        "0.1 to 15 % (95 % interval). Among 44 people like you (mid level) the mean is 3.4 % (2.1 to 5.2 %)."
    )
    many = replace(one, n=200, seen=195.0, events=60, value=0.29, low=0.23, high=0.36)
    assert standing(many, 100, 99.9, 100).endswith("; you are ahead of nearly all of them.")
    assert standing(many, 98, 75, 99).endswith(
        "about 98 % of them, by what is known anywhere from 75 to 99 %."
    )
    assert standing(many, 0.2, 0.1, 4).endswith(
        "; nearly all of them are ahead of you, by what is known anywhere from 0 to 4 %."
    )
    assert standing(many, 60, 10, 91).endswith(
        " Of 44 people like you (mid level) the mean is only known to be 2.1 to 5.2 %:"
        " where you are among them cannot be told yet."
    )


def test_what_takes_too_long_is_not_waited_for():
    told = letter(learned=Learned(needed={"location": 1_200, "channel": 40})).not_yet_known
    assert told[0].startswith("No role")
    assert told[0].endswith("by itself so far.")
    assert told[1:] == (
        (
            "Which way of applying works best for you: odds three times as good would show after about 40 "
            "more applications."
        ),
        (
            "Which places answer you best: that takes more than one search usually has, about 1,200 more "
            "applications."
        ),
    )


def test_what_worked_is_a_difference_of_rates_by_hand():
    gain = gain_of(pattern())
    odds = 0.16 / 0.84 / 4
    assert gain.usual == pytest.approx(odds / (1 + odds))
    assert gain.value == pytest.approx(0.16 - gain.usual)
    assert gain.low == pytest.approx(2 * odds / (1 + 2 * odds) - gain.usual)
    told = letter(learned=Learned(patterns=(pattern(),), needed={"location": 0}))
    (worked,) = told.what_worked
    assert (worked.metric, worked.improvement, worked.n) == ("interview_rate", gain.value, 40)
    assert worked.interval == (gain.low, gain.high)
    assert "Jobs in Berlin answer you more often" in next(
        each.text for each in told.sentences if each.part == "what_worked"
    )
    assert told.try_this_week[0].startswith("Give jobs in Berlin a larger share")


def test_what_did_not_work_is_left_gently():
    bad = replace(pattern(0.1, 0.6, ratio=0.3), rate=(0.012, 0.002, 0.03))
    told = letter(learned=Learned(patterns=(bad,)))
    (failed,) = told.what_didnt_work
    assert failed.decline < 0
    assert told.stop_doing == (
        "Give jobs in Berlin a smaller share; keep a few, so that a change for the better would show.",
    )


def test_no_improvement_is_claimed_whose_interval_holds_none():
    told = letter(learned=Learned(patterns=(pattern(0.9, 9.0), pattern(0.2, 1.2, ratio=0.4))))
    assert told.what_worked == told.what_didnt_work == told.stop_doing == ()
    assert not any(claims(told))


@pytest.mark.parametrize(("events", "none", "normal"), [(0, 0.4, True), (0, 0.04, False), (3, 0.01, True)])
def test_is_this_silence_normal(events, none, normal):
    rated = Rated(value=0.02, low=0.001, high=0.06, n=100, seen=80.0, events=events, none=none)
    silence = letter(rated=rated).silence
    assert silence.normal is normal
    assert silence.answer.startswith("Yes, this silence is normal" if normal else "This is more silence")
    assert silence.still_expected == pytest.approx(0.4)
    assert [point.days for point in silence.curve] == [0, 7, 14, 21, 30, 45, 60, 90]


def test_much_silence_is_called_so_and_nobody_waits_for_nothing():
    one = Week(start=START, sent=(1,) + (0,) * 7, waiting=1, longest=49)
    rated = Rated(value=0.01, low=0.001, high=0.06, n=90, seen=80.0, events=0, none=0.13)
    told = letter(rated=rated, week=one)
    assert told.silence.answer.startswith(
        "This is much silence, but not unusual yet: 1 application of yours w"
    )
    assert "Of people who have sent as many and waited as long (90 applications), 13 %" in told.silence.answer
    assert "| days of silence |" in to_markdown(told)
    heard = letter(week=replace(one, waiting=0, longest=None))
    assert "| days of silence |" not in to_markdown(heard)
    assert "by days of silence" not in to_html(heard)


def test_whether_a_silence_is_long_cannot_be_told_before_anything_was_seen():
    told = letter(rated=None, silence=None)
    assert told.silence.normal is None
    assert "cannot be told yet" in told.silence.answer


def test_a_change_of_the_rate_is_told_with_its_interval():
    up = letter(learned=Learned(change=Change(low=1.4, high=9.0, recent=(6, 40), before=(3, 90))))
    assert up.highlights[0].startswith(
        "More of your applications lead to interviews lately: 6 interviews from 40"
    )
    down = letter(learned=Learned(change=Change(low=0.0, high=0.7, recent=(0, 40), before=(9, 60))))
    assert down.concerns[0].startswith("Fewer of your applications")
    open_end = letter(learned=Learned(change=Change(low=1.4, high=None, recent=(6, 40), before=(0, 90))))
    assert "at least 1.4 times as many" in open_end.highlights[0]


@pytest.mark.parametrize("off", ["switched_off", "paused", "unknown"])
def test_of_somebody_who_is_not_read_nothing_is_told(off):
    told = letter(week=None, off=off)
    assert len(told.sentences) == 1
    assert told.vs_similar_users.your_interview_rate is None
    assert told.sentences[0].text in to_html(told)


def test_tone_and_length_follow_the_person():
    many = Learned(patterns=tuple(pattern(level=f"City {at}") for at in "abcdef"), needed={"channel": 40})
    texts = {
        tone: letter(tone=tone).sentences[0].text for tone in ("professional", "friendly", "motivational")
    }
    assert len(set(texts.values())) == 3
    counts = {
        detail: len(letter(detail=detail, learned=many).what_worked)
        for detail in ("brief", "standard", "detailed")
    }
    assert counts == {"brief": 1, "standard": 3, "detailed": 6}
    long = letter(detail="detailed", learned=many)
    assert "with a probability of 96 %" in next(
        each.text for each in long.sentences if each.part == "what_worked"
    )


def test_hostile_words_stay_words():
    told = letter(
        user_id="<b>anna</b>",
        learned=Learned(patterns=(pattern(level=HOSTILE), pattern(level="x" * 400, dimension="title"))),
    )
    html, text = to_html(told), to_markdown(told)
    assert "<script" not in html
    assert "\u202e" not in html
    assert "<script" not in text.replace("\\<script", "")
    assert "[a](" not in text
    assert "\n# head" not in text
    assert "x" * 81 not in html
    assert all("\n" not in each.text for each in told.sentences)


SHARES = st.floats(0, 1)
COUNTS = st.integers(0, 20_000)
ENDS = st.tuples(st.floats(0.01, 50), st.floats(0.01, 50), st.floats(0.01, 50)).map(sorted)
PATTERNS = st.builds(
    lambda ends, rate, n, level, dimension: replace(
        pattern(ends[0], ends[2], ratio=ends[1], level=level, dimension=dimension),
        rate=tuple(sorted(rate)[at] for at in (1, 0, 2)),
        n=n,
    ),
    ENDS,
    st.tuples(SHARES, SHARES, SHARES),
    COUNTS,
    st.text(max_size=30),
    st.sampled_from(["location", "title", "company_size", "hours", "weekday", "somewhere_new"]),
)
LEARNED = st.builds(
    Learned,
    change=st.none()
    | st.builds(
        lambda ends, r, b: Change(low=ends[0], high=ends[2], recent=r, before=b),
        ENDS.filter(lambda ends: ends[0] > 1 or ends[2] < 1),
        st.tuples(COUNTS, COUNTS),
        st.tuples(COUNTS, COUNTS),
    ),
    patterns=st.lists(PATTERNS, max_size=3).map(tuple),
    targets=st.none()
    | st.builds(
        Targets, rethink=st.booleans(), probability=SHARES, threshold=SHARES, n=COUNTS, interviews=COUNTS
    ),
    needed=st.dictionaries(st.sampled_from(["title", "location", "weekday"]), COUNTS, max_size=3),
)
WEEK = st.builds(
    Week,
    start=st.just(START),
    sent=st.lists(COUNTS, min_size=8, max_size=8).map(tuple),
    invited=COUNTS,
    offered=COUNTS,
    rejected=COUNTS,
    waiting=COUNTS,
    longest=st.none() | COUNTS,
    due=COUNTS,
)
RATED = st.builds(
    lambda ends, n, seen, events, none: Rated(
        value=ends[1], low=ends[0], high=ends[2], n=n + events, seen=n * seen, events=events, none=none
    ),
    st.tuples(SHARES, SHARES, SHARES).map(sorted),
    COUNTS,
    SHARES,
    COUNTS,
    SHARES,
)
STANDING = st.builds(
    lambda ends, mean, people: Standing(
        segment_id="s", who="who apply in X", people=people, mean=mean, percentile=(ends[1], ends[0], ends[2])
    ),
    st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
    st.tuples(SHARES, SHARES, SHARES).map(sorted).map(lambda ends: (ends[1], ends[0], ends[2])),
    COUNTS,
)


@settings(deadline=None, max_examples=60)
@given(
    LEARNED,
    WEEK,
    st.none() | RATED,
    st.none() | STANDING,
    st.sampled_from(["brief", "standard", "detailed"]),
    st.none() | st.floats(0, 200),
)
def test_no_sentence_says_a_number_that_its_finding_does_not_hold(
    learned, week, rated, standing, detail, aim
):
    told = letter(detail=detail, learned=learned, week=week, rated=rated, standing=standing, aim=aim)
    for each in told.sentences:
        assert unsupported(each) == set(), each
    assert all(map(proves, claims(told)))
    listed = {*told.highlights, *told.concerns, *told.try_this_week, *told.stop_doing, *told.not_yet_known}
    assert listed <= {each.text for each in told.sentences}
    assert to_html(told).count("<h1") == 1
    assert told.model_validate_json(told.model_dump_json()) == told
