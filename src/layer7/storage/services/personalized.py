"""One person's settings, put together from what was learned, what she wishes and what she allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from sqlalchemy import select

from layer7.configuration import ConfigVersion
from layer7.contract.evidence import Lineage
from layer7.contract.personalization import PersonalizedConfig
from layer7.contract.vocabulary import Component, Purpose
from layer7.errors import Layer7Error
from layer7.insights.facts import Detail, Manner, Tone
from layer7.personalization.config import Person, moves, personalized_config, value_of
from layer7.personalization.values import Usual
from layer7.personalization.wishes import PARAMETERS
from layer7.storage.database.schema import consents
from layer7.storage.decisions.own_rules import person_of
from layer7.storage.home import Home
from layer7.storage.services.feedback import open_preferences
from layer7.storage.services.patterns import PREFERENCES
from layer7.storage.services.people import last_night


def usual_values(version: ConfigVersion) -> Usual:
    """Give everybody's values of what a person may have of her own.

    Args:
        version: the settings of Layer 5 in force.

    Raises:
        Layer7Error: ``wrong_type`` for a setting that is no number.
    """
    numbers = {}
    for name, field in (
        ("pace", "optimal_applications_per_week"),
        ("fit", "min_fit_score_to_apply"),
        ("follow_up", "follow_up_timing_days"),
    ):
        value = version.value(PARAMETERS[field])
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Layer7Error("wrong_type", f"{PARAMETERS[field]} is no number.", "Roll the settings back.")
        numbers[name] = float(value)
    return Usual(**numbers)


@dataclass(frozen=True, slots=True)
class Personalized:
    """The settings of people of an installation.

    Args:
        home: the installation.
    """

    home: Home

    def of(self, user_id: str) -> PersonalizedConfig | None:
        """Give a person's settings, as she allows now; None for somebody unknown.

        Args:
            user_id: the person, in the caller's own id.

        Raises:
            Layer7Error: ``no_night`` before the first night.
        """
        run, person = last_night(self.home), self.home.keys.person(user_id)
        if not self.home.keys.user_ids([person]):
            return None
        end = datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1)
        return personalized_config(
            user_id,
            self.person(person),
            self.usual(),
            as_of=end.isoformat(),
            lineage=Lineage(run_id=str(run.id), log_to=end.isoformat()),
        )

    def usual(self) -> Usual:
        """Give everybody's values, as they are in force."""
        return usual_values(self.home.configs.active(Component.ORCHESTRATOR))

    def person(self, person: str) -> Person:
        """Give what is known of a person's settings.

        Args:
            person: her pseudonym.
        """
        found = person_of(self.home.personal, self.home.consents, person)
        if found.level != "full":
            return found
        rows = self.home.warehouse.rows_of(PREFERENCES, person, self.home.keys.bucket(person))
        said: Mapping[str, tuple[str, ...]] = open_preferences(rows[0], self.home.keys) if rows else {}
        return Person(level=found.level, kept=found.kept, wishes=found.wishes, said=said)

    def everybody(self) -> Mapping[str, Person]:
        """Give the settings of all who let themselves be learned of, at once."""
        home = self.home
        kept, wishes = home.personal.kept(), home.personal.everybodys_wishes()
        refusing = set(home.consents.refusing(Purpose.PERSONALISATION))
        found = {
            person: Person(level="standard", kept=kept.get(person), wishes=wishes.get(person, {}))
            for person in (kept.keys() | wishes.keys()) - refusing
        }
        with home.state.read() as connection:
            words = select(consents.c.person).where(consents.c.value == "full").distinct()
            open_to_more = set(connection.execute(words).scalars()) & found.keys()
        return found | {person: self.person(person) for person in sorted(open_to_more)}


def told_as(person: Person, usual: Usual) -> Manner:
    """Give how a person likes to be told.

    Args:
        person: what is known of her settings.
        usual: everybody's values.
    """
    tone, detail = (
        value_of(name, person, usual).value for name in ("coach_tone_preference", "preferred_detail_level")
    )
    manner = Manner()
    return Manner(
        tone=next((each for each in get_args(Tone) if each == tone), manner.tone),
        detail=next((each for each in get_args(Detail) if each == detail), manner.detail),
    )


def aim_of(person: Person, usual: Usual) -> tuple[float | None, bool]:
    """Give how many applications a week a person aims for, and whether that is her own word.

    What is learned counts once it has come to what she does: while it moves there a step a day it is neither
    hers nor everybody's.

    Args:
        person: what is known of her settings.
        usual: everybody's values.
    """
    found = value_of("optimal_applications_per_week", person, usual)
    chosen = found.origin == "chosen"
    if not isinstance(found.value, int | float) or (moves(found) and not chosen):
        return None, False
    return float(found.value), chosen
