"""The names of the panes, where only one of them has room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.events import Click


class TabStrip(OneLine):
    """One line with the title of each pane; the shown one stands out, by brackets too."""

    active: reactive[str] = reactive("", always_update=False)

    class Chosen(Message):
        """A pane's title was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, titles: Mapping[str, str], *, id: str) -> None:
        super().__init__(id=id)
        self._titles = dict(titles)

    @property
    def titles(self) -> Mapping[str, str]:
        """The title of each pane."""
        return self._titles

    def retitle(self, titles: Mapping[str, str]) -> None:
        """There are other panes now."""
        self._titles = dict(titles)
        self.refresh()

    def _places(self) -> list[tuple[str, int, int]]:
        places, position = [], 0
        for pane, title in self._titles.items():
            places.append((pane, position, position + len(title) + 2))
            position += len(title) + 3
        return places

    def line(self, width: int) -> Content:
        """The titles."""
        parts = [
            Content.styled(f"[{title}]", style("tab-active"))
            if pane == self.active
            else Content.styled(f" {title} ", style("tab"))
            for pane, title in self._titles.items()
        ]
        return Content(" ").join(parts).truncate(width)

    def on_click(self, event: Click) -> None:
        """Say which title was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for pane, start, end in self._places():
            if start <= offset.x < end:
                self.post_message(self.Chosen(pane))
