from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from confiture_tui.errors import UsageError
from confiture_tui.ui.terminal import require_terminal, run_app
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


def test_the_first_screen_needs_no_driver_no_models_no_lexer() -> None:
    """The app is imported before the first frame: what is slow to import must come after it."""
    code = """
        import sys
        import confiture_tui.ui.app, confiture_tui.ui.terminal
        heavy = {"psycopg", "pydantic", "pygments", "typer", "structlog", "postgast", "ruamel"}
        print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
