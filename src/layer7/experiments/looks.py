"""When an experiment is looked at, what each look may spend, and what the looks so far have proven."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from layer7.contract.effects import Arm, Look
from layer7.contract.experiments import Experiment
from layer7.statistics.trials import Guarantee, Looking

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How one comparison of an experiment is looked at on a night.

    Args:
        looking: the way of looking, with earlier looks; this one is added by the comparison.
        units: of both arms so far.
        planned: units of both arms at the planned end.
        number: planned looks; None where every night is one.
        past: looks so far.
        is_due: whether this night is a look.
        is_last: whether this night is the planned end.
        share: of the planned time that has passed.
    """

    looking: Looking
    units: int
    planned: float
    number: int | None
    past: tuple[Look, ...]
    is_due: bool
    is_last: bool
    share: float

    @property
    def is_complete(self) -> bool:
        """Whether the last planned look has been taken."""
        return self.number is not None and _is_over(self.past, self.number)

    @property
    def standing(self) -> Arm | None:
        """What an earlier look has proven."""
        return next((look.winner for look in self.past if look.winner is not None), None)

    @property
    def next_share(self) -> float | None:
        """Share of the planned time at which the next look is due; None where none is planned."""
        if self.number is None or self.is_complete:
            return None
        return min((int(self.share * self.number + ROUNDING) + 1) / self.number, 1.0)

    def knowing(self, information: float) -> Looking:
        """Give the way of looking with this night's information; only a group sequential test counts looks.

        Alpha is spent by the planned time, which no outcome can hurry; how looks hang together follows from
        what was known at each. Information falls where people withdraw or variance turns out larger: an
        earlier look cannot have known more than is known now, nor less than one before it.

        Args:
            information: of this night, not negative.
        """
        if self.looking.guarantee is not Guarantee.GROUP_SEQUENTIAL or information <= 0:
            return self.looking
        known = accumulate((look.information for look in self.past), max)
        earlier = tuple(min(seen, information) for seen in known)
        now = 1.0 if self.is_last else max([self.share, *(look.share for look in self.past)])
        spending = (*(look.share for look in self.past), now)
        return replace(self.looking, planned=None, looks=(*earlier, information), spending=spending)


def planned_units(experiment: Experiment, variant: str, control: str) -> float:
    """Give the units of control and one treatment at the planned end, when both have the minimum.

    Args:
        experiment: its plan.
        variant: the treatment.
        control: the control.

    Example:
        >>> from layer7.experiments.plan import specified
        >>> planned_units(specified(0), "treatment", "control")
        400.0
    """
    shares = [each.allocation for each in experiment.variants if each.variant_id in {variant, control}]
    return experiment.minimum_sample_size * sum(shares) / min(shares)


def planned_end(experiment: Experiment) -> datetime | None:
    """Give when an experiment ends at the latest; None before it has started."""
    if experiment.start_date is None:
        return None
    latest = datetime.fromisoformat(experiment.start_date) + timedelta(days=experiment.maximum_duration_days)
    end = datetime.fromisoformat(experiment.end_date) if experiment.end_date else latest
    return min(latest, end if end.tzinfo else end.replace(tzinfo=latest.tzinfo))


def share_of_time(experiment: Experiment, as_of: datetime) -> float:
    """Give how much of the planned time of an experiment has passed by a night, 0 to 1.

    Args:
        experiment: its plan.
        as_of: the end of the night.
    """
    end = planned_end(experiment)
    if end is None or experiment.start_date is None:
        return 0.0
    began = datetime.fromisoformat(experiment.start_date)
    began = began if began.tzinfo else began.replace(tzinfo=end.tzinfo)
    whole = (end - began).total_seconds()
    return min(max((as_of - began).total_seconds() / whole, 0.0), 1.0) if whole > 0 else 1.0


def schedule(
    experiment: Experiment, units: int, *, planned: float, past: tuple[Look, ...], share: float
) -> Schedule:
    """Tell whether a night is a look, and under which way of looking its results are read.

    A group sequential test has its planned looks at equal steps of the planned time, a fixed one has a
    single look at its end. Steps that were missed are not made up for. At any time means every night. Time is
    the clock and not units: people go on applying after they came in, so all units may be there in the first
    week while most of what they will tell is still to come.

    Args:
        experiment: its plan.
        units: of both arms so far.
        planned: units of both arms at the planned end.
        past: looks before this night.
        share: of the planned time that has passed, 0 to 1.

    Source:
        Lan and DeMets (1989), Statistics in Medicine 8:1191-1198: alpha may be spent by calendar time.
    """
    alpha = experiment.alpha / (len(experiment.variants) - 1)
    guarantee = Guarantee(experiment.looking)
    anytime = guarantee is Guarantee.ANYTIME
    number = None if anytime else experiment.looks if guarantee is Guarantee.GROUP_SEQUENTIAL else 1
    is_last = share >= 1
    due = units > 0
    if number is not None:
        step = int(share * number + ROUNDING)
        taken = max((int(look.share * number + ROUNDING) for look in past), default=0)
        due = due and step > taken and not _is_over(past, number)
    return Schedule(
        looking=Looking(guarantee=guarantee, alpha=alpha, planned=planned if anytime else None),
        units=units,
        planned=planned,
        number=number,
        past=() if anytime else past,
        is_due=due,
        is_last=is_last,
        share=share,
    )


def _is_over(past: tuple[Look, ...], number: int) -> bool:
    return len(past) >= number or bool(past and past[-1].is_last)
