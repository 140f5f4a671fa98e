"""A home folder: one installation with everything it keeps."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from errno import EACCES
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from sqlalchemy import select

from layer7.errors import Layer7Error
from layer7.experiments.metrics import METRICS
from layer7.storage.database.disk import Disk
from layer7.storage.database.engine import connect
from layer7.storage.database.locks import Locks
from layer7.storage.database.manifest import Manifest
from layer7.storage.database.reserve import Reserve
from layer7.storage.database.runs import Runs
from layer7.storage.database.schema import meta
from layer7.storage.database.state import State
from layer7.storage.database.tokens import Tokens
from layer7.storage.decisions.assignments import Assignments
from layer7.storage.decisions.configs import Configs
from layer7.storage.decisions.experiments import Experiments
from layer7.storage.decisions.own_rules import OwnRules
from layer7.storage.decisions.recommendations import Recommendations
from layer7.storage.decisions.releases import Releases
from layer7.storage.decisions.rollouts import Rollouts
from layer7.storage.decisions.serving import Serving
from layer7.storage.decisions.trials import Lookup
from layer7.storage.intake.answers import Answers
from layer7.storage.intake.inbox import Inbox
from layer7.storage.intake.ingest import Ingest
from layer7.storage.intake.log import EventLog
from layer7.storage.intake.quarantine import Quarantine
from layer7.storage.people.consents import Consents
from layer7.storage.people.declared import Declared
from layer7.storage.people.keys import Keys
from layer7.storage.people.personal import Personal
from layer7.storage.rights.erasure import Erasures
from layer7.storage.settings import Settings, load_settings

if TYPE_CHECKING:
    from layer7.storage.decisions.likelihoods import Likelihoods
    from layer7.storage.decisions.parities import Parities
    from layer7.storage.rights.rewriting import Rewriting
    from layer7.storage.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Home:
    """Everything that one installation keeps, opened.

    Args:
        path: the home folder.
        settings: what the installation decided for itself.
        state: the state database.
        keys: its keys.
        reserve: room that is held on its disk.
        locks: its locks.
        manifest: its list of live files.
        ingest: the way in for bulk files.
        inbox: the way in for single events.
        quarantine: where refused events wait.
        runs: the record of nights.
        consents: what people have said about the use of their data.
        releases: what others may see, and what it cost whom.
        configs: the settings and their versions.
        recommendations: what the engine proposed, and what people decided.
        experiments: what is tried on people.
        assignments: who was first served which variant.
        personal: settings and wishes of single people.
        serving: what is served right now; it records nothing.
        rollouts: how far each change may go now.
        tokens: who may use the server.
        answers: answers to writes, to be given again.
        erasures: who was erased.
        declared: groups that people declared of themselves.
    """

    path: Path
    settings: Settings
    state: State
    keys: Keys
    reserve: Reserve
    locks: Locks
    manifest: Manifest
    ingest: Ingest
    inbox: Inbox
    quarantine: Quarantine
    runs: Runs
    consents: Consents
    releases: Releases
    configs: Configs
    recommendations: Recommendations
    experiments: Experiments
    assignments: Assignments
    personal: Personal
    serving: Serving
    rollouts: Rollouts
    tokens: Tokens
    answers: Answers
    erasures: Erasures
    declared: Declared

    @property
    def warehouse(self) -> "Warehouse":
        """Applications and derived tables; loaded when asked for, since many commands need none of it."""
        warehouse: type[Warehouse] = import_module("layer7.storage.warehouse.warehouse").Warehouse
        return warehouse(self.state, self.manifest, buckets=self.settings.buckets, engine=self.engine)

    @property
    def rewriting(self) -> "Rewriting":
        """What writes files anew without the erased; loaded when asked for."""
        rewriting: type[Rewriting] = import_module("layer7.storage.rights.rewriting").Rewriting
        backups = timedelta(days=self.settings.backup_days)
        return rewriting(self.state, self.keys, self.manifest, backups, self.locks, self.engine)

    @property
    def likelihoods(self) -> "Likelihoods":
        """The models of the chance of an interview; loaded when asked for, like the warehouse."""
        likelihoods: type[Likelihoods] = import_module("layer7.storage.decisions.likelihoods").Likelihoods
        return likelihoods(self.state)

    @property
    def parities(self) -> "Parities":
        """How declared groups fare; loaded when asked for, like the warehouse."""
        parities: type[Parities] = import_module("layer7.storage.decisions.parities").Parities
        return parities(self.state, self.warehouse)

    def check(self) -> Mapping[str, tuple[str, ...]]:
        """Look at every page of every database, and for every listed file; gives what is wrong, by place.

        Whether the state may be written follows from what is found.
        """
        state = self.state.check()
        try:
            data = self.manifest.check()
        except Layer7Error as error:
            data = (f"unknown which files count: {error.message}",)
        return {"state": state, "keys": self.keys.check(), "fairness": self.declared.check(), "data": data}

    def engine(self) -> duckdb.DuckDBPyConnection:
        """Open an engine of its own."""
        return connect(self.settings, self.path / "scratch")


def open_home(path: Path, settings: Settings | None = None) -> Home:
    """Open a home folder, making it when it is not there.

    Args:
        path: the folder.
        settings: instead of its own ``layer7.toml`` and the environment.
    """
    path = path.expanduser().absolute()
    _make_folder(path)
    settings = settings or load_settings(path)
    reserve = Reserve(path / "reserve", settings.reserve_mb << 20)
    # SQLite takes some pages of the disk also for whoever only reads.
    home = Disk(reserve).through(partial(_opened, path, settings, reserve))
    reserve.keep()
    return home


def _opened(path: Path, settings: Settings, reserve: Reserve) -> Home:
    disk = Disk(reserve)
    keys = Keys(path / "keys", settings.master_key, buckets=settings.buckets, disk=disk)
    url = settings.database_url or f"sqlite:///{path / 'state.db'}"
    state = State(url, audit_key=keys.audit, head=path / "keys" / "audit.head", disk=disk)
    state.look()
    if not state.damaged:
        state.migrate()
    _same_buckets(state, settings.buckets)
    home = _assembled(path, settings, state, keys=keys, reserve=reserve)
    home.erasures.replay()
    return home


def _assembled(path: Path, settings: Settings, state: State, *, keys: Keys, reserve: Reserve) -> Home:
    locks, manifest = Locks(path / "locks", state), Manifest(path, state)
    log, quarantine = EventLog(state, manifest, keys.tombstones.all), Quarantine(state, keys)
    engine = partial(connect, settings.model_copy(update={"threads": 1}), path / "scratch")
    inbox = Inbox(state, keys, log, manifest, quarantine, locks, engine)
    consents = Consents(state, keys, settings.policy_version)
    decided = _decided(state, keys, inbox, consents)
    lists = {str(attribute): groups for attribute, groups in settings.fairness_groups.items()}
    declared = Declared(path / "fairness.db", state, keys, consents, lists)

    def breaches() -> tuple[str, ...]:
        # What reads them takes long to load, and is asked only where a ramp is checked.
        return home.parities.waiting()

    home = Home(
        path=path,
        settings=settings,
        state=state,
        keys=keys,
        reserve=reserve,
        locks=locks,
        manifest=manifest,
        ingest=Ingest(state, keys, log, quarantine, locks, engine),
        inbox=inbox,
        quarantine=quarantine,
        runs=Runs(state),
        consents=consents,
        releases=Releases(state, keys.release),
        configs=decided.configs,
        recommendations=decided.recommendations,
        experiments=decided.experiments,
        assignments=decided.assignments,
        personal=decided.personal,
        serving=decided.serving,
        rollouts=decided.rollouts(breaches),
        tokens=Tokens(state),
        answers=Answers(state, keys),
        erasures=Erasures(state, keys, quarantine, declared),
        declared=declared,
    )
    return home


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is decided on, and what is served of it."""

    state: State
    configs: Configs
    experiments: Experiments
    assignments: Assignments
    recommendations: Recommendations
    personal: Personal
    serving: Serving

    def rollouts(self, breaches: Callable[[], tuple[str, ...]]) -> Rollouts:
        return Rollouts(
            self.state,
            configs=self.configs,
            experiments=self.experiments,
            recommendations=self.recommendations,
            serving=self.serving,
            breaches=breaches,
        )


def _decided(state: State, keys: Keys, inbox: Inbox, consents: Consents) -> _Decided:
    configs, experiments = Configs(state), Experiments(state, METRICS)
    assignments = Assignments(state, keys, inbox, consents)
    recommendations, personal = Recommendations(state, configs, experiments), Personal(state, keys)
    own = OwnRules(personal, consents, keys, Lookup(experiments, assignments))
    serving = Serving(configs, recommendations, own)
    return _Decided(state, configs, experiments, assignments, recommendations, personal, serving)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise Layer7Error(
            "home_unusable",
            f"{path} cannot be a home folder: {error.strerror}.",
            "Name a folder that you may write to, with --home or LAYER7_HOME.",
        ) from error


def _same_buckets(state: State, buckets: int) -> None:
    """Remember the number of buckets on the first day and refuse another one later."""
    with state.read() as connection:
        kept = connection.execute(select(meta.c.value).where(meta.c.key == "buckets")).scalar()
    if kept is None:
        with state.write() as connection:
            connection.execute(meta.insert().values(key="buckets", value=str(buckets)))
    elif int(kept) != buckets:
        raise Layer7Error(
            "other_buckets",
            f"This home folder was made with {kept} buckets, the settings say {buckets}.",
            f"Set buckets = {kept}; the number is fixed when the folder is made.",
        )
