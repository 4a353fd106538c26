"""Watching processes from tests: nothing sleeps for a while and hopes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


def until(condition: Callable[[], bool], what: str, timeout: float = 30.0) -> None:
    """Wait until something holds; fail after the deadline, naming it."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not yet asked for counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(answer.stdout.strip()) and not answer.stdout.strip().startswith("Z")


def programs_of(directory: Path) -> list[str]:
    """The command lines of processes that name a directory: the server's programs on it."""
    listing = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if str(directory) in line]


def hear_signals() -> None:
    """For ``preexec_fn``: what is ignored is inherited, by tests that run in the background or under ``nohup`` too."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class PythonProcess:
    """A Python process of its own that runs a script of the test and tells what it has done, line by line."""

    def __init__(self, script: str, *arguments: str, **options: Any) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=hear_signals,
            **options,
        )

    def line(self) -> str:
        """The next line that it prints; fails if it ends instead."""
        assert self.process.stdout is not None
        line: str = self.process.stdout.readline()
        assert line, f"the process ended with {self.process.wait()} and printed nothing more"
        return line.rstrip("\n")

    def lines(self) -> Iterator[str]:
        """What it still prints until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line.rstrip("\n")

    def go_on(self) -> None:
        """Let it go past its next ``input()``."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self) -> PythonProcess:
        return self

    def __exit__(self, *_details: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
