"""The help for where you are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.presenters.keys import help_text
from confiture_tui.ui.screens.dialog import Dialog, closing, entitle
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class HelpScreen(Dialog[None]):
    """Every key that works on the screen below, in words."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.DIALOG)]

    def __init__(self, places: tuple[Where, ...]) -> None:
        super().__init__()
        self._text = help_text((*places, Where.LINES))

    def compose(self) -> ComposeResult:
        """The keys; what they are and how to leave stands in the border, where no length can push it out."""
        with Vertical(id="help") as frame:
            entitle(frame, "Keys", closing())
            yield TextPane(id="help-text")

    def on_mount(self) -> None:
        """Show them."""
        pane = self.query_one(TextPane)
        pane.show(self._text)
        pane.focus()

    def action_dismiss_dialog(self) -> None:
        """Close."""
        self.dismiss()
