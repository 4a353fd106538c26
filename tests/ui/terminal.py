"""A real terminal in memory: a program on a pty, its screen in pyte, keys sent as bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# pyte 0.8 prints the kitty keyboard protocol's sequences, and knows no synchronized output.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?2026[$hlp]*|\x1b\[>[0-9;]*[a-zA-Z]")


class Terminal:
    """A program in a terminal of ``columns`` by ``rows``; use it as a context, which ends the program."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = bytearray()
        self._undrawn = bytearray()
        self.exit_code: int | None = None
        self.started_at = time.monotonic()
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **(env or {})}
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), environ)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def line_mode(self) -> bool:
        """Whether the terminal is as a shell's programs expect it: lines are put together, and keys are echoed."""
        flags = termios.tcgetattr(self._fd)[3]
        return bool(flags & termios.ECHO and flags & termios.ICANON)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def read_raw(self, timeout: float = 0.1) -> bytes | None:
        """What the program wrote, not drawn; empty if nothing came in time, ``None`` when nothing ever will."""
        ready, _, _ = select.select([self._fd], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return None  # Linux says EIO when the other side is closed
        self.raw += data
        self._undrawn += data
        return data or None

    def read(self, timeout: float = 0.1) -> bool:
        """Take in and draw what the program wrote; false when there is no more and never will be."""
        data = self.read_raw(timeout)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", bytes(self._undrawn)))
        self._undrawn.clear()
        return data is not None

    def wait(self, condition: Callable[[str], bool], *, what: str, limit: float = 60.0) -> None:
        """Read until the screen is as it should be.

        Raises:
            AssertionError: it was not so in ``limit`` seconds, or the program ended first; with the screen.
        """
        end = time.monotonic() + limit
        while not condition(self.text):
            if not self.read():
                raise AssertionError(f"the program ended while waiting for {what}:\n{self.text}")
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}:\n{self.text}")

    def wait_for(self, text: str, *, limit: float = 60.0) -> None:
        """Read until the text is on the screen."""
        self.wait(lambda screen: text in screen, what=repr(text), limit=limit)

    def wait_for_exit(self, limit: float = 20.0) -> int:
        """Read to the end; the exit code, or minus the signal that ended it."""
        end = time.monotonic() + limit
        while self.read():
            if time.monotonic() > end:
                raise AssertionError(f"it did not end:\n{self.text}")
        _, status = os.waitpid(self.pid, 0)
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code
