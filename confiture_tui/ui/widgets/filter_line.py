"""A line to type a filter in; it is there only while it is used."""

from __future__ import annotations

from textual.widgets import Input


class FilterLine(Input):
    """Hidden until a screen shows it. Escape is the screen's."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, placeholder="type to filter; enter keeps it, esc clears it")
        self.cursor_blink = False
        self.display = False
