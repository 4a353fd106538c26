from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from confiture_tui.errors import UsageError
from confiture_tui.ui.terminal import full_collections_rare, require_terminal, run_app
from tests.ui import samples


class Stream:
    closed = False

    def __init__(self, tty: bool) -> None:
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(("stdin", "stderr", "missing"), [(False, True, "input"), (True, False, "error")])
def test_without_a_terminal_it_names_the_command_to_use(
    monkeypatch: pytest.MonkeyPatch, stdin: bool, stderr: bool, missing: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(stdin))
    monkeypatch.setattr(sys, "stderr", Stream(stderr))
    with pytest.raises(UsageError, match=f"standard {missing}") as caught:
        require_terminal()
    assert caught.value.exit_code == 2
    assert "confiture-tui status" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        require_terminal(instead="`confiture-tui demo --headless`")
    assert "confiture-tui demo --headless" in caught.value.hint


def test_without_streams_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError):
        require_terminal()


async def test_the_app_is_not_started_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(False))
    with pytest.raises(UsageError):
        run_app(samples.service())  # type: ignore[arg-type]  # the fake has the parts that screens use


def test_a_terminal_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(True))
    monkeypatch.setattr(sys, "stderr", Stream(True))
    require_terminal()


def imported_by(*modules: str) -> set[str]:
    """The names of all modules that a process has which imports these, and of the packages that they are in."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    return {part for name in done.stdout.split() for part in (name, name.partition(".")[0])}


def test_the_first_screen_needs_no_driver_no_models_no_lexer() -> None:
    """The app is imported before the first frame: what is slow to import must come after it."""
    names = ("config", "cli.open_app", "cli.session", "service", "ui.app", "ui.terminal")
    heavy = {"psycopg", "pydantic", "pygments", "typer", "structlog", "postgast", "ruamel"}
    assert heavy & imported_by(*(f"confiture_tui.{name}" for name in names)) == set()


def test_the_list_of_migrations_needs_nothing_that_tries_or_judges_them() -> None:
    heavy = {f"confiture_tui.core.{name}" for name in ("catalog", "dry_run", "effects.simulation", "risk", "lint")}
    assert heavy & imported_by("confiture_tui.service.workspace") == set()


def test_full_collections_are_rare_while_the_app_runs_and_no_longer() -> None:
    before = gc.get_threshold()
    with full_collections_rare():
        young, middle, old = gc.get_threshold()
        assert young * middle * old > 100 * before[0] * before[1] * before[2]
        assert gc.isenabled()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
