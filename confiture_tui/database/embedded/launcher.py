"""Starts the server's programs so that none of them outlives this process, however it ends.

On Linux the kernel sends a signal to a child when its parent dies; it does so when the *thread* ends that started the
child. So one thread, which lives as long as the process, starts them all: a job's thread that asks for a server may
end. Elsewhere a small watchdog process waits on a pipe whose other end is ours, and stops the server when it closes.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confiture_tui.database.embedded import become
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confiture_tui.database.embedded.identity import Identity


class Tie(Enum):
    """How a child learns that this process is gone."""

    DEATH_SIGNAL = "the kernel's signal of the parent's death (prctl(2), PR_SET_PDEATHSIG)"
    WATCHDOG = "a process that waits on a pipe"

    @classmethod
    def of_platform(cls) -> Tie:
        """The one that this operating system has."""
        return cls.DEATH_SIGNAL if sys.platform == "linux" else cls.WATCHDOG


class IdentityRefusedError(ConfitureError):
    """The system does not let us run a program under that identity."""


_WATCHDOG: Final = """
read -r word
[ "$word" = stopped ] && exit 0
case "$(ps -o args= -p "$1")" in *"$2"*) kill -QUIT "$1" ;; esac
"""
"""It reads a word when the server was stopped, or the end of the pipe when this process is gone. The process id may
have been given out again by then, hence the look at the arguments, which hold the data directory."""


@dataclass(slots=True)
class Child:
    """A program that was started.

    Attributes:
        process: the process; it is the program itself, not a shell around it.
    """

    process: subprocess.Popen[bytes]
    _watchdog: subprocess.Popen[bytes] | None = None

    def wait(self, timeout: float | None) -> int | None:
        """Wait until it ends, at most that many seconds; its exit code, or None if it still runs."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._dismiss_watchdog()
        return code

    def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send one signal after the other, each with its seconds to wait, until the program has ended."""
        for number, seconds in steps:
            self.process.send_signal(number)
            if self.wait(seconds) is not None:
                return

    def _dismiss_watchdog(self) -> None:
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.communicate(b"stopped\n")


class Launcher:
    """The thread that starts the programs, and the list of those that run."""

    def __init__(self, tie: Tie | None = None) -> None:
        self._tie = tie or Tie.of_platform()
        self._lock = threading.Lock()
        self._requests: queue.SimpleQueue[tuple[_Order, Future[Child]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._children: list[Child] = []
        self._closed = False

    def start(
        self,
        program: Sequence[str | Path],
        *,
        identity: Identity,
        environment: Mapping[str, str],
        directory: Path,
        output: Path,
    ) -> Child:
        """Start a program; returns when it has been started, not when it is ready.

        It gets a session of its own, so that Ctrl-C in the shell does not reach it: whoever started it stops it.

        Args:
            program: absolute path and arguments; one of them holds ``directory``.
            identity: who it runs as. That it was refused shows in the exit code ``become.IDENTITY_REFUSED``.
            environment: all of its environment.
            directory: the working directory; it tells the program from others.
            output: a file that its stdout and stderr are appended to.

        Raises:
            ConfitureError: it cannot be started.
        """
        order = _Order(tuple(str(word) for word in program), identity, dict(environment), directory, output, self._tie)
        answer: Future[Child] = Future()
        with self._lock:
            if self._closed:
                raise ConfitureError("The program is about to end and starts no more servers.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="server launcher", daemon=True)
                self._thread.start()
            self._requests.put((order, answer))
        try:
            return answer.result()
        except OSError as error:
            raise ConfitureError(f"{program[0]} cannot be started: {error.strerror}.") from None

    def close(self) -> None:
        """Start nothing more, and end at once what still runs."""
        with self._lock:
            self._closed = True
            children = tuple(self._children)
        for child in children:
            if child.process.poll() is None:
                child.stop([(signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)])

    def _work(self) -> None:
        """What the thread does, as long as the process lives."""
        while True:
            order, answer = self._requests.get()
            try:
                child = order.carry_out()
            except BaseException as error:  # noqa: BLE001 - it is raised where the program was asked for
                answer.set_exception(error)
            else:
                with self._lock:
                    self._children = [one for one in self._children if one.process.returncode is None]
                    self._children.append(child)
                answer.set_result(child)


@dataclass(frozen=True, slots=True)
class _Order:
    """One program to start, and how."""

    program: tuple[str, ...]
    identity: Identity
    environment: dict[str, str]
    directory: Path
    output: Path
    tie: Tie

    def carry_out(self) -> Child:
        """Start it, in the thread that this is called in."""
        # SIGQUIT is the server's immediate shutdown: it needs no time and cleans its shared memory up
        # (documentation, "Shutting Down the Server"); the data are not worth a checkpoint.
        death_signal = int(signal.SIGQUIT) if self.tie is Tie.DEATH_SIGNAL else 0
        wrapper = (sys.executable, "-I", "-S", str(Path(become.__file__).absolute()))
        how = (self.identity.word, str(death_signal), str(os.getpid()))
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                (*wrapper, *how, *self.program),
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        watchdog = None
        if self.tie is Tie.WATCHDOG:
            watchdog = subprocess.Popen(
                ("/bin/sh", "-c", _WATCHDOG, "watchdog", str(process.pid), str(self.directory)),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return Child(process, watchdog)
