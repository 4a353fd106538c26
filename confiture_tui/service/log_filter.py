"""Which events of a log are shown: by level, by words, by fields, with those around them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.events import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_tui.events import Event


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Events of ``level`` and above that have each of the words of ``text``, in any case.

    A word ``key=value`` asks for a field or an entry of the event's data: ``migration=008``, ``hook=analyze_tables``;
    the value needs to be the beginning only. With each of them come ``context`` events before it and after it.
    """

    text: str = ""
    level: Level = Level.DEBUG
    context: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything passes."""
        return not self.text.strip() and self.level is Level.DEBUG

    def lets_through(self, event: Event) -> bool:
        """Whether the event is shown."""
        if event.level < self.level:
            return False
        return all(_matches(event, word) for word in self.text.casefold().split())


def _matches(event: Event, word: str) -> bool:
    if word in f"{event.message} {event.name} {event.migration or ''}".casefold():
        return True
    key, equals, wanted = word.partition("=")
    if not equals:
        return False
    if key in ("migration", "phase", "statement"):
        value = getattr(event, key)
    elif key == "event":
        value = event.name
    elif key == "level":
        value = event.level.word
    else:
        value = event.data.get(key)
    return value is not None and str(value).casefold().startswith(wanted)


def let_through(events: Iterable[Event], wanted: LogFilter) -> Iterator[Event]:
    """The events that a filter shows, each once and in their order."""
    before: deque[Event] = deque(maxlen=wanted.context)
    after = 0
    for event in events:
        if wanted.lets_through(event):
            yield from before
            before.clear()
            yield event
            after = wanted.context
        elif after:
            yield event
            after -= 1
        else:
            before.append(event)
