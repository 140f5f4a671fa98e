"""What a person does with suggestions, again and again: what she accepts, rejects, and how she edits."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from layer7.contract.vocabulary import EventType
from layer7.statistics.many.discoveries import bayesian_fdr
from layer7.statistics.rates.shares import share_above

MOST = 2 / 3
"""What is done with at least two of three is typical."""

OFTEN = 0.2
"""A word that stands in at least a fifth of the reasons is a reason again and again."""

LEAST_TIMES = 3
LEAST_PROBABILITY = 0.9
LARGEST_FDR = 0.10
USUAL_WORD = 0.05
LENGTH_KEPT = 0.10

ACCEPTED, EDITED, REJECTED = (
    str(kind)
    for kind in (
        EventType.SUGGESTION_ACCEPTED,
        EventType.SUGGESTION_EDITED,
        EventType.SUGGESTION_REJECTED,
    )
)
_WORD = re.compile(r"[^\W\d_][\w+#'-]*[\w+#]")
_FILLERS: Collection[str] = frozenset(
    word
    for line in (
        "a about all also am an and any are as at be because but by can cannot do does don't for from get",
        "had has have i i'm if in into is isn't it its it's job jobs just like me more much my no not of",
        "on one only or our out please position role so some than that the their them there they this to",
        "too up us very want was we what when which while will with without work would you your",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person did with one suggestion.

    Args:
        person: whose it was.
        kind: what was suggested, such as rewrite.
        decision: :data:`ACCEPTED`, :data:`EDITED` or :data:`REJECTED`.
        lengths: characters of what was suggested and of what it became; None where one is not known.
        reason: why it was rejected, in her words.
    """

    person: str
    kind: str
    decision: str
    lengths: tuple[int, int] | None = None
    reason: str | None = None


def edit_kind(before: int, after: int) -> str:
    """Say what an edit did to the length: less than a tenth of it is kept.

    Example:
        >>> edit_kind(100, 60), edit_kind(100, 105), edit_kind(0, 3)
        ('shortens', 'keeps the length of', 'lengthens')
    """
    if abs(after - before) <= LENGTH_KEPT * before:
        return "keeps the length of"
    return "shortens" if after < before else "lengthens"


def reason_words(reason: str) -> frozenset[str]:
    """Give the words of a reason that say something.

    Example:
        >>> sorted(reason_words("I do not want on-call, nor on-call weekends"))
        ['nor', 'on-call', 'weekends']
    """
    return frozenset(word for word in _WORD.findall(reason.casefold()) if word not in _FILLERS)


@dataclass(frozen=True, slots=True)
class _Share:
    """A habit that may be typical: how often, of how often it could have been."""

    person: str
    field: str
    words: str
    events: int
    n: int
    line: float
    usual: float = 0.5


def preferences(said: Sequence[Said]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Give what is typical of each person, by field of the contract.

    A habit is told if it came at least 3 times, P(its share > line) > 0.9, and the mean of 1 - P over all
    that is told is at most 10 %. The line is two thirds for what is accepted, rejected and how it is edited,
    and a fifth for the words of reasons; the share is shrunk to that of all people.

    Args:
        said: what people did with suggestions, in any order.

    Returns:
        By person and field, the most certain first; people without any are left out.
    """
    shares = [*_decisions(said), *_edits(said), *_reasons(said)]
    if not shares:
        return MappingProxyType({})
    events, n, line, usual = np.array([(s.events, s.n, s.line, s.usual) for s in shares], np.float64).T
    chance = share_above(events, n, line, usual=usual)
    likely = (chance > LEAST_PROBABILITY) & (events >= LEAST_TIMES)
    likely[likely] = bayesian_fdr(1 - chance[likely], LARGEST_FDR)
    told: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    order = sorted(np.flatnonzero(likely), key=lambda at: (-chance[at], shares[at].words))
    for share in (shares[at] for at in order):
        told[share.person][share.field].append(share.words)
    return MappingProxyType(
        {person: {name: tuple(words) for name, words in fields.items()} for person, fields in told.items()}
    )


def _decisions(said: Sequence[Said]) -> Iterator[_Share]:
    """How often each kind of suggestion is accepted, edited or not, and how often rejected."""
    counted = Counter((one.person, one.kind, one.decision == REJECTED) for one in said)
    everybody = Counter((one.kind, one.decision == REJECTED) for one in said)
    for person, kind in sorted({(person, kind) for person, kind, _ in counted}):
        yes, no = counted[person, kind, False], counted[person, kind, True]
        usual = everybody[kind, True] / (everybody[kind, False] + everybody[kind, True])
        for name, events, share, done in (
            ("acceptance_patterns", yes, 1 - usual, "accepted"),
            ("rejection_patterns", no, usual, "rejected"),
        ):
            words = f"{kind} suggestions ({events} of {yes + no} {done})"
            yield _Share(person, name, words, events, yes + no, MOST, share)


def _edits(said: Sequence[Said]) -> Iterator[_Share]:
    """What edits do to the length, by kind of suggestion."""
    known = [
        (one.person, one.kind, edit_kind(*one.lengths))
        for one in said
        if one.decision == EDITED and one.lengths is not None
    ]
    counted, total = Counter(known), Counter((person, kind) for person, kind, _ in known)
    usual, every = Counter(edit for _, _, edit in known), len(known)
    for (person, kind, edit), events in sorted(counted.items()):
        n = total[person, kind]
        words = f"{edit} {kind} suggestions ({events} of {n} edits)"
        yield _Share(person, "typical_edit_patterns", words, events, n, MOST, usual[edit] / every)


def _reasons(said: Sequence[Said]) -> Iterator[_Share]:
    """Which words come back in a person's reasons, where they are not everybody's."""
    reasons = [
        (one.person, reason_words(one.reason)) for one in said if one.decision == REJECTED and one.reason
    ]
    total = Counter(person for person, _ in reasons)
    counted = Counter((person, word) for person, words in reasons for word in words)
    for (person, word), events in sorted(counted.items()):
        yield _Share(person, "rejection_patterns", word, events, total[person], OFTEN, USUAL_WORD)
