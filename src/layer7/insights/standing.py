"""How a person fares, and where that is among similar people; of few applications, how little is known."""

from layer7.contract.fields import FrozenDict
from layer7.contract.insights import InsightFinding, InsightSentence
from layer7.insights.facts import Rated, Standing
from layer7.insights.sentences import LEVEL
from layer7.insights.words import EVERY_KIND, about, counted, percent, plain, span

FEW = 10
"""Of fewer applications no rate of her own is told, only how little is known of it."""

WIDEST = 80.0
"""A place among others that is known less well than this, in points of percent, is not told."""


def standing_sentence(rated: Rated, standing: Standing | None) -> InsightSentence:
    """Say how she fares, and where that is among similar people if they are enough."""
    text = _rate_words(rated)
    facts = {"interviews": float(rated.events), "seen": rated.seen}
    if standing is None:
        text += " There are not enough similar people yet to compare you with."
    else:
        (place, low, high), (mean, least, most) = standing.percentile, standing.mean
        text += f" {_among(standing, placed=rated.n >= FEW)}."
        facts |= {"people": float(standing.people), "mean": mean, "mean_low": least, "mean_high": most}
        facts |= {"percentile": place, "percentile_low": low, "percentile_high": high}
    found = InsightFinding(
        kind="standing",
        about="her interview rate" if standing is None else plain(standing.segment_id),
        metric="interview_rate",
        value=rated.value,
        interval=(rated.low, rated.high),
        level=LEVEL,
        n=rated.n,
        basis="own",
        source="weeks",
        facts=FrozenDict(facts),
    )
    return InsightSentence(part="vs_similar_users", text=text, finding=found)


def _among(standing: Standing, *, placed: bool) -> str:
    """Say what is usual among similar people, and where she is among them."""
    people, (mean, least, most) = f"{standing.people:,} people {_like(standing.who)}", standing.mean
    _, low, high = standing.percentile
    if placed and high - low > WIDEST:
        return (
            f"Of {people} the mean is only known to be {span(least, most)}: "
            "where you are among them cannot be told yet"
        )
    place = _place_words(standing) if placed else ""
    return f"Among {people} the mean is {percent(mean)} ({span(least, most)}){place}"


def _like(who: str) -> str:
    return who if who == EVERY_KIND else f"like you ({who})"


def _rate_words(rated: Rated) -> str:
    heard = f"{counted(rated.events, 'interview')} so far"
    if rated.n < FEW:
        return (
            f"After {counted(rated.n, 'application')} ({heard}) your own interview rate may still be "
            f"anywhere from {span(rated.low, rated.high)} (95 % interval)."
        )
    return (
        f"{about(rated.value)} of your applications lead to an interview "
        f"({span(rated.low, rated.high)}, 95 % interval; n = {rated.n:,}, {heard})."
    )


def _place_words(standing: Standing) -> str:
    """Say ahead of how many she is; that of all of them nobody knows."""
    place, low, high = standing.percentile
    if place >= 99.5:
        ahead = "; you are ahead of nearly all of them"
    elif place < 0.5:
        ahead = "; nearly all of them are ahead of you"
    else:
        ahead = f"; you are ahead of about {place:.0f} % of them"
    if f"{low:.0f}" == f"{high:.0f}":
        return ahead
    return f"{ahead}, by what is known anywhere from {low:.0f} to {high:.0f} %"
