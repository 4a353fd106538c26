"""The last events, in a ring: the log pane of every screen reads from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.events import Event

CAPACITY: Final = 100_000


class Events(Protocol):
    """Events numbered for good, of which the oldest may be gone: the log, or what a filter lets through of it."""

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept."""

    @property
    def end(self) -> int:
        """The number that the next event will have."""

    def __len__(self) -> int:
        """How many are kept."""

    def __getitem__(self, number: int) -> Event:
        """The event with this number."""


class EventLog:
    """A ring of the last events. Used by the event loop only.

    Every event has a *serial*, 0 for the first that ever came. ``first`` to ``end - 1`` are the serials that are kept.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._ring: list[Event] = []
        self._end = 0
        self._begin = 0

    @property
    def end(self) -> int:
        """The serial that the next event will have."""
        return self._end

    @property
    def first(self) -> int:
        """The serial of the oldest event that is kept."""
        return self._end - len(self._ring)

    def __len__(self) -> int:
        return len(self._ring)

    def __getitem__(self, serial: int) -> Event:
        """The event with this serial.

        Raises:
            IndexError: it is not kept any more, or has not come yet.
        """
        if not self.first <= serial < self._end:
            raise IndexError(f"event {serial} is not kept")
        return self._ring[(serial - self._begin) % self._capacity]

    @property
    def total(self) -> int:
        """How many events there have been since the beginning, or since it was cleared."""
        return self._end - self._begin

    def clear(self) -> None:
        """Forget all events; the serials go on."""
        self._ring.clear()
        self._begin = self._end

    def extend(self, events: Iterable[Event]) -> None:
        """Add events, oldest first; when the ring is full each takes the place of the oldest."""
        ring, capacity, begin, end = self._ring, self._capacity, self._begin, self._end
        for event in events:
            if len(ring) < capacity:
                ring.append(event)
            else:
                ring[(end - begin) % capacity] = event
            end += 1
        self._end = end
