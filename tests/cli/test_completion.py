"""The tab key, as the shell asks: with words in variables, and no arguments."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import typer

from confiture_tui.cli.app import build
from confiture_tui.cli.completion import VARIABLE
from tests.cli.test_commands import run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    for name in ("001_jar.up.sql", "001_jar.down.sql", "002_lid.up.sql", "010_label.up.sql"):
        (migrations / name).write_text("SELECT 1;\n")
    environments = tmp_path / "db/environments"
    environments.mkdir()
    for name in ("staging", "production"):
        (environments / f"{name}.yaml").write_text("database_url: ${NOT_SET_HERE}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("confiture-tui dem", ["demo"]),
        ("confiture-tui preview 00", ["001", "002"]),
        ("confiture-tui status --env s", ["staging"]),
        ("confiture-tui status --runner l", ["loose"]),
        ("confiture-tui status --log-level w", ["warning"]),
        ("confiture-tui status --format j", ["json"]),
        ("confiture-tui demo --headl", ["--headless"]),
    ],
)
def test_the_tab_key_offers_what_fits(project: Path, words: str, offered: list[str]) -> None:
    done = complete(project, words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == offered


def complete(directory: Path, words: str) -> subprocess.CompletedProcess[str]:
    position = str(len(words.split()) - 1)
    return run(directory, _CONFITURE_TUI_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=position)


def test_where_there_is_no_project_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    (tmp_path / "confiture.yaml").write_text("nonsense: [\n")
    done = complete(tmp_path, "confiture-tui preview 0")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_function(shell: str, tmp_path: Path) -> None:
    # Typer looks for a shell among its own parents, and a test may have none: it is told instead.
    done = run(tmp_path, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert VARIABLE in done.stdout


def commands() -> list[list[str]]:
    """Every command, those within commands too."""
    found: list[list[str]] = []

    def walk(path: list[str], command: object) -> None:
        inner = getattr(command, "commands", None) or {}
        for name, one in inner.items():
            walk([*path, name], one)
        if not inner:
            found.append(path)

    walk([], typer.main.get_command(build()))
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_examples(path: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, *path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    examples = done.stdout.split("Examples:\n")[1]
    assert f"confiture-tui {' '.join(path)}" in examples
