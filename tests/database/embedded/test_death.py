"""However this process ends, its server ends too, and what stays of it is swept at the next start."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from confiture_tui.database.embedded.launcher import Tie
from tests.support.processes import PythonProcess, is_alive, programs_of, until

SERVE = """
import signal, sys
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.database.embedded.launcher import Launcher, Tie
EmbeddedServer._launcher = Launcher(Tie[sys.argv[1]])
server = EmbeddedServer.shared()
conn = connect(server.dsn())
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
print(server.pid, server.directory, flush=True)
while True:
    try:
        input()
    except EOFError:
        break
    print(conn.execute("SELECT 'still here'").fetchone()[0], flush=True)
"""
OURS = Tie.of_platform().name
TIES = [OURS] if OURS == "WATCHDOG" else ["DEATH_SIGNAL", "WATCHDOG"]


def served(python: PythonProcess) -> tuple[int, Path]:
    """The server's process id and directory."""
    pid, directory = python.line().split()
    return int(pid), Path(directory)


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_process_leaves_no_server_and_the_next_start_sweeps(number: signal.Signals, tie: str) -> None:
    with PythonProcess(SERVE, tie) as python:
        pid, directory = served(python)
        python.process.send_signal(number)
        python.process.wait()
    until(lambda: not is_alive(pid), "the server ends with its owner")
    until(lambda: not programs_of(directory), "none of its programs is left")
    with PythonProcess(SERVE, tie) as python:
        _, other = served(python)
        assert not directory.exists()
        assert other.exists()
    until(lambda: not programs_of(other), "the second server ends too")


def test_the_sweep_of_another_process_does_not_touch_a_living_server() -> None:
    with PythonProcess(SERVE, OURS) as living:
        _, directory = served(living)
        with PythonProcess(SERVE, OURS) as killed:
            _, stale = served(killed)
            killed.process.kill()
        until(lambda: not programs_of(stale), "the killed one's server ends")
        with PythonProcess(SERVE, OURS) as sweeping:
            served(sweeping)
            assert not stale.exists()
            assert directory.exists()
        living.go_on()
        assert living.line() == "still here"


@pytest.mark.parametrize("tie", TIES)
def test_ctrl_c_in_the_shell_does_not_reach_the_server(tie: str) -> None:
    with PythonProcess(SERVE, tie, start_new_session=True) as python:
        pid, directory = served(python)
        os.killpg(python.process.pid, signal.SIGINT)
        assert python.line() == "interrupted"
        python.go_on()
        assert python.line() == "still here"
        assert python.process.stdin is not None
        python.process.stdin.close()
        assert python.process.wait() == 0
    # The application has stopped it before it ended: nothing to wait for.
    assert not is_alive(pid)
    assert not programs_of(directory)
    assert not directory.exists()


def test_the_memory_of_a_server_that_was_killed_with_its_owner_is_swept() -> None:
    """After SIGKILL of the server itself its System V segment stays; the next start removes it."""
    listing = Path("/proc/sysvipc/shm")
    if not listing.exists():
        pytest.skip("only Linux lists the segments")

    def segment_ids() -> set[str]:
        return {line.split()[1] for line in listing.read_text().splitlines()[1:]}

    with PythonProcess(SERVE, OURS) as python:
        pid, directory = served(python)
        number = (directory / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        assert number in segment_ids()
        os.kill(python.process.pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        python.process.kill()
    until(lambda: not programs_of(directory), "its helpers end")
    assert number in segment_ids()
    with PythonProcess(SERVE, OURS) as python:
        served(python)
        assert not directory.exists()
        assert number not in segment_ids()


ORPHAN = """
from confiture_tui.database.embedded import EmbeddedServer, launcher
import subprocess
launcher._WATCHDOG = "exit 0"
EmbeddedServer._launcher = launcher.Launcher(launcher.Tie.WATCHDOG)
server = EmbeddedServer.shared()
print(server.pid, server.directory, flush=True)
input()
"""


def test_a_server_that_outlived_its_owner_is_stopped_by_the_next_start() -> None:
    with PythonProcess(ORPHAN) as python:
        pid, directory = served(python)
        python.process.kill()
    assert is_alive(pid)
    with PythonProcess(SERVE, OURS) as python:
        served(python)
        assert not is_alive(pid)
        assert not directory.exists()
