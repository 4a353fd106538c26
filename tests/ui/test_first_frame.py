"""The frame that is drawn before Textual is loaded: where it is drawn, and that the terminal is always given back."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest

from confiture_tui.first_frame import FLAGS, WITH_VALUE, what_opens
from tests.support.processes import ROOT
from tests.ui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

PROGRAM = [sys.executable, "-m", "confiture_tui"]
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE = b"\x1b[?1000h"
"""What Textual writes as soon as it has the terminal."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "project/db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_jar.up.sql").write_text("CREATE TABLE jar (id int);\n")
    return tmp_path / "project"


@pytest.fixture
def slow(tmp_path: Path) -> dict[str, str]:
    """An environment in which loading the screens takes for ever."""
    package = tmp_path / "slow/textual"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import time\nwhile True:\n    time.sleep(0.05)\n")
    return {"PYTHONPATH": f"{package.parent}:{ROOT}"}


def opened(
    project: Path,
    env: Mapping[str, str] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    program: Sequence[str] = PROGRAM,
) -> Terminal:
    """The app on a project, in a terminal of its own."""
    environ = {"PYTHONPATH": str(ROOT), "CONFITURE_PROJECT": str(project), **(env or {})}
    return Terminal(program, columns=size[0], rows=size[1], env=environ)


def wait_for_raw(terminal: Terminal, word: bytes, *, after: int = 0) -> None:
    """Read until the program has written this."""
    while word not in terminal.raw[after:]:
        assert terminal.read_raw(60) is not None, f"it ended without {word!r}: {bytes(terminal.raw)!r}"


def given_back(terminal: Terminal) -> str:
    """What was written after the terminal was given back, once, as it had been."""
    assert terminal.line_mode
    before, left, after = bytes(terminal.raw).partition(LEAVE)
    assert left
    assert before.count(ENTER) == 1
    assert LEAVE not in after
    assert ENTER not in after
    assert b"\x1b[?25h" in after  # the cursor
    return after.decode()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 50)])
@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C"}, {"NO_COLOR": "1"}], ids=["unicode", "ascii", "no colour"])
def test_its_words_are_where_the_app_has_them(project: Path, size: tuple[int, int], env: dict[str, str]) -> None:
    with opened(project, env, size=size) as terminal:
        wait_for_raw(terminal, MOUSE)
        early = bytes(terminal.raw).partition(MOUSE)[0]
        terminal.wait_for("each step.")
        screen = pyte.Screen(*size)
        pyte.ByteStream(screen).feed(early)
        first, app = [line.rstrip() for line in screen.display], terminal.text.split("\n")
        drawn = [number for number, line in enumerate(first) if line]
        assert drawn == [0, 2]
        assert [first[number] for number in drawn] == [app[number] for number in drawn]
        assert first[2].startswith("  Opening ")
        # Empty already: what is entered twice might be emptied twice.
        assert terminal.raw.count(ENTER) == 1
        assert not any(f"\x1b[{colour}".encode() in early for colour in (*range(30, 50), *range(90, 108)))


def test_the_demo_says_what_is_being_made_ready(project: Path, slow: dict[str, str]) -> None:
    with opened(project, slow, program=[*PROGRAM, "demo"]) as terminal:
        terminal.wait_for("Starting the demo's own server")


def test_what_settings_might_say_of_ascii_is_heeded(project: Path, slow: dict[str, str], tmp_path: Path) -> None:
    user = tmp_path / "confiture-tui/config.yaml"
    user.parent.mkdir()
    user.write_text("ascii: true\n")
    with opened(project, slow | {"XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("Opening ...")
        assert terminal.raw.isascii()


def test_keys_that_come_early_are_kept_and_not_echoed(project: Path) -> None:
    with opened(project) as terminal:
        wait_for_raw(terminal, ENTER)
        assert not terminal.line_mode
        terminal.send("?")
        terminal.wait_for("Help")
        terminal.wait_for("esc")
        terminal.send("\x1b")
        terminal.wait_for("not tried yet")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0
        assert terminal.line_mode


def test_keys_are_not_echoed_however_long_it_takes(project: Path, slow: dict[str, str]) -> None:
    with opened(project, slow) as terminal:
        terminal.wait_for("Opening")
        terminal.send("zzz\r")
        terminal.send("\x03")
        assert terminal.wait_for_exit() == 130
        assert "Cancelled." in given_back(terminal)
        assert b"z" not in terminal.raw


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_it_as_ever_and_the_terminal_is_given_back(
    project: Path, slow: dict[str, str], name: str
) -> None:
    number = getattr(signal, name)
    with opened(project, slow) as terminal:
        terminal.wait_for("Opening")
        os.kill(terminal.pid, number)
        assert terminal.wait_for_exit() == -number
        given_back(terminal)


def test_it_is_stopped_and_continued(project: Path, slow: dict[str, str]) -> None:
    env = {"PS1": "ready> ", "HISTFILE": "", **slow}
    with opened(project, env, program=["bash", "--norc", "--noprofile", "-i"]) as terminal:
        terminal.wait_for("ready>")
        terminal.send(f"{sys.executable} -m confiture_tui\r")
        wait_for_raw(terminal, b"Opening")
        terminal.send("\x1a")
        wait_for_raw(terminal, b"Stopped")
        assert terminal.raw.count(LEAVE) == 1
        at = len(terminal.raw)
        terminal.send("fg\r")
        wait_for_raw(terminal, ENTER, after=at)
        wait_for_raw(terminal, b"Opening", after=at)
        terminal.send("\x03")
        wait_for_raw(terminal, b"Cancelled.", after=at)
        assert terminal.raw.count(LEAVE) == 2
        terminal.send("exit\r")
        terminal.wait_for_exit()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"CONFITURE_THEME": "of-no-colour"}, "there is no theme"),
        ({"CONFITURE_LOG_LEVEL": "loud"}, "is not a log level"),
        ({"CONFITURE_LOG_FILE": "/proc/none/log"}, "/proc/none/log"),
    ],
)
def test_why_it_does_not_open_is_said_on_the_shell_s_screen(project: Path, env: dict[str, str], said: str) -> None:
    with opened(project, env) as terminal:
        assert terminal.wait_for_exit() == 2
        assert said in given_back(terminal)


def test_a_settings_file_that_cannot_be_read_is_said_too(project: Path) -> None:
    (project / "confiture.yaml").write_text("env: [\n")
    with opened(project) as terminal:
        assert terminal.wait_for_exit() == 2
        assert "confiture.yaml" in given_back(terminal)


def test_a_defect_while_it_is_loaded_is_said_too(project: Path, tmp_path: Path) -> None:
    package = tmp_path / "broken/textual"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('no')\n")
    with opened(project, {"PYTHONPATH": f"{package.parent}:{ROOT}"}) as terminal:
        assert terminal.wait_for_exit() == 1
        assert "RuntimeError" in given_back(terminal)


@pytest.mark.parametrize(
    ("env", "size", "line"),
    [
        ({"TERM": "dumb"}, (80, 24), "exec {program}"),
        ({"TERM": ""}, (80, 24), "exec {program}"),
        ({"CONFITURE_PROJECT": "/nowhere"}, (80, 24), "exec {program} status"),
        ({}, (40, 24), "exec {program}"),
        ({}, (80, 10), "exec {program}"),
    ],
)
def test_elsewhere_there_is_none(
    project: Path, slow: dict[str, str], env: dict[str, str], size: tuple[int, int], line: str
) -> None:
    shell = ["sh", "-c", line.format(program=f"{sys.executable} -m confiture_tui")]
    with opened(project, {**slow, **env}, size=size, program=shell) as terminal:
        while terminal.read_raw(1.5):
            pass
        assert ENTER not in terminal.raw


def test_without_a_terminal_to_read_from_there_is_none(project: Path) -> None:
    shell = ["sh", "-c", f"exec {sys.executable} -m confiture_tui </dev/null"]
    with opened(project, program=shell) as terminal:
        assert terminal.wait_for_exit() == 2
        assert b"needs a terminal" in terminal.raw
        assert ENTER not in terminal.raw
        assert LEAVE not in terminal.raw


@pytest.mark.parametrize(
    ("arguments", "opens"),
    [
        ([], "project"),
        (["--project", "demo"], "project"),
        (["--read-only", "--env=live"], "project"),
        (["demo"], "demo"),
        (["--log-file", "x", "demo", "--no-traffic"], "demo"),
        (["demo", "--walkthrough"], None),
        (["demo", "--headless"], None),
        (["replay", "x.jsonl"], None),
        (["--project"], None),
        (["--traffic"], None),
        (["status"], None),
        (["--help"], None),
        (["demo", "--help"], None),
        (["demo", "demo"], None),
    ],
)
def test_it_is_for_what_opens_the_app(arguments: list[str], opens: str | None) -> None:
    assert what_opens(arguments) == opens


def test_it_knows_the_options_of_every_command() -> None:
    from confiture_tui.cli.options import Given

    options = {f"--{field.name.replace('_', '-')}": field.type for field in dataclasses.fields(Given)}
    flags = {name for name, kind in options.items() if "bool" in str(kind)}
    assert flags == FLAGS
    assert options.keys() - flags == WITH_VALUE


def test_what_draws_it_is_loaded_at_once() -> None:
    code = "import sys, confiture_tui.first_frame; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"asyncio", "textual", "rich", "typer", "dataclasses", "inspect", "logging", "json", "platformdirs"}
    assert heavy & set(names) == set()
