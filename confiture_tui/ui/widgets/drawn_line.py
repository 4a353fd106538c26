"""One line that somebody else draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.content import Content


class DrawnLine(OneLine):
    """A line made by the function that it is given; ``refresh`` it when what it speaks of has changed."""

    def __init__(self, draw: Callable[[int], Content], *, id: str) -> None:
        super().__init__(id=id)
        self._draw = draw

    def line(self, width: int) -> Content:
        """The line in ``width`` cells."""
        return self._draw(width)
