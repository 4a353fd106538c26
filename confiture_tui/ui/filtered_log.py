"""What of the event log a filter lets through, numbered like the log itself so that the same view can draw it."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING, Final

from confiture_tui.service.log_filter import LogFilter

if TYPE_CHECKING:
    from confiture_tui.events import Event
    from confiture_tui.ui.event_log import EventLog


_AT_ONCE: Final = 20_000
"""How many events are looked at in one go: more would hold up a key for longer than a frame."""


class FilteredLog:
    """The events of a log that pass, and those around them. ``sync`` takes over what has come."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._filter = LogFilter()
        self._serials: deque[int] = deque()
        self._seen = 0
        self._dropped = 0
        self._until = -1

    @property
    def filter(self) -> LogFilter:
        """What passes."""
        return self._filter

    def refilter(self, new: LogFilter) -> None:
        """Let something else through; ``sync`` until it says that all has been looked at."""
        self._filter, self._dropped, self._until = new, 0, -1
        self._serials.clear()
        self._seen = self._log.first

    def sync(self) -> bool:
        """Take over some of what has come, and forget what the log has forgotten.

        Returns whether all has been looked at; while not, call it again soon.
        """
        log, serials = self._log, self._serials
        while serials and serials[0] < log.first:
            serials.popleft()
            self._dropped += 1
        begin = max(self._seen, log.first)
        self._seen = min(begin + _AT_ONCE, log.end)
        passes, around = self._filter.lets_through, self._filter.context
        for serial in range(begin, self._seen):
            if passes(log[serial]):
                last = serials[-1] if serials else -1
                serials.extend(range(max(serial - around, last + 1, log.first), serial + 1))
                self._until = serial + around
            elif serial <= self._until:
                serials.append(serial)
        return self.is_complete

    @property
    def is_complete(self) -> bool:
        """Whether all that has come has been looked at."""
        return self._seen == self._log.end

    @property
    def seen(self) -> int:
        """The serial of the first event that has not been looked at."""
        return self._seen

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

    def serial(self, number: int) -> int:
        """The serial in the log of the event with this number.

        Raises:
            IndexError: it is not kept any more, or has not come yet.
        """
        if not self.first <= number < self.end:
            raise IndexError(f"event {number} is not kept")
        return self._serials[number - self._dropped]

    def since(self, serial: int) -> int:
        """How many of the events that are shown have this serial or a later one."""
        return len(self._serials) - bisect_left(self._serials, serial)

    def number_of(self, serial: int) -> int:
        """The number of the event with this serial, or of the next that is shown; the last one when there is none."""
        return self._dropped + min(bisect_left(self._serials, serial), max(len(self._serials) - 1, 0))

    def __getitem__(self, number: int) -> Event:
        """The event with this number.

        Raises:
            IndexError: it is not kept any more, or has not come yet.
        """
        return self._log[self.serial(number)]
