"""What holds for every command: it explains itself, and says in one form what it cannot work with."""

import json
from collections.abc import Iterator

import pytest
import typer.main
from typer.testing import CliRunner

from command_line import answer, layer7
from layer7.cli.app import build, main

APP = build([])


def commands(group, path=()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", sorted(commands(typer.main.get_command(APP))), ids=" ".join)
def test_it_explains_itself(path):
    shown = CliRunner().invoke(APP, [*path, "--help"])
    assert shown.exit_code == 0, shown.exception
    assert "Usage" in shown.output


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run a command on a home that cannot be one; gives the exit code and the error's code."""

    def run(home) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["layer7", "config", "show", "--home", str(home), "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, json.loads(capsys.readouterr().out)["error"]["code"]

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tokens", "create", "ci", "--scope", "nothing"), "is not one of"),
        (("thresholds", "people", "--state", "nonsense"), "is not one of"),
        (("config", "show", "--nope"), "No such option"),
        (("ingest",), "Missing argument"),
        (("nope",), "No such command"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_the_form_that_was_asked_for(words, said):
    error = answer(*words, code=2)["error"]
    assert error["code"] == "usage"
    assert said in error["message"]
    assert said in layer7(*words, code=2)
    assert "Usage" in layer7(*words, code=2)


def test_a_home_that_is_a_file_is_refused_in_words(refused, tmp_path):
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        assert refused(home) == (2, "home_unusable")


@pytest.mark.parametrize(
    "content",
    [b"buckets = ", b'buckets = "many"', b'web_origins = ["*"]', b"memory_limit = 5", b"# caf\xe9"],
)
def test_settings_that_cannot_be_used_are_told(refused, tmp_path, content):
    (tmp_path / "layer7.toml").write_bytes(content)
    assert refused(tmp_path) == (1, "invalid_settings")


def test_an_environment_that_cannot_be_used_is_told(refused, monkeypatch, tmp_path):
    for value in ("not json", '["*"]'):
        monkeypatch.setenv("LAYER7_WEB_ORIGINS", value)
        assert refused(tmp_path) == (1, "invalid_settings")


def test_a_state_that_is_no_database_is_told(refused, tmp_path):
    (tmp_path / "state.db").write_bytes(b"no database" * 100)
    assert refused(tmp_path) == (1, "state_unreachable")
