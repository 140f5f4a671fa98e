"""The default market has the moments that were published for it.

A band is the published number, give or take three Monte-Carlo standard deviations of a market of 2,000
people (measured over 24 other seeds) and half a unit of the last digit printed. The quantiles of the
users' true rates and their intraclass correlation get 20 %: the published ones leave nobody out, while here
people who accept an offer leave, so that the same rate per application goes with a higher rate per person.
"""

from datetime import date

import numpy as np
import pytest

from layer7.simulation import Market, simulate

PEOPLE, WEEKS = 2_000, 12


@pytest.fixture(scope="module")
def history():
    return simulate(
        Market(), people=PEOPLE, weeks=WEEKS, start=date(2026, 3, 2), rng=np.random.default_rng(4)
    )


@pytest.fixture(scope="module")
def sent(history):
    return history.applications.filter(history.applications["submitted"])


def named(table, column):
    return table[column].to_numpy(zero_copy_only=False)


def test_interview_rate(sent):
    assert sent["interviewed"].to_numpy().mean() == pytest.approx(0.043, abs=0.0035)


def test_answers(sent):
    end = named(sent, "end")
    assert np.mean(end == "rejected") == pytest.approx(0.347, abs=0.0065)
    assert np.mean(end == "silent") == pytest.approx(0.610, abs=0.0071)


def rates(sent):
    person = sent["person"].to_numpy()
    count = np.bincount(person, minlength=PEOPLE)
    chance = np.bincount(person, sent["probability"].to_numpy(), minlength=PEOPLE)
    return (chance / np.maximum(count, 1))[count >= 10]


def test_rates_of_users(sent):
    assert np.quantile(rates(sent), [0.1, 0.5, 0.9]) == pytest.approx([0.008, 0.031, 0.091], rel=0.20)


def test_intraclass_correlation(sent):
    mean = sent["interviewed"].to_numpy().mean()
    assert np.var(rates(sent)) / (mean * (1 - mean)) == pytest.approx(0.041, rel=0.20)


def test_delays(sent):
    interview, decision = sent["interview_days"].to_numpy(), sent["decision_days"].to_numpy()
    first = np.where(np.isnan(interview), decision, interview)
    days = np.array([7, 14, 30, 60])
    answered = [np.mean(first[~np.isnan(first)] <= day) for day in days]
    invited = [np.mean(interview[~np.isnan(interview)] <= day) for day in days]
    assert answered == pytest.approx([0.45, 0.62, 0.78, 0.89], abs=0.012)
    assert invited == pytest.approx([0.59, 0.74, 0.87, 0.94], abs=0.020)


def test_channels(sent):
    channel, interviewed = named(sent, "channel"), sent["interviewed"].to_numpy()
    published = {"easy_apply": 0.033, "job_board": 0.045, "company_page": 0.063, "referral": 0.120}
    bands = {"easy_apply": 0.0026, "job_board": 0.0050, "company_page": 0.0074, "referral": 0.0164}
    shares = {"easy_apply": 0.60, "job_board": 0.25, "company_page": 0.10, "referral": 0.05}
    for name, rate in published.items():
        assert interviewed[channel == name].mean() == pytest.approx(rate, abs=bands[name])
        assert np.mean(channel == name) == pytest.approx(shares[name], abs=0.02)


def test_applications_in_twelve_weeks_of_search(history, sent):
    """People who leave earlier count by the weeks in which they searched, from four weeks on."""
    left = history.people["left_local"].to_numpy()
    weeks = np.where(np.isnat(left), 12.0, (left - np.datetime64("2026-03-02")) / np.timedelta64(7, "D"))
    count = np.bincount(sent["person"].to_numpy(), minlength=PEOPLE)
    long = weeks >= 4
    quantiles = np.quantile(12 * count[long] / weeks[long], [0.1, 0.5, 0.9])
    assert quantiles == pytest.approx([25, 71, 196], rel=0.09)


def test_tailoring_looks_twice_as_good_as_it_is(sent):
    tailored, interviewed = sent["tailoring_applied"].to_numpy(), sent["interviewed"].to_numpy()
    ratio = interviewed[tailored].mean() / interviewed[~tailored].mean()
    assert ratio == pytest.approx(2.12, abs=0.22)


def test_offers(sent):
    """About 8 % of interviews, times exp(0.3 quality): those interviewed are better than most."""
    end, interviewed = named(sent, "end"), sent["interviewed"].to_numpy()
    offered = np.isin(end, ["accepted", "declined"])
    assert offered.sum() / interviewed.sum() == pytest.approx(0.095, abs=0.0105)
    assert np.mean(end[offered] == "accepted") == pytest.approx(0.8, abs=0.06)


def test_brier_scores(sent):
    """Of the base rate and of the truth itself, which knows the dead postings."""
    chance, rate = sent["probability"].to_numpy(), sent["interviewed"].to_numpy().mean()
    assert rate * (1 - rate) == pytest.approx(0.0413, abs=0.003)
    assert np.mean(chance * (1 - chance)) == pytest.approx(0.0335, abs=0.0025)
