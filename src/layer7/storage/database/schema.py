"""The tables of the state database, made by the migrations in ``migrations/``; a test holds both together."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

APPEND_ONLY = ("audit", "config_moves", "config_versions", "decisions")
"""Tables whose rows the database itself refuses to change or delete."""

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

inbox = Table(
    "inbox",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("essence", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Index(None, "person"),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("max_time", Text),
    Column("max_received", Text),
    Column("folded_as_of", Text),
    Column("created_at", Text, nullable=False),
    Column("removed_at", Text),
    Column("checksum", Text),
    Index(None, "dataset", "removed_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("person", Text),
    Column("raw", LargeBinary, nullable=False),
    Index(None, "code"),
    Index(None, "person"),
)

seen = Table(
    "seen",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "name"),
)
"""How often unknown event types and unknown fields were met."""

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False, server_default=""),
    Column("policy_version", Text, nullable=False, server_default=""),
    Column("event_id", Text),
    Index(None, "person", "purpose"),
    Index(None, "person", "event_id", unique=True),
)
"""What people have said; an event says it once, however often it comes."""

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Text, nullable=False),
    Column("known_at", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("status", Text, nullable=False),
    Column("report", Text, nullable=False, server_default="{}"),
)

stages = Table(
    "stages",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "position"),
)

recommendations = Table(
    "recommendations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("component", Text, nullable=False),
    Column("parameter", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "state"),
    Index(None, "component", "parameter"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recommendation_id", Text, ForeignKey("recommendations.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Index(None, "recommendation_id"),
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("component", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    PrimaryKeyConstraint("component", "version"),
)

config_moves = Table(
    "config_moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("component", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("previous", Text),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("recommendation_id", Text),
    Index(None, "component"),
)

config_active = Table(
    "config_active",
    metadata,
    Column("component", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("move_id", Integer, ForeignKey("config_moves.id"), nullable=False),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("component", Text, nullable=False),
    Column("parameter", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "state"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("experiment_id", Text, ForeignKey("experiments.id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("variant_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("experiment_id", "person"),
    Index(None, "person"),
)
"""Which variant a person was first served, so that it is recorded once and never changes."""

personal = Table(
    "personal",
    metadata,
    Column("person", Text, primary_key=True),
    Column("words", LargeBinary, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)
"""What was learned for settings of one person, sealed under her key."""

wishes = Table(
    "wishes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("field", LargeBinary, nullable=False),
    Column("words", LargeBinary),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Index(None, "person"),
)
"""What people said themselves, sealed under their keys; the latest of a field counts."""

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("experiment_id", Text, ForeignKey("experiments.id"), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "state"),
)
"""Where each ramp stands; the revision lets one of two writers win."""

erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Text, unique=True),
    Column("requested_at", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("erased_at", Text),
    Column("rewritten_at", Text),
    Column("gone_at", Text),
    Column("receipt", Text),
    Index(None, "erased_at"),
)
"""Who was erased and how far it has come; her old name is let go when no backup can hold her any more."""

releases = Table(
    "releases",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("rho_micro", Integer, nullable=False),
    Column("noisy", Text, nullable=False),
)
"""What was released of each week, with its noise: drawn once, never again."""

participations = Table(
    "participations",
    metadata,
    Column("person", Text, nullable=False),
    Column("epoch", Integer, ForeignKey("releases.epoch"), nullable=False),
    Column("turn", Integer, nullable=False),
    PrimaryKeyConstraint("person", "epoch"),
    CheckConstraint("turn BETWEEN 1 AND 13", name="turn_of_a_year"),
)
"""Who took part in which week, and for the how manieth time in a year."""

likelihood_versions = Table(
    "likelihood_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
)
"""Models of the chance of an interview, each named by its content."""

likelihood_moves = Table(
    "likelihood_moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
)
"""Which model came into use when; challengers that were refused stand there by name only."""

rankings = Table(
    "rankings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "person"),
    Index(None, "at"),
)
"""Rankings that were given, each sealed with the person's own key."""

exposures = Table(
    "exposures",
    metadata,
    Column("job", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("job", "person"),
    Index(None, "person"),
    Index(None, "at"),
)
"""To whom each job (a hash of its id) was last shown among the first places."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("component", Text),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
)

answers = Table(
    "answers",
    metadata,
    Column("key", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("person", Text),
    PrimaryKeyConstraint("key", "route"),
)
"""Answers to writes that carried an Idempotency-Key, to be given again; about a person, sealed as hers."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
