"""When an experiment is looked at, what each look may spend, and what the looks so far have proven."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from layer7.contract.effects import Arm, Look
from layer7.contract.experiments import Experiment
from layer7.statistics.trials import Guarantee, Looking


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
    """

    looking: Looking
    units: int
    planned: float
    number: int | None
    past: tuple[Look, ...]
    is_due: bool

    @property
    def is_complete(self) -> bool:
        """Whether the last planned look has been taken."""
        return self.number is not None and _is_over(self.past, self.planned, self.number)

    @property
    def standing(self) -> Arm | None:
        """What an earlier look has proven."""
        return next((look.winner for look in self.past if look.winner is not None), None)

    @property
    def next_units(self) -> float | None:
        """Units at which the next look is due; None where every night is one, or none is left."""
        if self.number is None or self.is_complete:
            return None
        return self.planned * min((len(self.past) + 1) / self.number, 1.0)


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


def schedule(
    experiment: Experiment, units: int, *, planned: float, past: tuple[Look, ...], is_last: bool
) -> Schedule:
    """Tell whether a night is a look, and under which way of looking its results are read.

    A group sequential test has its planned looks at equal steps of the planned units, a fixed one has a
    single look at their end; both have the last look at the planned end of time, whatever has come. At any
    time means every night.

    Args:
        experiment: its plan.
        units: of both arms so far.
        planned: units of both arms at the planned end.
        past: looks before this night.
        is_last: whether the planned end of time has come.

    Source:
        Lan and DeMets (1983), Biometrika 70:659-663: looks may come at any information.
    """
    alpha = experiment.alpha / (len(experiment.variants) - 1)
    guarantee = Guarantee(experiment.looking)
    if guarantee is Guarantee.ANYTIME:
        looking = Looking(guarantee=guarantee, alpha=alpha, planned=planned)
        return Schedule(looking=looking, units=units, planned=planned, number=None, past=(), is_due=units > 0)
    number = experiment.looks if guarantee is Guarantee.GROUP_SEQUENTIAL else 1
    over = _is_over(past, planned, number)
    reached = units >= planned * (len(past) + 1) / number or (is_last and units > 0)
    # At the planned end of time no more units will come: what has come is all the information there is.
    whole = min(planned, float(units)) if (is_last or over) and units else planned
    # Units become fewer when people withdraw: an earlier look cannot have seen more than there is now.
    earlier = tuple(min(look.units, float(units)) for look in past) if units else ()
    if guarantee is Guarantee.FIXED:
        earlier = ()
    looking = Looking(guarantee=guarantee, alpha=alpha, planned=whole, looks=earlier)
    grown = not past or units > past[-1].units
    return Schedule(
        looking=looking,
        units=units,
        planned=planned,
        number=number,
        past=past,
        is_due=reached and grown and not over,
    )


def _is_over(past: tuple[Look, ...], planned: float, number: int) -> bool:
    return len(past) >= number or bool(past and (past[-1].units >= planned or past[-1].is_last))
