"""The line of keys and the help, from the table of actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import Action, Where, key_name, reachable_at
from confiture_tui.ui.presenters.styles import style

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class KeyHint:
    """One key of the line of keys, and the cells that it takes there (``end`` is the first cell after it)."""

    action: Action
    start: int
    end: int

    @property
    def key(self) -> str:
        """The key as a person reads it."""
        return key_name(self.action.keys[0])


def key_hints(actions: Iterable[Action], *, width: int, running: bool) -> tuple[KeyHint, ...]:
    """The keys that fit in ``width`` cells, in the order of the table; the heaviest are dropped first."""
    shown = [action for action in actions if action.weight and action.keys and (running or not action.running)]
    while True:
        hints: list[KeyHint] = []
        position = 1
        for action in shown:
            end = position + len(key_name(action.keys[0])) + 1 + len(action.label)
            hints.append(KeyHint(action, position, end))
            position = end + 2
        if not hints or hints[-1].end <= width or len(shown) == 1:
            return tuple(hints)
        shown.remove(max(shown, key=lambda action: (action.weight, shown.index(action))))


def key_line(hints: Iterable[KeyHint]) -> Content:
    """The line of keys."""
    parts: list[str | tuple[str, str]] = [" "]
    for hint in hints:
        parts += [(hint.key, style("key")), " ", (hint.action.label, style("quiet")), "  "]
    return Content.assemble(*parts)


def help_text(places: Iterable[Where]) -> Content:
    """Every action of these places, with all its keys and a sentence, under a heading for each place."""
    lines: list[Content] = []
    reachable = reachable_at(*(places := tuple(places)))
    for place in places:
        lines += [Content("")] if lines else []
        lines.append(Content.styled(place.value, style("heading")))
        for action in reachable:
            if action.where is place and action.keys:
                keys = " ".join(key_name(key) for key in action.keys)
                lines.append(Content.assemble((f"  {keys:<14} ", style("key")), action.help))
    return Content("\n").join(lines)
