"""Every way in which the command line can end: a sentence, a hint, an exit code; never a traceback, never a secret."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from confiture_tui.cli import entry
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "s3cr3t-word"


def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "confiture_tui", *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        cwd=cwd,
        timeout=60,
        check=False,
    )


def raiser(error: BaseException) -> Callable[[object], NoReturn]:
    def dispatch(_arguments: object) -> NoReturn:
        raise error

    return dispatch


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfitureError("It broke\x1b[2J.", hint="Mend it."), 1, "It broke␛[2J."),
        (UsageError("Bad option.", hint="Use a good one."), 2, "Use a good one."),
        (ConnectError("No server."), 3, "No server."),
        (Cancelled("Cancelled."), 130, "Cancelled."),
        (KeyboardInterrupt(), 130, "Cancelled."),
        (asyncio.CancelledError(), 130, "Cancelled."),
    ],
)
def test_each_failure_has_its_sentence_and_its_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "_dispatch", raiser(error))
    assert entry.run([]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("debug", [True, False])
def test_what_nobody_foresaw_is_a_calm_line_without_secrets(
    debug: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = RuntimeError(f"connect postgresql://app:{SECRET}@h/d password='{SECRET} x' PASSWORD={SECRET}")
    monkeypatch.setattr(entry, "_dispatch", raiser(error))
    assert entry.run(["--log-level", "debug"] if debug else []) == 1
    err = capsys.readouterr().err
    assert "RuntimeError" in err
    assert "cli/entry.py, line" in err
    assert "Traceback" not in err
    assert SECRET not in err
    assert ("in raise_it" in err or "in dispatch" in err) is debug
    assert ("connect postgresql://app:***@h/d" in err) is debug


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stauts"], "Did you mean 'status'"),
        (["--nope"], "--nope"),
        (["status", "--format", "xml"], "Formats: text, json"),
        (["dry-run", "--on", "moon"], "--on"),
        (["dry-run", "--as", "app"], "--on target"),
        (["dry-run", "--on", "target", "--lock-timeout", "soon"], "'soon' is not a time-out"),
        (["dry-run", "--fail-on", "sometimes"], "--fail-on"),
        (["status", "--project", "/nowhere/at/all"], "/nowhere/at/all"),
        (["preview", "007", "x.sql"], "cannot be mixed"),
        (["preview", "missing.sql"], "missing.sql"),
        ([], "needs a terminal"),
        (["demo"], "demo --headless"),
    ],
)
def test_a_mistake_is_exit_2_with_its_reason_on_stderr(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in ("demo", "status", "preview"))])
def test_help_shows_examples_and_every_common_option(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Examples:\n" in done.stdout
    for option in (
        "project",
        "env",
        "dsn",
        "config",
        "read-only",
        "log-file",
        "log-level",
        "format",
        "runner",
        "pg-bin",
    ):
        assert f"--{option} " in done.stdout


def test_the_version_is_printed_wherever_it_is_asked_for() -> None:
    import confiture_tui

    line = f"confiture-tui {confiture_tui.__version__}\n"
    assert run("--version").stdout == line
    assert run("--env", "x", "--version").stdout == line


def test_a_bad_settings_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "confiture.yaml").write_text("env: local\nenv: other\n")
    done = run("status", cwd=tmp_path)
    assert done.returncode == 2
    assert "confiture.yaml, line 2" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_is_no_error(
    unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    (tmp_path / "big.sql").write_text("SELECT 1;\n" * 20_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "confiture_tui", "preview", "big.sql"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (entry.EXIT_CLOSED_PIPE, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
@pytest.mark.parametrize("command", ["preview", "assess"])
def test_a_closed_stdin_is_told(command: str) -> None:
    program = f'exec "$0" -m confiture_tui {command} - <&-'
    done = subprocess.run(
        ["sh", "-c", program, sys.executable], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "it is closed" in done.stderr


def test_stdin_is_not_waited_for_on_an_event_loop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There the first Ctrl-C would only be noted."""

    class Waiting:
        @property
        def buffer(self) -> Waiting:
            return self

        def read(self) -> bytes:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Waiting())
    assert entry.run(["preview", "-"]) == entry.run(["assess", "-"]) == 130
    assert "Cancelled" in capsys.readouterr().err
