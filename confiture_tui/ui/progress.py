"""How far a dry run has come, read from its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from confiture_tui.events import Event, EventName


class Mark(StrEnum):
    """What is known of a statement while the dry run is under way."""

    WAITING = "waiting"
    RUNNING = "running"
    RAN = "ran"
    FAILED = "failed"


_MARKS = {
    EventName.STATEMENT_START: Mark.RUNNING,
    EventName.STATEMENT_COMPLETED: Mark.RAN,
    EventName.STATEMENT_FAILED: Mark.FAILED,
}


@dataclass(slots=True)
class Progress:
    """The dry run of one migration, as its events tell it.

    Attributes:
        version: of the migration.
        step: what is being done now, in words.
        phase: the pass that is under way, ``None`` before the first.
        marks: what became of each statement in that pass, by index.
    """

    version: str
    step: str = "starting"
    phase: str | None = None
    marks: dict[int, Mark] = field(default_factory=dict)

    def apply(self, event: Event) -> bool:
        """Take an event into account; returns whether it changed anything. Events of other migrations do not."""
        if event.name in (EventName.SHADOW_BUILDING, EventName.SERVER_STARTING):
            # The shadow is shared by migrations, so these may name none.
            return self._set_step("building the shadow") if self.phase is None else False
        if event.migration != self.version:
            return False
        if event.name is EventName.PASS_STARTED:
            self._enter(event.phase)
            return True
        mark = _MARKS.get(event.name)
        if mark is None or event.statement is None:
            return False
        if event.phase != self.phase:
            self._enter(event.phase)
        self.marks[event.statement] = mark
        self.step = f"{self.phase or 'running'}: statement {event.statement}"
        return True

    def _set_step(self, step: str) -> bool:
        changed = step != self.step
        self.step = step
        return changed

    def _enter(self, phase: str | None) -> None:
        """A pass begins: every statement waits again."""
        self.phase = phase
        self.marks.clear()
        self.step = f"{phase}" if phase else "running"
