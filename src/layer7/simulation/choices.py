"""What people do in a week: how they search, what Layer 2 tells them, what they apply to.

People search in one of three ways. Which one depends on how good they are, how well they fit and how
lucky they have lately been, and it decides channel, fit and tailoring. So everything a person does is
confounded with who the person is, and a change of habit follows bad luck, after which luck returns to its
mean: comparisons that ignore this see effects that are not there.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from layer7.simulation import levels
from layer7.simulation.draws import draw_decisions, draw_levels
from layer7.simulation.jobs import OLDEST_POSTING, Postings
from layer7.simulation.market import Market
from layer7.simulation.people import Population
from layer7.simulation.sorting import in_order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY = 86_400  # seconds
IMPROVE, APPLY, RETHINK = range(3)
_USUAL_RATE = 0.043  # interviews per application that people expect, to call themselves lucky

_WEEKDAY_WEIGHTS = (1.2, 1.25, 1.15, 1.1, 0.9, 0.6, 0.8)  # Monday first
_HOUR_WEIGHTS = (
    0.3,
    0.1,
    0.1,
    0.1,
    0.1,
    0.2,
    0.5,
    1,
    2,
    3,
    3.2,
    2.8,
    2,
    2.3,
    2.6,
    2.5,
    2.2,
    1.8,
    1.7,
    2,
    2.4,
    2.3,
    1.6,
    0.8,
)
_LEAD_MEDIAN = 1.5 * 3600  # seconds between beginning an application and sending it


@dataclass(frozen=True, slots=True)
class Applications:
    """One array per property, one element per application; times are seconds on the person's own clock."""

    person: Ints
    posting: Ints
    sent: Ints  # seconds since 1970-01-01 00:00, wall clock
    created: Ints
    submitted: Bools
    channel: Ints
    location: Ints
    category: Ints
    technical: Floats
    seniority: Floats
    experience: Floats
    signal: Floats
    fit: Floats  # score, 0 to 100
    outcome_fit: Floats  # the fit that the employers' choice follows
    resume: Floats
    resume_parts: Floats  # points, a column per part; no column where the market plants none
    outcome_resume: Floats  # the resume score that the employers' choice follows
    version: Ints
    mode: Ints
    policy: Ints
    tailored: Bools
    aim: Floats  # log odds of aiming at the wrong jobs; 0 for most

    def __len__(self) -> int:
        return len(self.person)


def strategy_mode(market: Market, resume: Floats, applications: Ints, interviews: Ints) -> Ints:
    """Layer 2's rule: below 75 points improve the resume; 30 applications at a rate below 2 %: rethink.

    Args:
        market: gives the three thresholds.
        resume: resume scores, 0 to 100.
        applications: sent so far.
        interviews: seen in the log so far.

    Returns:
        Indices of `layer7.simulation.levels.STRATEGY_MODES`.

    Source:
        Specification, section 5.1.

    Example:
        >>> sent, seen = np.array([5, 40, 40]), np.array([0, 0, 3])
        >>> strategy_mode(Market(), np.array([60.0, 80.0, 80.0]), sent, seen).tolist()
        [0, 2, 1]
    """
    rethink = (applications >= market.rethink_applications) & (
        interviews < market.rethink_interview_rate * applications
    )
    return np.where(resume < market.improve_resume_threshold, IMPROVE, np.where(rethink, RETHINK, APPLY))


def choose_policies(
    market: Market, population: Population, recent_interviews: Ints, rng: np.random.Generator
) -> Ints:
    """Draw the way of searching that each person would choose now.

    Args:
        market: gives appeals and pulls.
        population: quality, fit and volume of the people.
        recent_interviews: seen in the last four weeks.
        rng: the dice.

    Returns:
        Indices of `layer7.simulation.levels.POLICIES`, with probability proportional to
        ``exp(appeal + quality_pull q + fit_pull f + luck_pull l)``.

    Example:
        >>> from layer7.simulation.people import draw_people
        >>> dice = np.random.default_rng(1)
        >>> people = draw_people(Market(), 4, dice)
        >>> len(choose_policies(Market(), people, np.zeros(4, dtype=np.int64), dice))
        4
    """
    quality = population.quality / max(market.quality_sd, 1e-9)
    fit = population.fit / max(market.fit_person_sd, 1e-9)
    luck = recent_interviews - 4 * _USUAL_RATE * population.volume
    appeal = (
        np.array(market.policy_appeals)
        + np.outer(quality, market.policy_quality_pull)
        + np.outer(fit, market.policy_fit_pull)
        + np.outer(np.clip(luck, -3, 3), market.policy_luck_pull)
    )
    return np.asarray(np.argmax(appeal + rng.gumbel(size=appeal.shape), axis=1), dtype=np.int64)


def draw_applications(
    market: Market,
    population: Population,
    postings: Postings,
    *,
    week: "Week",
    rng: np.random.Generator,
) -> Applications:
    """Draw the applications of one week.

    Args:
        market: the planted numbers.
        population: the people.
        postings: what is open.
        week: the week and what each person does in it.
        rng: the dice.

    Returns:
        Applications in the order of time; those begun and never sent have ``submitted`` false.
    """
    factor = np.take(market.policy_volume_factors, week.policy) / (1 - market.abandoned_share)
    factor *= np.take(market.mode_volume_factors, week.mode)
    counts = rng.poisson(population.volume * factor) * week.active
    person = np.repeat(np.arange(len(population)), counts)
    sent = week.start + _seconds_in_week(week.weekday, len(person), rng)
    keep = np.flatnonzero(sent < week.leaves[person])
    keep = keep[in_order(sent[keep])]
    return _drawn(market, population, postings, week=week, sent=(person[keep], sent[keep]), rng=rng)


def draw_offers(
    market: Market,
    population: Population,
    postings: Postings,
    *,
    week: "Week",
    each: int,
    rng: np.random.Generator,
) -> Applications:
    """Draw what people could apply to in a week: as they would choose, but as many for everybody.

    Args:
        market: the planted numbers.
        population: the people.
        postings: what is open.
        week: the week; people who are not active are offered nothing.
        each: how many for each person.
        rng: the dice.

    Returns:
        Applications that could be sent, ordered by person; all as if they were.
    """
    person = np.repeat(np.flatnonzero(week.active), each)
    sent = week.start + _seconds_in_week(week.weekday, len(person), rng)
    drawn = _drawn(market, population, postings, week=week, sent=(person, sent), rng=rng)
    return replace(drawn, submitted=np.ones(len(person), dtype=np.bool_))


def _drawn(
    market: Market,
    population: Population,
    postings: Postings,
    *,
    week: "Week",
    sent: tuple[Ints, Ints],
    rng: np.random.Generator,
) -> Applications:
    """Draw everything about applications of these people at these times."""
    person, at = sent
    posting, category = _choose_postings(
        market, population, postings, person, days=(at - week.first) / DAY, rng=rng
    )
    policy = week.policy[person]
    parts = _draw_match(market, population, person, policy=policy, distance=np.abs(category - 1), rng=rng)
    fit = np.round(100 * np.dot(market.fit_weights, parts), 1)
    size = len(person)
    lead = (_LEAD_MEDIAN * np.exp(rng.standard_normal(size))).astype(np.int64)
    return Applications(
        person=person,
        posting=posting,
        sent=at,
        created=np.maximum(at - lead, week.first),
        submitted=rng.random(size) >= market.abandoned_share,
        channel=_choose_channels(market, policy, rng),
        location=_choose_locations(market, population.region[person], rng),
        category=category,
        technical=parts[0],
        seniority=parts[1],
        experience=parts[2],
        signal=parts[3],
        fit=fit,
        outcome_fit=100 * np.dot(market.outcome_fit_weights, parts),
        resume=week.resume[person],
        resume_parts=np.empty((size, 0)),
        outcome_resume=week.resume[person],
        version=week.version[person],
        mode=week.mode[person],
        policy=policy,
        tailored=_choose_tailoring(market, population.quality[person], fit, policy=policy, rng=rng),
        aim=week.aim[person],
    )


@dataclass(frozen=True, slots=True)
class Week:
    """One week: when it is, and what each person does in it."""

    first: int  # seconds at which the simulation starts
    start: int  # seconds at which this week starts
    weekday: int  # of the week's first day, Monday: 0
    active: Bools
    leaves: Ints  # seconds at which a person leaves the market
    resume: Floats
    version: Ints
    mode: Ints
    policy: Ints
    aim: Floats  # log odds


def _seconds_in_week(weekday: int, size: int, rng: np.random.Generator) -> Ints:
    days = np.roll(_WEEKDAY_WEIGHTS, -weekday)
    weights = np.outer(days, _HOUR_WEIGHTS).ravel()
    hour = draw_levels(tuple(weights / weights.sum()), size, rng)
    return hour * 3600 + rng.integers(0, 3600, size)


def _choose_postings(
    market: Market,
    population: Population,
    postings: Postings,
    person: Ints,
    *,
    days: Floats,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    size = len(person)
    home = rng.random(size) < market.home_role_share
    other = (population.role[person] + rng.integers(1, len(levels.ROLES), size)) % len(levels.ROLES)
    step = 1 - draw_levels(
        (market.reach_share, 1 - market.reach_share - market.safety_share, market.safety_share), size, rng
    )
    seniority = np.clip(population.seniority[person] + step, 0, len(levels.SENIORITIES) - 1)
    age = np.minimum(rng.exponential(market.posting_age_mean, size), OLDEST_POSTING - 1.0)
    day = np.floor(days - age).astype(np.int64) + OLDEST_POSTING
    slot = rng.integers(0, postings.slots, size)
    posting = postings.find(day, np.where(home, population.role[person], other), seniority, slot)
    return posting, 1 - (seniority - population.seniority[person])


def _draw_match(
    market: Market,
    population: Population,
    person: Ints,
    *,
    policy: Ints,
    distance: Ints,
    rng: np.random.Generator,
) -> Floats:
    size = len(person)
    common = population.fit[person] + np.take(market.policy_fit_points, policy)
    common = (market.fit_mean + common + market.fit_common_sd * rng.standard_normal(size)) / 100
    parts = common + market.fit_part_sd / 100 * rng.standard_normal((4, size))
    # One's own level matches better, the next one worse; the mean over people stays near fit_mean.
    parts[1] += 0.06 - 0.16 * distance
    return np.asarray(np.round(np.clip(parts, 0.0, 1.0), 3), dtype=np.float64)


def _choose_channels(market: Market, policy: Ints, rng: np.random.Generator) -> Ints:
    shares = np.array(market.channel_shares) * np.array(market.channel_tilts)
    edges = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    drawn = rng.random(len(policy))
    channel = np.zeros(len(policy), dtype=np.int64)
    for edge in edges.T:
        channel += drawn > edge.take(policy)
    return channel


def _choose_locations(market: Market, region: Ints, rng: np.random.Generator) -> Ints:
    size = len(region)
    abroad = np.where(rng.random(size) < market.abroad_share, rng.integers(1, len(levels.REGIONS), size), 0)
    return np.where(
        rng.random(size) < market.remote_share, len(levels.REGIONS), (region + abroad) % len(levels.REGIONS)
    )


def _choose_tailoring(
    market: Market, quality: Floats, fit: Floats, *, policy: Ints, rng: np.random.Generator
) -> Bools:
    if market.tailored_at_random:
        return draw_decisions(np.zeros(len(quality)), rng)
    return draw_decisions(
        market.tailored_intercept
        + market.tailored_quality_pull * quality / max(market.quality_sd, 1e-9)
        + market.tailored_fit_pull * (fit - 62.0) / 15.0
        + np.take(market.tailored_policy_pull, policy),
        rng,
    )
