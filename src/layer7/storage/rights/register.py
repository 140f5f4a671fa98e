"""The register of every place that may hold a person; erasure, export and status follow it.

A table, a dataset or a file without an entry here fails ``tests/storage/test_register.py``: whoever adds one
says what it holds of a person, and by which column she is found there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place.

    Args:
        name: the table, dataset or file.
        holds: what it holds of a person, in words for her; why it holds nothing where it does not.
        used_for: what that is used for; empty where it holds nothing.
        person: the column by which she is found; None where it holds nothing of anybody.
        columns: all its columns; empty for datasets and files.
        stays: why her rows outlast an erasure; empty where they do not.
    """

    name: str
    holds: str
    used_for: str = ""
    person: str | None = None
    columns: tuple[str, ...] = ()
    stays: str = ""


def _nobody(name: str, columns: str, why: str) -> Place:
    return Place(name=name, holds=why, columns=tuple(columns.split()))


STATE: tuple[Place, ...] = (
    Place(
        name="inbox",
        holds="events that came alone and wait for the log",
        used_for="moved to the log by the next night",
        person="person",
        columns=("event_id", "person", "essence", "received_at", "payload"),
    ),
    Place(
        name="quarantine",
        holds="events that could not be taken, sealed",
        used_for="tried again after the fault is mended",
        person="person",
        columns=("id", "digest", "at", "source", "position", "code", "reason", "person", "raw"),
    ),
    Place(
        name="consents",
        holds="what was said about the use of the data",
        used_for="read at every use",
        person="person",
        columns=("id", "person", "purpose", "value", "at", "source", "actor", "policy_version", "event_id"),
    ),
    Place(
        name="participations",
        holds="in which weeks of the release she took part",
        used_for="so that no year costs her more than was promised",
        person="person",
        columns=("person", "epoch", "turn"),
    ),
    Place(
        name="personal",
        holds="settings learned from what was done, sealed under the person's own key",
        used_for="served to Layer 5 in place of everybody's",
        person="person",
        columns=("person", "words", "as_of", "updated_at"),
    ),
    Place(
        name="wishes",
        holds="what was chosen, paused or to be forgotten, sealed under the person's own key",
        used_for="before anything that was learned",
        person="person",
        columns=("id", "person", "field", "words", "at", "actor"),
    ),
    Place(
        name="assignments",
        holds="which variant of which experiment was served",
        used_for="so that nobody changes sides within an experiment",
        person="person",
        columns=("experiment_id", "person", "variant_id", "at"),
    ),
    Place(
        name="rankings",
        holds="rankings of jobs that were given, sealed",
        used_for="telling a ranking again with its reasons, for ninety days",
        person="person",
        columns=("id", "person", "at", "body"),
    ),
    Place(
        name="exposures",
        holds="which jobs were lately shown among the first",
        used_for="so that not everybody is sent to the same job, for two weeks",
        person="person",
        columns=("job", "person", "at"),
    ),
    Place(
        name="erasures",
        holds="that somebody was erased, under the old pseudonym, until no backup can hold it any more",
        used_for="held against every restored backup before it serves",
        person="person",
        columns=(
            "id",
            "person",
            "requested_at",
            "source",
            "erased_at",
            "rewritten_at",
            "gone_at",
            "receipt",
        ),
        stays="it is what keeps a restored backup from bringing the rest back",
    ),
    _nobody(
        "releases",
        "epoch at spec rho_micro noisy",
        "differentially private figures: what she adds to them is inside the promise, and stays",
    ),
    _nobody("alembic_version", "version_num", "the revision of the tables"),
    _nobody("meta", "key value", "numbers of the installation"),
    _nobody(
        "files",
        "id dataset bucket path rows bytes max_time max_received folded_as_of created_at removed_at checksum",
        "the list of data files",
    ),
    _nobody("seen", "kind name n", "counts of names of fields and types, never their content"),
    _nobody("runs", "id as_of known_at started_at finished_at status report", "figures of whole nights"),
    _nobody("stages", "run_id position stage status rows seconds detail", "figures of whole nights"),
    _nobody(
        "recommendations",
        "id component parameter state created_at updated_at as_of body",
        "proposals for everybody's settings, from figures over many people",
    ),
    _nobody(
        "decisions",
        "id recommendation_id action actor at why from_state to_state",
        "what reviewers decided; the actor is staff",
    ),
    _nobody("config_versions", "component version content created_at", "everybody's settings"),
    _nobody(
        "config_moves",
        "id component version previous kind at actor why recommendation_id",
        "which settings were in force; the actor is staff",
    ),
    _nobody("config_active", "component version move_id", "everybody's settings"),
    _nobody(
        "experiments",
        "id component parameter state created_at updated_at body",
        "plans, and results over whole arms",
    ),
    _nobody(
        "rollouts",
        "id experiment_id state anchor revision created_at updated_at body",
        "how far a change may go, from figures over whole arms",
    ),
    _nobody("likelihood_versions", "version content created_at", "what goes with an interview for everybody"),
    _nobody(
        "likelihood_moves",
        "id kind version previous at actor why",
        "which model was in use; the actor is staff",
    ),
    _nobody(
        "tokens", "id name digest scopes component created_at expires_at revoked_at", "who may use the server"
    ),
    Place(
        name="answers",
        holds="answers to acts of the last seven days; those about a person sealed with her own key",
        used_for="giving the same answer to the same request",
        person="person",
        columns=("key", "route", "digest", "status", "body", "at", "person"),
    ),
    _nobody(
        "audit",
        "id at actor action subject why detail previous hash",
        "acts of staff and engine; a subject is never a person's id, reasons about her are sealed as hers",
    ),
)
"""The tables of the state database."""

_OF_APPLICATIONS = "figures and proposals, until a person objects"

DATASETS: tuple[Place, ...] = (
    Place(
        name="events",
        holds="the event log: what was done and what came of it; words are sealed",
        used_for="everything else is computed from it",
        person="person",
    ),
    Place(
        name="applications",
        holds="one row per application",
        used_for=_OF_APPLICATIONS,
        person="person",
    ),
    Place(
        name="performance",
        holds="how the applications went, by month",
        used_for="shown to the person herself",
        person="person",
    ),
    Place(
        name="changed",
        holds="that new events came, until the night has counted them",
        used_for="counting only what changed",
        person="person",
    ),
    Place(
        name="memberships",
        holds="which segments of people the applications belong to",
        used_for="comparing with people in the same place",
        person="person",
    ),
    Place(
        name="patterns",
        holds="what works better or worse for the person",
        used_for="shown to the person herself",
        person="person",
    ),
    Place(
        name="pattern_plans",
        holds="how many applications more it takes to tell what works for the person",
        used_for="shown to the person herself",
        person="person",
    ),
    Place(
        name="preferences",
        holds="what she does with suggestions, sealed",
        used_for="shown to the person herself",
        person="person",
    ),
    Place(
        name="rethinking",
        holds="whether the targets of the search should be thought over",
        used_for="the settings of strategy",
        person="person",
    ),
    Place(
        name="own_terms",
        holds="what the applications say of the person's own chance of an interview",
        used_for="ranking jobs for the person herself",
        person="person",
    ),
    Place(
        name="weeks",
        holds="the weeks of the search, as the weekly letter tells them",
        used_for="the weekly letter to the person herself",
        person="person",
    ),
    _nobody("parity", "", "how declared groups fare, from at least 400 people each"),
    _nobody("proxies", "", "how well features tell declared groups, of at least 50 people each"),
    _nobody("outlook", "", "what silence means, over everybody's applications"),
    _nobody("segments", "", "figures over the people of a segment, at least ten of them"),
    _nobody("market", "", "figures over those who contribute"),
    _nobody("released_segments", "", "differentially private figures of segments"),
    _nobody("released_market", "", "differentially private figures of the market"),
    _nobody("experiment_moments", "", "sums over the units of an experiment's cells"),
)
"""The datasets under ``data/``; every one that can name a person does so in ``person``."""

KEYS: tuple[Place, ...] = (
    Place(
        name="person",
        holds="the person's own key, wrapped, and her id sealed under it",
        used_for="opening her own words, answering in the caller's ids",
        person="name",
        columns=("name", "wrapped", "sealed_id"),
    ),
    _nobody("root", "purpose sealed", "the installation's own keys, one for each purpose"),
)
"""The tables of ``keys/keys.db``."""

DECLARED = Place(
    name="declared",
    holds="groups that she declared of herself, with the time, sealed; under a name of its own",
    used_for="counting whether it is as good for every group",
    person="name",
    columns=("name", "sealed"),
)
"""The table of ``fairness.db``."""

FILES: tuple[Place, ...] = (
    Place(name="fairness.db*", holds="the declared groups"),
    Place(name="data/**", holds="the datasets"),
    Place(name="state.db*", holds="the state database"),
    Place(name="keys/keys.db*", holds="the keys"),
    Place(name="keys/master.key", holds="the installation's root key"),
    Place(name="keys/master.next", holds="a new root key, until it takes the old one's place"),
    Place(name="keys/audit.head", holds="the end of the audit chain"),
    Place(name="keys/damaged", holds="that the state database is damaged; its pages, not their content"),
    Place(
        name="keys/tombstones",
        holds="old pseudonyms of erased people",
        used_for="held against every restored backup before it serves",
        stays="until no backup can hold them any more",
    ),
    Place(name="locks/*.lock", holds="nothing: only whether a job is running"),
    Place(name="scratch/**", holds="what the engine spills while it works; swept every night"),
    Place(name="reserve", holds="nothing: room on the disk, so that people can be erased when it is full"),
    Place(name="layer7.toml", holds="the settings of the installation"),
)
"""The files of a home folder, as patterns."""
