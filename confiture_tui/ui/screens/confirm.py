"""A question with two answers, of which the harmless one has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content


class ConfirmDialog(Dialog[bool]):
    """Asks; the answer is true only for a deliberate yes. Escape, and Enter at once, mean no."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.DIALOG)]

    def __init__(self, question: Content, *, yes: Content, no: Content) -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question and the two answers."""
        with Vertical(id="confirm"):
            yield Static(self._question, id="question", markup=False)
            with Horizontal(id="answers"):
                yield Button(self._no, id="no", compact=True)
                yield Button(self._yes, id="yes", variant="error", compact=True)

    def on_mount(self) -> None:
        """Enter must do no harm."""
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(event.button.id == "yes")

    def action_dismiss_dialog(self) -> None:
        """No."""
        self.dismiss(False)
