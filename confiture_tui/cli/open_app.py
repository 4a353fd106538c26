"""The one door from the command line to the screens."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.config import Settings


def open_app(settings: Settings, *, demo: bool = False, traffic: bool = True, walkthrough: bool = False) -> int:
    """Open the full-screen app, and what its user opens from there, and return the exit code of the last.

    Args:
        demo: on the demo shop.
        traffic: the demo shop has customers meanwhile, so that a lock has somebody to keep waiting.
        walkthrough: captions lead through it.

    Raises:
        UsageError: there is no terminal to open it on, or the log file cannot be written.
    """
    from confiture_tui.cli.session import listening
    from confiture_tui.first_frame import left_at_end
    from confiture_tui.observability import terminal_left_alone
    from confiture_tui.service import MigrationService
    from confiture_tui.ui.terminal import run_app

    while True:
        service = MigrationService(settings, demo=demo, traffic=demo and traffic)
        # Innermost: what is said of the log file afterwards is said on the shell's screen.
        with terminal_left_alone(), listening(service, settings, on_console=False), left_at_end():
            ended = run_app(service, walkthrough=walkthrough)
        if isinstance(ended, int):
            return ended
        if settings.record is not None:
            # A recording is of one session on one database.
            sys.stderr.write(f"The recording {settings.record} ended here: what was opened next is not in it.\n")
        settings, demo, walkthrough = replace(ended.settings, record=None), ended.demo, False


def open_replay(file: Path, *, speed: float, paused: bool) -> int:
    """Open the app on a recording and return its exit code once it has ended.

    Raises:
        UsageError: there is no terminal to open it on, or the recording cannot be read.
    """
    from confiture_tui.observability import terminal_left_alone
    from confiture_tui.service.recording.reading import read_recording
    from confiture_tui.service.recording.replay import ReplayService
    from confiture_tui.ui.terminal import run_replay

    service = ReplayService(read_recording(file))
    with terminal_left_alone():
        return run_replay(service, speed=speed, paused=paused)
