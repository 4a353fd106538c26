"""Asks for a line of text: a name, a reason, a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from confiture_tui.ui.actions import Where, bindings_at, key_of
from confiture_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class LineDialog(Dialog[str | None]):
    """The answer is the line, or ``None``: escape, or enter on an empty line."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.DIALOG)]

    def __init__(self, question: Content, suggestion: str = "") -> None:
        super().__init__()
        self._question = question
        self._suggestion = suggestion

    def compose(self) -> ComposeResult:
        """The question, the line, how to leave."""
        with Vertical(id="confirm"):
            yield Static(self._question, id="question", markup=False)
            yield Input(self._suggestion, id="typed", compact=True, select_on_focus=False)
            hint = f"enter takes it, {key_of('dismiss_dialog')} leaves everything as it is"
            yield Static(Content(hint), classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """Typing begins at once."""
        typed = self.query_one(Input)
        typed.cursor_blink = False
        typed.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The answer."""
        self.dismiss(event.value.strip() or None)

    def action_dismiss_dialog(self) -> None:
        """No."""
        self.dismiss(None)
