"""The help for where you are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from confiture_tui.ui.actions import Where, bindings_at, key_of
from confiture_tui.ui.presenters.keys import help_text
from confiture_tui.ui.screens.dialog import Dialog
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
        """A title, the keys, how to leave."""
        with Vertical(id="help"):
            yield Static(Content("Keys"), classes="dialog-title", markup=False)
            yield TextPane(id="help-text")
            yield Static(Content(f"{key_of('dismiss_dialog')} closes"), classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """Show them."""
        pane = self.query_one(TextPane)
        pane.show(self._text)
        pane.focus()

    def action_dismiss_dialog(self) -> None:
        """Close."""
        self.dismiss()
