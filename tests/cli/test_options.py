"""The common options: before or after the command, each where it belongs, and the later one wins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from confiture_tui.cli import entry
from confiture_tui.cli.options import Given, WithRows, with_common_options

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def parse() -> Callable[[str], Given | None]:
    """Runs a command line with one command; gives what the command was given, or ``None`` when it was not reached."""

    def run(line: str) -> Given | None:
        seen: list[Given] = []

        def root(given: Given) -> int:
            return 9

        def command(given: Given, word: str = "") -> int:
            seen.append(given)
            return 0

        app = typer.Typer(rich_markup_mode=None)
        app.callback(invoke_without_command=True)(with_common_options(root))
        app.command("go")(with_common_options(command))
        code = typer.main.get_command(app).main(line.split(), prog_name="x", standalone_mode=False)
        assert code == (0 if seen else 9)
        return seen[0] if seen else None

    return run


OPTIONS = {
    "--project p": Given(project=Path("p")),
    "--env e": Given(env="e"),
    "--dsn d": Given(dsn="d"),
    "--config c": Given(config=Path("c")),
    "--migrations-dir m": Given(migrations_dir=Path("m")),
    "--read-only": Given(read_only=True),
    "--log-file f": Given(log_file=Path("f")),
    "--record f": Given(record=Path("f")),
    "--log-level debug": Given(log_level="debug"),
    "--format json": Given(format="json"),
    "--runner loose": Given(runner="loose"),
    "--pg-bin b": Given(pg_bin=Path("b")),
    "--rows synthetic": Given(rows=WithRows.SYNTHETIC),
    "--clone-dsn d": Given(clone_dsn="d"),
    "--shadow-dsn d": Given(shadow_dsn="d"),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_may_stand_before_or_after_the_command(option: str, parse: Callable[[str], Given | None]) -> None:
    assert parse(f"{option} go") == OPTIONS[option]
    assert parse(f"go {option}") == OPTIONS[option]


def test_what_stands_after_the_command_wins(parse: Callable[[str], Given | None]) -> None:
    assert parse("--env a --format json go --env b") == Given(env="b", format="json")


def test_nothing_given_is_nothing(parse: Callable[[str], Given | None]) -> None:
    assert parse("go") == Given()
    assert parse("") is None


@pytest.mark.parametrize(("command", "is_told"), [("", True), ("dry-run", True), ("lint", True), ("status", False)])
def test_what_shadows_are_made_of_is_told_where_shadows_are_made(
    command: str, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert all((option in out) is is_told for option in ("--rows", "--clone-dsn", "--shadow-dsn"))
