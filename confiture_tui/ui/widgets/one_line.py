"""Widgets of one line whose content depends on how wide they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Size


class OneLine(Widget):
    """One line, made anew for every width by ``line``."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One."""
        return 1

    def line(self, width: int) -> Content:
        """The line in ``width`` cells."""
        raise NotImplementedError

    def render(self) -> Content:
        """The line, for Textual."""
        return self.line(self.size.width) if self.size.width else Content("")
