"""What the app owes to the terminal and the shell: signals, suspending, a report after a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.segment import Segment, Segments
from textual.app import App

from confiture_tui import first_frame
from confiture_tui.ui.crash import crash_report
from confiture_tui.ui.reopening import Reopening

if TYPE_CHECKING:
    from textual.driver import Driver


class TerminalApp(App[Reopening]):
    """An app that ends when it is told to, comes back from the shell whole, and crashes without telling secrets."""

    def get_driver_class(self) -> type[Driver]:
        """Textual's own choice, or, where that is the driver for a Unix terminal, ours, which is one."""
        chosen = super().get_driver_class()
        if sys.platform != "win32":
            from textual.drivers.linux_driver import LinuxDriver

            from confiture_tui.ui.driver import TakingOver

            if chosen is LinuxDriver:
                return TakingOver
        return chosen

    def _print_error_renderables(self) -> None:
        """Where the terminal is the shell's: it is not yet when the app fails before it has begun to draw."""
        first_frame.leave()
        super()._print_error_renderables()

    def heed_the_terminal(self) -> None:
        """Hear signals, once the event loop runs."""
        if sys.platform != "win32":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._terminated, number)
            for number in (signal.SIGTSTP, signal.SIGCONT):
                # Textual's own handlers write to the terminal from within the signal: where that comes while something
                # is being written, the program waits for itself for ever. From the loop they come between two things.
                handler = signal.getsignal(number)
                if callable(handler):
                    loop.add_signal_handler(number, handler, number, None)
        self.app_resume_signal.subscribe(self, self._resumed)

    def _resumed(self, _app: App[Any]) -> None:
        """Draw everything: what was on the screen is what the shell left there."""
        self.screen.refresh(layout=True)
        # Each of them: what has not changed since it was drawn last would be left out.
        for widget in self.screen.walk_children():
            widget.refresh()

    def _terminated(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def _handle_exception(self, error: Exception) -> None:
        """End the app with our own report: Textual's would print every local variable."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._fatal_error()

    def _fatal_error(self) -> None:
        """Keep the report for when the terminal is the shell's again, and stop."""
        error = self._exception or sys.exc_info()[1]
        if error is not None and not self._exit_renderables:
            report = crash_report(error, log_file=self.log_file_of_events)
            self._exit_renderables.append(Segments([Segment(f"{report}\n")]))
        self._close_messages_no_wait()

    @property
    def log_file_of_events(self) -> Path | None:
        """Where events are written, for the report of a crash."""
        raise NotImplementedError

    def action_suspend_process(self) -> None:
        """Back to the shell, with everything of ours that it waits for, as ctrl+z does in any other program."""
        if sys.platform == "win32" or self._driver is None or not self._driver.can_suspend:
            return
        if os.getsid(0) == os.getpgrp():
            self.notify("This terminal has no shell that could bring the program back.", severity="warning")
            return
        self.app_suspend_signal.publish(self)
        # The whole group, as the terminal itself would: also what started us, `uv run` for instance.
        os.killpg(os.getpgrp(), signal.SIGTSTP)
