"""What of the event log a filter lets through, numbered like the log itself so that the same view can draw it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.events import Level

if TYPE_CHECKING:
    from confiture_tui.events import Event
    from confiture_tui.ui.event_log import EventLog


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Events of ``level`` and above that have each of the words of ``text``, in any case.

    A word ``key=value`` asks for a field or an entry of the event's data: ``migration=008``, ``hook=analyze_tables``;
    the value needs to be the beginning only.
    """

    text: str = ""
    level: Level = Level.DEBUG

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


class FilteredLog:
    """The events of a log that pass. ``sync`` takes over what has come; ``filter`` starts anew."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._filter = LogFilter()
        self._serials: deque[int] = deque()
        self._seen = 0
        self._dropped = 0

    @property
    def filter(self) -> LogFilter:
        """What passes."""
        return self._filter

    def refilter(self, new: LogFilter) -> None:
        """Let something else through."""
        self._filter, self._dropped = new, 0
        self._serials.clear()
        self._seen = self._log.first
        self.sync()

    def sync(self) -> None:
        """Take over what has come, and forget what the log has forgotten."""
        log, serials = self._log, self._serials
        while serials and serials[0] < log.first:
            serials.popleft()
            self._dropped += 1
        passes = self._filter.lets_through
        serials.extend(serial for serial in range(max(self._seen, log.first), log.end) if passes(log[serial]))
        self._seen = log.end

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept."""
        return self._dropped

    @property
    def end(self) -> int:
        """The number that the next event will have."""
        return self._dropped + len(self._serials)

    def __len__(self) -> int:
        return len(self._serials)

    def __getitem__(self, number: int) -> Event:
        """The event with this number.

        Raises:
            IndexError: it is not kept any more, or has not come yet.
        """
        if not self.first <= number < self.end:
            raise IndexError(f"event {number} is not kept")
        return self._log[self._serials[number - self._dropped]]
