"""Keys: made once, wrapped, in a folder that nobody else can open."""

import secrets
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from layer7.errors import Layer7Error
from layer7.storage.home import open_home
from layer7.storage.people import keys as keys_module
from layer7.storage.people.keys import Keys, change_master
from layer7.storage.settings import Settings

MASTER = secrets.token_hex(32)


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path / "keys", "", buckets=4)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_look(tmp_path, home):
    (tmp_path / "loose").mkdir(mode=0o755)
    Keys(tmp_path / "loose", "", buckets=4).admit(["anna"])
    for folder in (tmp_path / "loose", home.path / "keys"):
        assert mode(folder) == 0o700
        assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
            (path.name for path in folder.iterdir()), 0o600
        )


def test_a_key_is_made_once_and_kept(tmp_path, keys):
    people = keys.admit(["anna", "ben"])
    own = keys.keys(people.values())
    again = Keys(tmp_path / "keys", "", buckets=4)
    assert again.admit(["ben", "anna", "cleo"]) | people == again.admit(["anna", "ben", "cleo"])
    assert again.keys(people.values()) == own
    assert len({*own.values()}) == 2
    assert again.user_ids(people.values()) == {people["anna"]: "anna", people["ben"]: "ben"}


def test_the_unknown_have_no_key(keys):
    assert keys.keys([keys.person("nobody")]) == {}
    assert keys.user_ids([keys.person("nobody")]) == {}


def test_many_people(keys):
    names = [f"u{at}" for at in range(1300)]
    people = keys.admit(names)
    assert len(set(people.values())) == 1300
    assert keys.user_ids(people.values()) == {person: name for name, person in people.items()}


def test_what_is_remembered_is_bounded(keys, monkeypatch):
    monkeypatch.setattr("layer7.storage.people.keys._REMEMBERED", 10)
    for start in range(0, 60, 6):
        assert len(keys.admit([f"u{at}" for at in range(start, start + 6)])) == 6
        assert len(keys._known) <= 16
    assert len(keys.keys(keys.person(f"u{at}") for at in range(60))) == 60


def test_people_who_come_at_once_get_one_key(tmp_path):
    names = [f"u{at}" for at in range(50)]
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: Keys(tmp_path / "keys", "", buckets=4), range(6)))
        found = list(pool.map(lambda keys: keys.keys(keys.admit(names).values()), opened))
    assert len(found[0]) == 50
    assert all(own == found[0] for own in found)


def test_neither_ids_nor_keys_lie_open(tmp_path, keys):
    person = keys.admit(["anna@example.org"])["anna@example.org"]
    own = keys.keys([person])[person]
    with closing(sqlite3.connect(tmp_path / "keys" / "keys.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (tmp_path / "keys" / "keys.db").read_bytes()
    assert b"anna@example.org" not in content
    assert own not in content
    assert own.hex().encode() not in content


def test_a_master_key_from_outside_leaves_no_file(tmp_path):
    keys = Keys(tmp_path / "keys", MASTER, buckets=4)
    assert not (tmp_path / "keys" / "master.key").exists()
    assert Keys(tmp_path / "other", MASTER, buckets=4).person("anna") == keys.person("anna")
    assert Keys(tmp_path / "third", "", buckets=4).person("anna") != keys.person("anna")


@pytest.mark.parametrize("weak", ["00" * 32, "ab" * 16, "0123456789abcdef" * 2, "not hex", "1"])
def test_a_weak_master_key_is_refused(tmp_path, weak):
    with pytest.raises(Layer7Error) as error:
        Keys(tmp_path / "keys", weak, buckets=4)
    assert error.value.code == "weak_key"
    assert weak not in str(error.value)


def test_an_empty_master_file_is_refused(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "master.key").touch()
    with pytest.raises(Layer7Error, match="master key"):
        Keys(tmp_path / "keys", "", buckets=4)


def test_another_master_key_opens_nothing(tmp_path):
    Keys(tmp_path / "keys", MASTER, buckets=4).admit(["anna"])
    with pytest.raises(Layer7Error) as error:
        Keys(tmp_path / "keys", secrets.token_hex(32), buckets=4)
    assert error.value.code == "another_master_key"


def sealed_home(tmp_path, settings=None):
    home = open_home(tmp_path / "home", settings or Settings(buckets=4))
    home.keys.admit(["anna", "ben"])
    return home


def known(home):
    names = [home.keys.person(name) for name in ("anna", "ben")]
    return names, home.keys.user_ids(names), home.keys.keys(names), home.keys.audit, home.keys.quarantine


def test_a_new_master_key_takes_the_old_ones_place_and_nobody_is_renamed(tmp_path):
    home = sealed_home(tmp_path)
    before, file = known(home), home.path / "keys" / "master.key"
    old = file.read_text()
    assert change_master(home.path / "keys", "", "") == 2
    assert file.read_text() != old
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert not (home.path / "keys" / "master.next").exists()
    again = open_home(home.path, Settings(buckets=4))
    assert known(again) == before
    assert again.state.verify_audit() >= 0
    with pytest.raises(Layer7Error) as error:
        open_home(home.path, Settings(buckets=4, master_key=old.strip()))
    assert error.value.code == "another_master_key"
    blobs = (home.path / "keys" / "keys.db").read_bytes()
    assert bytes.fromhex(old) not in blobs


def test_a_key_from_the_environment_is_changed_by_naming_both(tmp_path):
    one, two = bytes(range(32)).hex(), bytes(range(1, 33)).hex()
    home = sealed_home(tmp_path, Settings(buckets=4, master_key=one))
    before = known(home)
    change_master(home.path / "keys", one, two)
    assert known(open_home(home.path, Settings(buckets=4, master_key=two))) == before
    for old, new in ((one, two), (two, "00" * 32), (two, "abc")):
        with pytest.raises(Layer7Error):
            change_master(home.path / "keys", old, new)
    assert known(open_home(home.path, Settings(buckets=4, master_key=two))) == before


@pytest.mark.parametrize("after", ["the new key was made", "the transaction"])
def test_a_change_that_was_killed_is_finished_or_undone(tmp_path, monkeypatch, after):
    home = sealed_home(tmp_path)
    before = known(home)

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys_module, "seal" if after == "the new key was made" else "_finish_change", killed)
        with pytest.raises(KeyboardInterrupt):
            change_master(home.path / "keys", "", "")
    assert (home.path / "keys" / "master.next").exists()
    assert known(open_home(home.path, Settings(buckets=4))) == before
    assert not (home.path / "keys" / "master.next").exists()


def test_a_folder_that_was_put_in_the_place_of_another_is_opened_anew(tmp_path, keys):
    """A thread keeps its connection only as long as it is to the same file."""
    person = keys.admit(["anna"])["anna"]
    assert keys.keys([person])
    Keys(tmp_path / "other", "", buckets=4)
    (tmp_path / "keys").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "keys")
    assert keys.keys([person]) == {}
