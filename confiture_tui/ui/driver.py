"""Textual's driver for a terminal that may be the app's already: the first frame is drawn before Textual is loaded."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

from confiture_tui.first_frame import ENTER, take_over


class TakingOver(LinuxDriver):
    """Takes the terminal over from the first frame, which stays to be seen until the app's own is drawn over it."""

    _entered = False

    def start_application_mode(self) -> None:
        """Begin to draw and to read keys; at the end the terminal gets back what it had before the first frame."""
        before = take_over()
        self._entered = before is not None
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own has no annotation
        finally:
            self._entered = False
        if before is not None and self.attrs_before is not None:
            self.attrs_before = before

    def write(self, data: str) -> None:
        """Write to the terminal; where it is on its other screen already, entering it again would empty it."""
        if not (self._entered and data == ENTER):
            super().write(data)
