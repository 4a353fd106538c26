"""Running the app in a terminal: what the command line calls."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from confiture_tui.errors import UsageError
from confiture_tui.user_files import user_keys_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.service import MigrationService
    from confiture_tui.service.recording.replay import ReplayService
    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.app import ConfitureApp
    from confiture_tui.ui.reopening import Reopening


_THRESHOLDS: Final = (2_000, 10, 500)
"""Python's own are 700, 10 and 10."""


@contextmanager
def full_collections_rare() -> Iterator[None]:
    """While the app runs, Python seldom looks through all that is alive for garbage.

    Looking through 100,000 kept events takes a tenth of a second, in which no key is served, and with 10,000 events a
    second it would come every few seconds. What dies young is found as ever.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def nothing_collected() -> Iterator[None]:
    """While the app is loaded, Python looks for no garbage: a tenth of the time, and what is made then stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def require_terminal(*, instead: str = "`confiture-tui status`, which needs none") -> None:
    """Make sure that there is a terminal to read keys from and to draw on (Textual draws on standard error).

    Raises:
        UsageError: there is none; the hint says what to use ``instead``.
    """
    for name, stream in (("input", sys.stdin), ("error", sys.stderr)):
        # Either is None where a program was started without it.
        if stream is None or stream.closed or not stream.isatty():
            raise UsageError(f"The app needs a terminal, and standard {name} is not one.", hint=f"Use {instead}.")


@contextmanager
def _threads_heard() -> Iterator[list[str]]:
    """While the app draws on standard error, an exception that ends a thread must not be printed there.

    Yields a list that receives the type of each such exception, to be told afterwards.
    """
    hook = threading.excepthook
    lost: list[str] = []

    def keep(args: threading.ExceptHookArgs) -> None:
        thread = args.thread.name if args.thread is not None else "a thread"
        lost.append(f"{args.exc_type.__name__} ended {thread}.")

    threading.excepthook = keep
    try:
        yield lost
    finally:
        threading.excepthook = hook


def run_app(service: MigrationService, *, walkthrough: bool = False) -> int | Reopening:
    """Run the app on this service until the user quits; returns the exit code, or what is to be opened instead.

    ``walkthrough``: it leads through.

    Whoever calls this keeps log handlers off the terminal meanwhile (``observability.terminal_left_alone``).

    0 after quitting; in the middle of a run 130 (nothing of what was under way stands) or 5 (it is half-way), 1 after a
    crash (a report without secrets is then on standard error), 130 when interrupted before the app took over the
    keyboard, 143 when it was told to terminate.

    Raises:
        UsageError: there is no terminal, or the user's keys or theme cannot be used.
    """
    command = "confiture-tui demo --headless" if service.is_demo else "confiture-tui status"
    if service.settings.file is not None:
        command = "confiture-tui assess FILE"
    require_terminal(instead=f"`{command}`, which needs none")
    with nothing_collected():
        app: ConfitureApp
        if walkthrough:
            from confiture_tui.ui.walkthrough_app import WalkthroughApp

            app = WalkthroughApp(service)
        else:
            from confiture_tui.ui.app import ConfitureApp

            app = ConfitureApp(service, actions=_actions())
    return _run(app)


def run_replay(service: ReplayService, *, speed: float, paused: bool) -> int:
    """Run the app on a recording until the user quits; returns the exit code, as ``run_app`` does.

    Raises:
        UsageError: there is no terminal, or the user's keys cannot be used.
    """
    require_terminal(instead="`jq`: a recording is one JSON object a line")
    with nothing_collected():
        from confiture_tui.ui.replay_app import ReplayApp

        app = ReplayApp(service, speed=speed, paused=paused, actions=_actions())
    ended = _run(app)
    return ended if isinstance(ended, int) else 0


def _actions() -> tuple[Action, ...]:
    """The table of actions, with the user's own keys where there are some."""
    from confiture_tui.ui.actions import ACTIONS
    from confiture_tui.ui.keymap import read_keymap

    keys = user_keys_file(os.environ)
    return read_keymap(keys) if keys.is_file() else ACTIONS


def _run(app: ConfitureApp) -> int | Reopening:
    with full_collections_rare(), _threads_heard() as lost:
        try:
            app.run()
        except KeyboardInterrupt:
            return 130
    for line in (*app.last_words, *lost):
        sys.stderr.write(f"{line}\n")
    reopening = app.return_value
    return reopening if reopening is not None else app.return_code or 0
