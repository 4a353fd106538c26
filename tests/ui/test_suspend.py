"""ctrl+z and fg, in a real shell: the program stops, the shell is back, and fg draws the screen again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.ui.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no job control")

SHELL = ["bash", "--norc", "--noprofile", "-i"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_jar.up.sql").write_text("CREATE TABLE jar (id int);\n")
    (migrations / "001_jar.down.sql").write_text("DROP TABLE jar;\n")
    return tmp_path


def child_of(pid: int) -> int:
    """The one process that this one has started."""
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    (child,) = listing.stdout.split()
    return int(child)


@pytest.mark.parametrize("how", ["ctrl+z", "kill -TSTP"])
def test_it_is_suspended_and_comes_back_whole(project: Path, how: str) -> None:
    env = {"PS1": "ready> ", "PYTHONPATH": str(ROOT), "CONFITURE_PROJECT": str(project), "HISTFILE": ""}
    with Terminal(SHELL, columns=80, rows=24, env=env) as terminal:
        terminal.wait_for("ready>")
        terminal.send(f"{sys.executable} -m confiture_tui\r")
        terminal.wait_for("001_jar")
        terminal.wait_for("not tried yet")
        if how == "ctrl+z":
            terminal.send("\x1a")
        else:
            os.kill(child_of(terminal.pid), signal.SIGTSTP)
        terminal.wait_for("Stopped")
        terminal.send("clear\r")
        terminal.wait(lambda screen: screen.strip() == "ready>", what="an empty screen")
        terminal.send("fg\r")
        terminal.wait_for("not tried yet")
        terminal.wait_for("001_jar")
        terminal.wait(lambda screen: "ready>" not in screen, what="a screen with nothing of the shell on it")
        terminal.send("q")
        terminal.wait_for("ready>")
        terminal.send("echo it ended with $?\r")
        terminal.wait_for("it ended with 0")
        terminal.send("exit\r")
        terminal.wait_for_exit()


def test_where_no_shell_could_bring_it_back_it_stays(project: Path) -> None:
    with Terminal([sys.executable, "-m", "confiture_tui", "--project", str(project)], columns=80, rows=24) as terminal:
        terminal.wait_for("not tried yet")
        terminal.send("\x1a")
        terminal.wait_for("has no shell")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0
