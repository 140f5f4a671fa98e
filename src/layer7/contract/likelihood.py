"""How likely an interview is: the model in use, term by term, and what tests say of it (section 11.4)."""

from typing import Literal

from pydantic import ConfigDict, Field

from layer7.contract.base import Contract
from layer7.contract.evidence import Explained, Lineage
from layer7.contract.fields import Interval, NonNegative, Whole
from layer7.contract.shapes import Fraction, Identifier, Moment


class LikelihoodTerm(Contract):
    """One term of the log odds of an interview, for everybody."""

    property: str = Field(description="What of the job or the application, such as channel.")
    level: str | None = Field(description="Which level of it; null for the slope of a number.")
    log_odds: float = Field(
        description="Added to the log odds, against an average application; of a slope, per unit."
    )
    interval: Interval = Field(description="Its 95 % interval.")
    odds_ratio: NonNegative = Field(description="The same as a factor on the odds.")
    n: Whole | None = Field(description="Applications that it is learned from; null for a slope.")


class PromisedTenth(Contract):
    """A tenth of the tested applications by promised chance."""

    promised: Fraction = Field(description="Mean promised chance.")
    came: Fraction | None = Field(description="Interviews / effective applications.")
    events: NonNegative = Field(description="Interviews.")
    n: NonNegative = Field(description="Effective applications: silence counts as far as it was seen.")


class LikelihoodTest(Contract):
    """What came of promises for applications that were sent after those the model was learned from."""

    tested_from: Moment = Field(description="Applications sent from then on were held out.")
    n: Whole = Field(description="How many applications.")
    events: Whole = Field(description="Interviews among them.")
    came_to_promised: NonNegative | None = Field(
        description="Interviews that came / were promised; 1 is perfect; null below 20 interviews."
    )
    came_to_promised_interval: Interval | None = Field(description="Its interval, people as clusters.")
    slope: float | None = Field(
        description="Of outcomes on promised log odds; below 1 promises are too extreme; null when unknown."
    )
    slope_interval: Interval | None = Field(description="Its interval, people as clusters.")
    calibration_error: NonNegative = Field(description="Mean gap over tenths, in rate.")
    tenths: tuple[PromisedTenth, ...] = Field(
        description="Promised and came, from the lowest to the highest."
    )
    within_user_auc: Fraction | None = Field(
        description="Chance that an interview has a higher promise than another application of the same "
        "person; null when unknown."
    )
    within_user_auc_of_fit: Fraction | None = Field(description="The same for the fit score alone.")
    within_user_gain: float | None = Field(description="The difference of both.")
    within_user_gain_interval: Interval | None = Field(description="Its interval, people as clusters.")
    personal_gain: float | None = Field(
        description="Of the area within persons, by what is learned of single persons; null when unknown."
    )
    personal_gain_interval: Interval | None = Field(description="Its interval, people as clusters.")


class LikelihoodVerdict(Contract):
    """What was decided about a challenger."""

    version: Identifier = Field(description="The challenger.")
    champion: Identifier = Field(description="The model in use when it was judged.")
    adopted: bool = Field(description="Whether it came into use.")
    reason: str = Field(description="Why, in words.")
    loss_gain: float | None = Field(
        description="Share of the champion's loss that it saves on the same applications; null when unknown."
    )
    loss_gain_interval: Interval | None = Field(description="Its interval, people as clusters.")
    test: LikelihoodTest | None = Field(description="How it did; null while there are too few interviews.")


class LikelihoodMove(Contract):
    """A step in the history of the models."""

    id: Whole = Field(description="Its number; later steps have higher ones.")
    kind: Literal["adopt", "refuse", "rollback", "release"] = Field(description="What was done.")
    version: Identifier = Field(description="The model that it was done to.")
    previous: Identifier = Field(description="The model in use before.")
    at: Moment = Field(description="When.")
    actor: str = Field(description="Who did it; layer7 for the night.")
    why: str = Field(description="The reason.")


class Likelihood(Explained):
    """The model of the chance of an interview that is in use, with all its terms."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": "m18e10139128a",
                    "since": "2026-03-31T02:10:00+00:00",
                    "held": False,
                    "trained_to": "2026-03-31T00:00:00+00:00",
                    "n": 29_351,
                    "events": 1_068,
                    "people": 400,
                    "usual_chance": 0.036,
                    "spread_between_people": 0.58,
                    "personal": True,
                    "terms": [
                        {
                            "property": "channel",
                            "level": "referral",
                            "log_odds": 1.24,
                            "interval": [1.07, 1.41],
                            "odds_ratio": 3.46,
                            "n": 1_608,
                        }
                    ],
                    "verdict": None,
                }
            ]
        }
    )

    version: Identifier = Field(description="Name of the model, a hash of its content.")
    since: Moment | None = Field(description="When it came into use; null for the one before any log.")
    held: bool = Field(description="Whether it was rolled back to, so that nights adopt nothing.")
    trained_to: Moment | None = Field(description="Applications sent until then are in it; null for none.")
    n: Whole = Field(description="Applications that it is learned from (of a sample of people).")
    events: Whole = Field(description="Interviews among them.")
    people: Whole = Field(description="People among them.")
    usual_chance: Fraction = Field(description="Of somebody unknown, for an average job.")
    spread_between_people: NonNegative = Field(description="Standard deviation of people's own log odds.")
    personal: bool = Field(description="Whether leanings of single persons to levels are used.")
    terms: tuple[LikelihoodTerm, ...] = Field(description="Everybody's terms.")
    verdict: LikelihoodVerdict | None = Field(description="What was decided about the latest challenger.")
    lineage: Lineage | None = Field(default=None, description="The night that learned it.")
