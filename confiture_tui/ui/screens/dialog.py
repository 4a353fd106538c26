"""The base of what is shown over a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.styles import CLASSES, style

if TYPE_CHECKING:
    from textual.widget import Widget

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A question or a text over a screen, with the app's styles."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES)
    # Textual declares it without ClassVar.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (23, "-medium"), (34, "-tall")]  # noqa: RUF012

    def action_pick_choice(self) -> None:
        """Where there are answers, the button that has the focus answers; a list of choices has its own."""
        if isinstance(self.focused, Button):
            self.focused.press()

    def action_next_answer(self) -> None:
        """The arrow goes from one answer to the next, as tab does."""
        self.focus_next(Button)

    def action_previous_answer(self) -> None:
        """To the answer before."""
        self.focus_previous(Button)


def closing() -> Content:
    """The key that leaves, for the lower border."""
    return Content.assemble((key_of("dismiss_dialog"), style("key")), " closes")


def entitle(frame: Widget, title: str, hint: Content) -> None:
    """Put a title into the upper border of a dialog's frame and the keys into the lower one."""
    # A string would be read as markup.
    frame.border_title = Content(title)
    frame.border_subtitle = Content.assemble(hint)
