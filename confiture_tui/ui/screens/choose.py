"""One of a few things to be chosen, over a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content

from confiture_tui.ui.actions import Where, bindings_at, key_of
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.screens.dialog import Dialog, closing, entitle
from confiture_tui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


class _Choices(RowList):
    """The things, a line each."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(id="choices")
        self._labels = labels

    def on_mount(self) -> None:
        """All of them."""
        self.styles.height = len(self._labels)
        self.set_rows(len(self._labels))

    def line_content(self, index: int, width: int) -> Content:
        """One of them."""
        return Content(self._labels[index]).truncate(width, ellipsis=True)


class ChooseDialog(Dialog[int | None]):
    """The answer is the number of what was chosen, from 0; ``None`` for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.DIALOG)]

    def __init__(self, title: str, labels: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self.labels = labels

    def compose(self) -> ComposeResult:
        """The things; the title, how to choose and how to leave stand in the border."""
        self.choices = _Choices(self.labels)
        with Vertical(id="choose") as frame:
            taking = Content.assemble((key_of("pick_choice"), style("key")), " takes it   ")
            entitle(frame, self._title, taking + closing())
            yield self.choices

    def on_mount(self) -> None:
        """The keys go to the list."""
        self.choices.focus()

    def action_pick_choice(self) -> None:
        """Take the chosen one."""
        self.dismiss(self.choices.cursor)

    def on_row_list_picked(self) -> None:
        """A click on what is chosen already takes it."""
        self.action_pick_choice()

    def action_dismiss_dialog(self) -> None:
        """Nothing."""
        self.dismiss(None)
