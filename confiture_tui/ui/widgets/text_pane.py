"""A pane of text that wraps and scrolls: the facts of a statement, a dry run's report, a schema diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.content import Content

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.widgets.hanging_text import HangingText

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class ScrollingPane(VerticalScroll, can_focus=True):
    """Whatever is in it, scrolled by the keys of lists and text."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LINES)]

    def action_line_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False)

    def action_line_up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down_lines(self) -> None:
        """One page down."""
        self.scroll_page_down(animate=False)

    def action_page_up_lines(self) -> None:
        """One page up."""
        self.scroll_page_up(animate=False)

    def action_first_line(self) -> None:
        """To the beginning."""
        self.scroll_home(animate=False)

    def action_last_line(self) -> None:
        """To the end."""
        self.scroll_end(animate=False)


class TextPane(ScrollingPane):
    """Text of some dozens of lines. Longer text belongs into a view that draws only what is seen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._static = HangingText()
        self._content = Content("")

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._static

    @property
    def content(self) -> Content:
        """What is shown."""
        return self._content

    def show(self, content: Content, *, keep_position: bool = False) -> None:
        """Show this text, from its beginning unless it is the same thing going on."""
        if content.is_same(self._content):
            return
        self._content = content
        self._static.show(content)
        if not keep_position:
            self.scroll_home(animate=False)
