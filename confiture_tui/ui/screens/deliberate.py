"""A question whose yes changes a database: the harmless answer has the focus, and production wants its name typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


def typed_name(database: str) -> Content:
    """That production wants its name typed."""
    return Content.assemble(
        (" PRODUCTION ", style("env-production")), " tab, then type ", (safe_line(database), style("strong"))
    )


class DeliberateDialog(Dialog[str | None]):
    """Asks; the answer is ``None`` for no, and for a deliberate yes what was typed (empty where nothing had to be).

    Escape, and Enter at once, mean no. Where a name is to be typed, yes cannot be pressed before it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.DIALOG)]

    def __init__(self, question: Content, *, yes: Content, name: str | None) -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._database = name

    def compose(self) -> ComposeResult:
        """The question, the name where it must be typed, the two answers."""
        with Vertical(id="confirm"):
            with VerticalScroll(id="question-scroll", can_focus=False):
                yield Static(self._question, id="question", markup=False)
            if self._database is not None:
                yield Static(typed_name(self._database), id="demand", markup=False)
                yield Input(id="typed", compact=True)
            with Horizontal(id="answers"):
                yield Button(Content("Cancel"), id="no", compact=True)
                yield Button(self._yes, id="yes", variant="error", compact=True, disabled=self._database is not None)

    def on_mount(self) -> None:
        """Enter must do no harm."""
        for typed in self.query(Input):
            typed.cursor_blink = False
        self.query_one("#no", Button).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Yes can be pressed once the name is right."""
        self.query_one("#yes", Button).disabled = event.value != self._database

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter after the right name is as deliberate as the button."""
        if event.value == self._database:
            self.dismiss(event.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss((self._database or "") if event.button.id == "yes" else None)

    def action_dismiss_dialog(self) -> None:
        """No."""
        self.dismiss(None)
