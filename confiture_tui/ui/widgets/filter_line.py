"""A line to type a filter in; it is there only while it is used."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from textual.widgets import Input

if TYPE_CHECKING:
    from textual.events import Key

_REMEMBERED: Final = 20
"""How many filters can be had back."""


class FilterLine(Input):
    """Hidden until a screen shows it. Up and down recall what was kept before; escape is the screen's."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, placeholder="type to filter; enter keeps it, esc clears it, up recalls")
        self.cursor_blink = False
        self.display = False
        self._kept: deque[str] = deque(maxlen=_REMEMBERED)
        self._back = 0

    def keep(self) -> None:
        """Remember what is in it, as the newest."""
        text = self.value.strip()
        if text:
            if text in self._kept:
                self._kept.remove(text)
            self._kept.append(text)
        self._back = 0

    def on_key(self, event: Key) -> None:
        """Up: the one before; down: the one after, at last an empty line."""
        step = {"up": 1, "down": -1}.get(event.key)
        if step is None:
            return
        event.prevent_default().stop()
        back = min(max(self._back + step, 0), len(self._kept))
        if back != self._back:
            self._back = back
            self.value = self._kept[-back] if back else ""
            self.cursor_position = len(self.value)
