"""The state: one chain of audit records, tables that only grow, one schema in two databases."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.storage.database.schema import APPEND_ONLY, audit, config_versions, metadata
from layer7.storage.database.schema import meta as meta_table
from layer7.storage.database.state import Act, State

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = bytes(range(32))


@pytest.fixture
def state(tmp_path, state_url):
    opened = State(state_url, audit_key=KEY, head=tmp_path / "audit.head")
    opened.migrate()
    yield opened
    opened.engine.dispose()


def act(number=1):
    return Act("ben", "config.set", f"subject {number}", NOW, "since it is better", {"to": number, "ü": None})


def record(state, count):
    for number in range(count):
        with state.change(act(number)) as connection:
            connection.execute(insert(meta_table).values(key=f"k{number}", value="v"))


def let_change(state, table="audit"):
    """Take the triggers away, as somebody with the database in hand could."""
    with state.write() as connection:
        if state.is_sqlite:
            connection.execute(text(f"DROP TRIGGER {table}_no_update"))
            connection.execute(text(f"DROP TRIGGER {table}_no_delete"))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


class TestAudit:
    def test_every_change_leaves_its_record(self, state):
        record(state, 3)
        assert state.verify_audit() == 3
        first, _, last = state.audit()
        assert (first["id"], first["actor"], first["action"], first["subject"]) == (
            1,
            "ben",
            "config.set",
            "subject 0",
        )
        assert (first["previous"], last["id"], last["why"]) == ("0" * 64, 3, "since it is better")
        assert [row["id"] for row in state.audit(after=1, limit=1)] == [2]

    def test_a_change_that_fails_leaves_none(self, state):
        record(state, 1)

        def break_off():
            with state.change(act()) as connection:
                connection.execute(insert(meta_table).values(key="x", value="v"))
                raise ValueError("oops")

        with pytest.raises(ValueError, match="oops"):
            break_off()
        assert state.verify_audit() == 1
        with state.read() as connection:
            assert connection.execute(select(meta_table.c.key)).scalars().all() == ["k0"]

    def test_an_empty_chain_is_whole(self, state):
        assert state.verify_audit() == 0

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ("UPDATE audit SET why = 'another' WHERE id = 2", "record 2 was changed"),
            ("UPDATE audit SET at = '2020-01-01' WHERE id = 1", "record 1 was changed"),
            ("DELETE FROM audit WHERE id = 2", "record 2 was changed or is missing"),
            ("DELETE FROM audit WHERE id = 1", "record 1 was changed or is missing"),
            ("DELETE FROM audit WHERE id = 3", "record 3 was once its end"),
            ("DELETE FROM audit", "record 3 was once its end"),
            ("UPDATE audit SET hash = previous, previous = hash WHERE id = 2", "record 2 was changed"),
        ],
    )
    def test_what_was_changed_deleted_or_cut_off_is_found(self, state, change, named):
        record(state, 3)
        let_change(state)
        with state.write() as connection:
            connection.execute(text(change))
        with pytest.raises(Layer7Error, match=named) as error:
            state.verify_audit()
        assert error.value.code == "audit_broken"

    def test_a_forger_without_the_key_is_found(self, state, state_url, tmp_path):
        record(state, 1)
        forger = State(state_url, audit_key=bytes(32), head=tmp_path / "other.head")
        record_two = act(2)
        with forger.change(record_two):
            pass
        forger.engine.dispose()
        with pytest.raises(Layer7Error, match="record 2 was changed"):
            state.verify_audit()

    def test_the_remembered_end_is_whole_or_not_at_all(self, state, tmp_path):
        record(state, 2)
        (tmp_path / "audit.head").write_text("no number at all")
        with pytest.raises(Layer7Error, match="no was once its end"):
            state.verify_audit()

    def test_changes_at_once_make_one_chain(self, state):
        def change(number):
            with state.change(act(number)):
                pass

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(change, range(24)))
        assert state.verify_audit() == 24


class TestSchema:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_tables_that_only_grow(self, state, table):
        fill = {
            "audit": "INSERT INTO audit VALUES (1, '', '', '', '', '', '', '', '')",
            "config_versions": "INSERT INTO config_versions VALUES ('c', 'v', '{}', '')",
            "config_moves": "INSERT INTO config_moves VALUES (1, 'c', 'v', NULL, '', '', '', '', NULL)",
            "decisions": "INSERT INTO decisions VALUES (1, 'r', '', '', '', '', '', '')",
        }
        with state.write() as connection:
            if table == "decisions":
                connection.execute(
                    text("INSERT INTO recommendations VALUES ('r', '', '', '', '', '', '', '')")
                )
            connection.execute(text(fill[table]))
        column = {"config_versions": "content", "config_moves": "kind", "decisions": "why"}.get(table, "why")
        for change in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match=f"{table} only grows"), state.write() as connection:
                connection.execute(text(change))

    def test_migrations_and_tables_agree(self, state):
        with state.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_migrating_again_changes_nothing(self, state):
        record(state, 1)
        state.migrate()
        assert state.verify_audit() == 1

    def test_two_programs_may_begin_at_once(self, state_url, tmp_path):
        states = [State(state_url, audit_key=KEY, head=tmp_path / f"{at}.head") for at in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(State.migrate, states))
        for opened in states:
            opened.engine.dispose()

    def test_a_newer_database_is_refused(self, state):
        with state.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Layer7Error) as error:
            state.migrate()
        assert error.value.code == "newer_state"


class TestTransactions:
    def test_a_reader_sees_one_moment(self, state):
        with state.read() as reader:
            assert reader.execute(select(meta_table)).all() == []
            record(state, 1)
            assert reader.execute(select(meta_table)).all() == []
        with state.read() as reader:
            assert len(reader.execute(select(meta_table)).all()) == 1

    def test_a_busy_database_says_so(self, tmp_path):
        state = State(f"sqlite:///{tmp_path / 'state.db'}", audit_key=KEY, head=tmp_path / "audit.head")
        state.migrate()
        with state.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 30")
        with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Layer7Error) as error, state.change(act()):
                pass
            other.execute("ROLLBACK")
        assert error.value.code == "state_busy"
        record(state, 1)
        state.engine.dispose()

    def test_writes_are_durable(self, tmp_path):
        """What SQLite must be told, or a commit can be lost with the power."""
        state = State(f"sqlite:///{tmp_path / 'state.db'}", audit_key=KEY, head=tmp_path / "audit.head")
        with state.engine.connect() as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
        state.engine.dispose()

    def test_a_version_is_never_written_over(self, state):
        with state.write() as connection:
            connection.execute(
                insert(config_versions).values(component="c", version="v", content="{}", created_at="")
            )
        with pytest.raises(DBAPIError), state.write() as connection:
            connection.execute(update(config_versions).values(content="{1}"))

    def test_the_audit_table_has_a_column_for_each_part_of_an_act(self):
        assert {column.name for column in audit.c} >= {"actor", "action", "subject", "at", "why", "detail"}


def test_what_one_thread_reads_in_a_moment_is_of_that_moment_and_read_once(home):
    """Another's write in between is seen after it; outside of a moment everything is read anew."""
    reads = []

    def last():
        reads.append(1)
        return home.consents.last()

    with home.state.moment():
        assert home.state.once(("last",), last) == 0
        home.consents.say("anna", {Purpose.EXPERIMENTS: "no"}, act=Act("t", "", "", NOW), source="test")
        assert home.consents.last() == 0
        with home.state.moment():
            assert home.state.once(("last",), last) == 0
        assert len(reads) == 1
    assert home.state.once(("last",), last) == home.state.once(("last",), last) == 1
    assert len(reads) == 3
