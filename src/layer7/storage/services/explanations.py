"""What was learned of a person, and where a served setting came from: walked back to the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from layer7.configuration import Resolution, canonical_json, parameter
from layer7.contract.evidence import Lineage
from layer7.contract.learned import LearnedItem, LearnedOfPerson, Origin, SettingExplained
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.insights.explaining import learned_items
from layer7.personalization.config import LEARNING
from layer7.personalization.wishes import forgotten
from layer7.storage.database.runs import Run
from layer7.storage.decisions.configs import Move
from layer7.storage.home import Home
from layer7.storage.services.letters import Letters
from layer7.storage.services.people import last_night
from layer7.storage.services.personalized import Personalized

_NIGHTS = 10_000


@dataclass(frozen=True, slots=True)
class Explanations:
    """The explanations of an installation.

    Args:
        home: the installation.
    """

    home: Home

    def learned(self, user_id: str) -> LearnedOfPerson | None:
        """Give everything that was learned of a person, as she allows now; None for somebody unknown.

        Args:
            user_id: the person, in the caller's own id.

        Raises:
            Layer7Error: ``no_night`` before the first night.
        """
        run, config = last_night(self.home), Personalized(self.home).of(user_id)
        if config is None:
            return None
        end = datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1)
        letter = Letters(self.home).at_length(user_id) if config.consent in LEARNING else None
        wishes = self.home.personal.wishes(self.home.keys.person(user_id))
        return LearnedOfPerson(
            user_id=user_id,
            consent=config.consent,
            paused=config.paused,
            items=tuple(learned_items(config, letter)),
            forgotten=tuple(sorted(forgotten(wishes))),
            as_of=end.isoformat(),
            lineage=Lineage(run_id=str(run.id), log_to=end.isoformat()),
        )

    def item(self, user_id: str, key: str) -> LearnedItem | None:
        """Give one thing that was learned of a person; None for somebody unknown.

        Args:
            user_id: the person, in the caller's own id.
            key: its name.

        Raises:
            Layer7Error: ``not_learned`` with the names there are; ``no_night``.
        """
        found = self.learned(user_id)
        if found is None:
            return None
        for each in found.items:
            if each.key == key:
                return each
        names = ", ".join(each.key for each in found.items) or "nothing yet"
        raise Layer7Error("not_learned", f"Nothing is learned under {key[:80]!r}.", f"There is: {names}.")

    def setting(self, key: str, user_id: str | None = None) -> SettingExplained:
        """Walk from what is served of a setting back to the range of the log.

        Args:
            key: the setting.
            user_id: to whom it is served; None for nobody in particular.

        Raises:
            Layer7Error: ``unknown_parameter``.
        """
        served = self.home.serving.evaluate(key, component=None, targeting_key=user_id)
        return SettingExplained(key=key, value=served.value, steps=tuple(self._steps(served, user_id)))

    def _steps(self, served: Resolution, user_id: str | None) -> Iterator[Origin]:
        facts = dict(served.metadata)
        yield Origin(
            step="served",
            name=served.key,
            words=f"{canonical_json(served.value)} with variant {served.variant or 'none'}, reason "
            f"{served.reason.value}.",
        )
        if facts.get("personalized") is True and user_id is not None:
            yield from self._own(served, chosen=facts.get("origin") == "chosen")
            return
        if "experimentId" in facts:
            name = str(facts["experimentId"])
            found = self.home.experiments.get(name)
            yield Origin(step="experiment", name=name, words=f"{found.name}: {found.hypothesis}")
        yield from self._everybodys(served.key)

    def _own(self, served: Resolution, *, chosen: bool) -> Iterator[Origin]:
        n = served.metadata.get("sampleSize", 0)
        learned = f"Learned from what she does, {n} observations; one step a day at most."
        words = "She chose it herself." if chosen else learned
        changed = served.metadata.get("changed")
        yield Origin(step="own", name=served.key, at=None if changed is None else str(changed), words=words)
        if not chosen:
            yield from self._run(last_night(self.home))

    def _everybodys(self, key: str) -> Iterator[Origin]:
        component = parameter(key).component
        version, move = self.home.configs.current(component)
        origin = self.home.configs.origin(component, key)
        yield Origin(
            step="version",
            name=version.version,
            at=None if move is None else move.at,
            words=f"The settings of {component.value} in force.",
        )
        if origin is None:
            yield Origin(
                step="move", name="baseline", words="The catalogue's default: nobody has changed it."
            )
            return
        yield Origin(step="move", name=origin.kind, at=origin.at, words=_moved(origin))
        if origin.recommendation_id is not None:
            yield from self._recommendation(origin.recommendation_id, component)

    def _recommendation(self, name: str, component: Component) -> Iterator[Origin]:
        for decision in self.home.recommendations.decisions(name):
            words = f"{decision.action} by {decision.actor}{f': {decision.why}' if decision.why else ''}"
            yield Origin(step="decision", name=decision.action, at=decision.at, words=words)
        found = self.home.recommendations.get(name)
        yield Origin(
            step="recommendation",
            name=name,
            at=found.created_at,
            words=f"{component.value}.{found.parameter}: {found.reasoning}",
        )
        lineage = found.lineage
        if lineage is None:
            return
        runs = self.home.runs.latest(limit=_NIGHTS)
        run = next((each for each in runs if str(each.id) == lineage.run_id), None)
        if run is not None:
            yield from self._run(run)
            return
        yield Origin(step="log", name=f"up to {lineage.log_to}", words="The range of the log that was read.")

    def _run(self, run: Run) -> Iterator[Origin]:
        yield Origin(
            step="run",
            name=str(run.id),
            at=run.started_at,
            words=f"The night of {run.as_of}; again: layer7 nightly --as-of {run.as_of} --known-at "
            f"{run.known_at}",
        )
        end = datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1)
        read = run.report.get("measure", {}).get("log")
        events = f"{read['events']:,} events, from {read['first']} to {read['last']}" if read else "Events"
        yield Origin(
            step="log",
            name=f"up to {end.isoformat()}",
            words=f"{events}: all before {end.isoformat()} that were received until {run.known_at}, without "
            "those of people who object.",
        )


def _moved(move: Move) -> str:
    words = f"{move.kind} by {move.actor}, from {move.previous or 'nothing'} to {move.version}"
    return f"{words}: {move.why}" if move.why else f"{words}."
