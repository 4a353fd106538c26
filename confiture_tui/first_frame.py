"""What is on the screen while the app is still being loaded: its first words, in the place where it will have them.

Loading the screens takes a few tenths of a second. Here, within hundredths after the program's start, the terminal is
made the app's: its other screen, no cursor, keys that are kept and not echoed. The app takes it over as it is. Where
there will be no app after all, ``leave`` gives it back, so that what is to be said is said on the shell's screen.

It imports next to nothing, and that must stay so.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.opening import WAITING, opening_words
from confiture_tui.terminal import draws_unicode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

WITH_VALUE: Final = frozenset(
    {
        "--project",
        "--env",
        "--dsn",
        "--config",
        "--migrations-dir",
        "--log-file",
        "--record",
        "--log-level",
        "--format",
        "--runner",
        "--layout",
        "--pg-bin",
        "--shadow-dsn",
        "--clone-dsn",
        "--rows",
    }
)
"""The options of every command that take a value."""
FLAGS: Final = frozenset({"--read-only"})
"""Those that take none."""
_OF_DEMO: Final = frozenset({"--traffic", "--no-traffic"})
ENTER: Final = "\x1b[?1049h"
"""To the terminal's other screen."""
_LEAVE: Final = "\x1b[H\x1b[2J\x1b[?1049l\x1b[?25h"
"""Back; emptied first, for a terminal that has no other screen."""
_LEAST: Final = (60, 20)
"""Columns and lines of the smallest terminal in which the words are sure to be where the app has them."""
_PEEK: Final = 65_536
_HEARD: Final = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")

_shown: _FirstFrame | None = None


def show(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Draw the first frame, if these arguments open the app, and on a terminal that it will take."""
    global _shown
    opened = what_opens(arguments)
    if opened is None or not _terminal_is_ours(environ):
        return
    fancy = draws_unicode(environ) and not _may_be_plain(arguments, environ)
    separator, dots = ("·", "…") if fancy else ("|", "...")
    words = opening_words(dots, demo=opened == "demo")
    drawn = f"\x1b[1;2H{WAITING} {separator} Confiture\x1b[3;3H\x1b[1m{words}\x1b[0m"
    _shown = _FirstFrame(f"{ENTER}\x1b[?25l\x1b[H\x1b[2J{drawn}".encode())
    _shown.enter()


def leave() -> None:
    """Give the terminal back as it was, unless the app has taken it over; harmless where there is no first frame."""
    global _shown
    frame = _shown
    if frame is not None:
        frame.leave()
        _shown = None


def take_over() -> list[Any] | None:
    """The app has the terminal from now on: its attributes before the first frame; ``None`` if there was none."""
    global _shown
    frame, _shown = _shown, None
    if frame is None:
        return None
    frame.stop_hearing()
    return frame.before


@contextmanager
def left_at_end() -> Iterator[None]:
    """Whatever happens inside, afterwards the terminal is the shell's."""
    try:
        yield
    finally:
        leave()


def what_opens(arguments: Sequence[str]) -> str | None:
    """``project`` or ``demo``, where these arguments open one of them; ``None`` where they do not, or it is unsure.

    A walkthrough or a replay has a line more above the words.
    """
    demo = False
    left = iter(arguments)
    for one in left:
        name, equals, _value = one.partition("=")
        if name in WITH_VALUE:
            if not equals and next(left, None) is None:
                return None
        elif one == "demo" and not demo:
            demo = True
        elif one not in FLAGS and not (demo and one in _OF_DEMO):
            return None
    return "demo" if demo else "project"


def _terminal_is_ours(environ: Mapping[str, str]) -> bool:
    """Whether the app would read from and draw on this terminal, and does so in the foreground."""
    # The app's driver can be another one by this variable, and the shell asks for completions by the other one.
    if environ.get("TERM", "dumb") in ("", "dumb", "unknown") or environ.get("TEXTUAL_DRIVER"):
        return False
    if "_CONFITURE_TUI_COMPLETE" in environ or sys.__stdin__ is None or sys.__stderr__ is None:
        return False
    try:
        import termios  # Windows has none

        if not (os.isatty(0) and os.isatty(2)) or os.tcgetpgrp(0) != os.getpgrp():
            return False
        termios.tcgetattr(0)
        columns, lines = os.get_terminal_size(2)
    except (ImportError, OSError, termios.error):
        return False
    return columns >= _LEAST[0] and lines >= _LEAST[1]


def _may_be_plain(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether settings might say that nothing but ASCII is to be drawn; they are read in full only later."""
    if environ.get("CONFITURE_ASCII"):
        return True
    from pathlib import Path

    from confiture_tui.user_files import user_config_file

    named = _named(arguments)
    try:
        project = Path(named.get("--project") or environ.get("CONFITURE_PROJECT") or ".").expanduser()
        config = named.get("--config") or environ.get("CONFITURE_CONFIG")
        files = [user_config_file(environ), Path(config).expanduser() if config else project / "confiture.yaml"]
        files += (project / "db" / "environments").glob("*.yaml")
        # Only regular files: a pipe would be waited for.
        return any(b"ascii" in _beginning(file) for file in files if file.is_file())
    except (OSError, ValueError, RuntimeError):
        return True


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_PEEK)


def _named(arguments: Sequence[str]) -> dict[str, str]:
    """The values of the options that have one."""
    found: dict[str, str] = {}
    left = iter(arguments)
    for one in left:
        name, equals, value = one.partition("=")
        if name in WITH_VALUE:
            found[name] = value if equals else next(left, "")
    return found


class _FirstFrame:
    """The terminal while it is the app's and the app is not there yet.

    Attributes:
        before: the terminal's attributes as they were found.
    """

    def __init__(self, drawn: bytes) -> None:
        import termios

        self.before: list[Any] = termios.tcgetattr(0)
        self._drawn = drawn
        self._heard: list[int] = []
        self._entered = False

    def enter(self) -> None:
        """Take the terminal, and hear the signals that would end or stop the program without giving it back."""
        import termios

        ours = termios.tcgetattr(0)
        # As the app will set them, but ctrl+c and ctrl+z do what they do in any program that is still starting.
        ours[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
        ours[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        ours[6][termios.VMIN], ours[6][termios.VTIME] = 1, 0
        with _undisturbed():
            for name in _HEARD:
                number = getattr(signal, name)
                # Who started us may have said that it is to be ignored, as nohup does.
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._on_signal)
                    self._heard.append(number)
            # Not TCSAFLUSH: what was typed already is for the app.
            termios.tcsetattr(0, termios.TCSANOW, ours)
            self._entered = True
            _write(self._drawn)

    def leave(self) -> None:
        """Give it back, once: what is on the shell's screen is not ours to wipe away."""
        import termios

        with _undisturbed():
            if self._entered:
                _write(_LEAVE.encode())
                # An error: the terminal has gone, and nothing of it is left to be put right.
                with suppress(termios.error):
                    termios.tcsetattr(0, termios.TCSANOW, self.before)
                self._entered = False
            self.stop_hearing()

    def stop_hearing(self) -> None:
        """The signals do again what they did before."""
        while self._heard:
            number = self._heard.pop()
            # Whoever has taken one over meanwhile keeps it.
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, signal.SIG_DFL)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Give the terminal back and let the signal do what it does; who is continued after it takes it again."""
        self.leave()
        os.kill(os.getpid(), number)
        self.enter()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No signal comes in between: a terminal that is half the app's and half the shell's is nobody's."""
    numbers = {signal.SIGINT, *(getattr(signal, name) for name in _HEARD)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _write(data: bytes) -> None:
    """Write to the terminal at once, past the buffer of ``sys.stderr``."""
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        # The terminal has gone; whoever needs one says so.
        return
