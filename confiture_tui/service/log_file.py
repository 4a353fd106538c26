"""Reads events back from where they were written: a log file, an export, a recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import UsageError
from confiture_tui.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class LogFile:
    """The events in a file of JSON Lines.

    Attributes:
        path: the file.
        unread: how many lines could not be read so far: the last one of a log that is being written may be half there,
            and another version may tell of what this one does not know.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0

    def events(self) -> Iterator[Event]:
        """Each event, as it is read.

        Raises:
            UsageError: the file cannot be read, or is no log.
        """
        known = 0
        try:
            with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                for line in file:
                    event = self._event(line)
                    if event is not None:
                        known += 1
                        yield event
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}.", hint="Is the name right?") from None
        if self.unread and not known:
            raise UsageError(
                f"{self.path} is no log: none of its lines is an event.",
                hint="A log is what --log-file and --record write, and what the Log screen exports.",
            )

    def _event(self, line: str) -> Event | None:
        try:
            record: Any = json.loads(line)
            if "event" not in record and {"kind", "t"} & record.keys():
                # What else a recording holds.
                return None
            return Event.from_record(record["event"] if isinstance(record["event"], dict) else record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.unread += bool(line.strip())
            return None
