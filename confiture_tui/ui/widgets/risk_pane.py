"""The risks of a migration, one of them chosen: what is said of all of them, each, and what is said at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from confiture_tui.ui.widgets.hanging_text import HangingText
from confiture_tui.ui.widgets.text_pane import ScrollingPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content
    from textual.events import Click

    from confiture_tui.core.risk.model import Risk


class RiskPane(ScrollingPane):
    """Blocks of text, of which those of the risks can be chosen."""

    class Moved(Message):
        """Another risk is chosen."""

    def __init__(self, draw: Callable[[Risk, bool], Content], *, id: str) -> None:
        """A pane in which ``draw`` makes the text of a risk; it is told whether that is the chosen one."""
        super().__init__(id=id)
        self._draw = draw
        self._head = HangingText()
        self._end = HangingText()
        self._blocks: list[HangingText] = []
        self._risks: tuple[Risk, ...] = ()
        self._cursor = 0

    def compose(self) -> ComposeResult:
        """What comes first and what comes last; the risks between them come as they are known."""
        yield self._head
        yield self._end

    @property
    def chosen(self) -> Risk | None:
        """The chosen risk."""
        return self._risks[self._cursor] if self._risks else None

    def show(self, head: Content, risks: Sequence[Risk], end: Content, *, keep: bool) -> None:
        """Show these; ``keep``: it is the same migration as before, so what is chosen and in view stays."""
        self._head.show(head)
        self._end.show(end)
        self._risks = tuple(risks)
        if not keep:
            self.scroll_home(animate=False)
        self._cursor = min(self._cursor, max(len(risks) - 1, 0)) if keep else 0
        missing = [HangingText(classes="risk") for _ in range(len(risks) - len(self._blocks))]
        if missing:
            self.mount_all(missing, before=self._end)
            self._blocks += missing
        self._redraw()

    def _redraw(self) -> None:
        for number, block in enumerate(self._blocks):
            block.display = number < len(self._risks)
            if block.display:
                block.show(self._draw(self._risks[number], number == self._cursor))
                block.set_class(number == self._cursor, "-chosen")

    def step(self, step: int) -> None:
        """Choose the next risk, or the one before, and bring it into view."""
        if self._risks:
            self._choose((self._cursor + step) % len(self._risks))

    def _choose(self, number: int) -> None:
        self._cursor = number
        self._redraw()
        self.scroll_to_widget(self._blocks[number], animate=False, top=True)
        self.post_message(self.Moved())

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        for number, block in enumerate(self._blocks[: len(self._risks)]):
            if block.region.contains(event.screen_x, event.screen_y):
                self._choose(number)
