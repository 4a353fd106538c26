"""The newcomer's first minute, in a real terminal on the real demo."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ui.hostile import FORBIDDEN
from tests.ui.terminal import Terminal

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals"),
    pytest.mark.timeout(240),
]

PROGRAM = [sys.executable, "-m", "confiture_tui"]


def servers() -> set[int]:
    """The PostgreSQL servers that run now (their postmasters and backends), by ``/proc``."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                program = (entry / "exe").readlink().name
            except OSError:
                continue  # it ended while we looked, or is not ours to look at
            if program == "postgres":
                found.add(int(entry.name))
    return found


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and theirs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.add(child)
            todo.append(child)
    return found


def gone(pids: set[int]) -> bool:
    """Whether none of the processes is left; one that only waits to be reaped is gone."""
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            return False
    return True


def wait_until_gone(pids: set[int]) -> None:
    while not gone(pids):  # the test's own limit ends this
        time.sleep(0.02)


def test_open_the_demo_try_a_migration_and_quit() -> None:
    with Terminal([*PROGRAM, "demo"], columns=80, rows=24) as terminal:
        terminal.wait_for("demo's own server")
        terminal.wait_for("server_starting")
        terminal.wait_for("12 pending")
        terminal.wait_for("DEMO")
        started = descendants(terminal.pid)
        assert started & servers()
        terminal.wait_for("not tried yet")
        terminal.send("j")
        terminal.wait_for("009_jar_seal · ○ pending")
        terminal.wait_for("not tried yet")
        terminal.send("d")
        terminal.wait_for("nothing stayed")
        terminal.wait_for("ACCESS EXCLUSIVE public.w_order_line")
        terminal.wait_for("◆ rewrites")
        terminal.wait_for("dry_run_completed")
        terminal.wait(lambda screen: "Cancel" not in screen, what="the end of the job")
        assert not FORBIDDEN - {"\n"} & set(terminal.text)
        started |= descendants(terminal.pid)
        terminal.send("q")
        assert terminal.wait_for_exit() == 0
        wait_until_gone(started)


def test_it_quits_while_a_dry_run_is_under_way() -> None:
    with Terminal([*PROGRAM, "demo"], columns=120, rows=36) as terminal:
        terminal.wait_for("not tried yet", limit=120)
        started = descendants(terminal.pid)
        terminal.send("D")
        terminal.wait_for("running")
        terminal.send("q")
        terminal.wait_for("is under way")
        terminal.send("\r")
        terminal.wait(lambda screen: "is under way" not in screen, what="the question to go")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
        wait_until_gone(started)


def test_a_kill_leaves_no_server() -> None:
    with Terminal([*PROGRAM, "demo"], columns=60, rows=20) as terminal:
        terminal.wait_for("12 pending", limit=120)
        started = descendants(terminal.pid) & servers()
        assert started
        os.kill(terminal.pid, 9)
        assert terminal.wait_for_exit() == -9
        wait_until_gone(started)


def test_being_told_to_terminate_restores_the_terminal() -> None:
    with Terminal([*PROGRAM, "demo"], columns=80, rows=24) as terminal:
        terminal.wait_for("server_starting")
        started = descendants(terminal.pid)
        os.kill(terminal.pid, 15)
        assert terminal.wait_for_exit() == 143
        # The shell gets its screen back: the alternate one is left, the cursor shown.
        assert terminal.raw.rstrip().rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h")
        wait_until_gone(started)


def test_without_a_terminal_it_says_what_to_use() -> None:
    done = subprocess.run([*PROGRAM, "demo"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "confiture-tui demo --headless" in done.stderr
    assert "Traceback" not in done.stderr
