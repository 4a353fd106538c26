"""The clock of a replay: where it is, how fast it goes, whether it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SLOWEST: Final = 0.25
FASTEST: Final = 64.0


@dataclass(slots=True)
class Player:
    """Time within a recording, in seconds.

    Attributes:
        length: of the recording.
        is_whole: the session was closed; otherwise the recording just ends.
        speed: how many seconds of it go by in one.
        position: where it is.
        paused: it stands still.
    """

    length: float
    is_whole: bool = True
    speed: float = 1.0
    position: float = 0.0
    paused: bool = False

    @property
    def ended(self) -> bool:
        """Whether there is nothing left."""
        return self.position >= self.length

    @property
    def share(self) -> float:
        """How much of it lies behind, from 0 to 1."""
        return min(self.position / self.length, 1.0) if self.length else 1.0

    @property
    def state(self) -> str:
        """What it does, in a word or two."""
        if self.ended:
            return "ended" if self.is_whole else "cut off here: the session was not closed"
        return "paused" if self.paused else "playing"

    def go_by(self, seconds: float) -> None:
        """So much time went by outside."""
        if not self.paused:
            self.seek(self.position + seconds * self.speed)

    def seek(self, position: float) -> None:
        """Go there, within the recording."""
        self.position = min(max(position, 0.0), self.length)

    def faster(self, factor: float) -> None:
        """Change the speed, within bounds."""
        self.speed = min(max(self.speed * factor, SLOWEST), FASTEST)
