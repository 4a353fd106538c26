"""What a hook may know of the run that it is part of, and how it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.errors import Cancelled
from confiture_tui.events import Event, EventName, Level, Sink, discard

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.hooks.phase import HookPhase
    from confiture_tui.core.migrations.model import Migration

Direction = Literal["forward", "backward"]
"""``forward`` applies a migration, ``backward`` takes it back."""


class HookLogger:
    """Writes a hook's own lines into the run's structured log."""

    def __init__(self, sink: Sink, *, hook: str, phase: str | None, migration: str | None) -> None:
        self._sink = sink
        self._hook = hook
        self._phase = phase
        self._migration = migration

    def debug(self, message: str, **fields: Any) -> None:
        """A line for whoever looks for a defect."""
        self._write(Level.DEBUG, message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """A line for the operator."""
        self._write(Level.INFO, message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Something that the operator should look at."""
        self._write(Level.WARNING, message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Something that went wrong without being this hook's failure."""
        self._write(Level.ERROR, message, fields)

    def _write(self, level: Level, message: str, fields: dict[str, Any]) -> None:
        # A hook's author may log any value; events hold plain ones only.
        plain = {name: value if isinstance(value, _PLAIN) else str(value) for name, value in fields.items()}
        self._sink(
            Event(
                name=EventName.HOOK_LOG,
                message=message,
                level=level,
                phase=self._phase,
                migration=self._migration,
                data={"hook": self._hook, **plain},
            )
        )


_PLAIN = (str, int, float, bool, type(None))


class CancelFlag:
    """Whether somebody asked for a stop: ``if context.cancelled():``, and ``if context.cancelled:`` means the same.

    Made of a function, of a ``threading.Event``, or of a plain truth value.
    """

    def __init__(self, asked: Any = False) -> None:
        known: Any = getattr(asked, "is_set", asked)
        self._asked: Callable[[], bool] = known if callable(known) else lambda: bool(known)

    def __call__(self) -> bool:
        """Whether somebody did."""
        return self._asked()

    __bool__ = is_set = __call__


@dataclass
class HookContext:
    """A working object, one for each run of a migration; the executor hands every hook a view with its own name.

    Attributes:
        migration: the migration.
        direction: forward or backward.
        dry_run: everything will be rolled back, or thrown away with the shadow that it runs on.
        on_shadow: the connection leads to a shadow, not to the target.
        statistics: what earlier hooks of this run found out: ``statistics["capture_statistics"]["rows"]``. All hooks of
            a run share it, and may write into it.
        error: in ON_ERROR, what went wrong.
        sink: where events go.
        cancelled: whether somebody asked for a stop, as a ``CancelFlag``; ``check_cancelled`` raises when so.
        settings_file: the project's ``confiture.yaml``; ``None`` where there is none.
        phase, hook: the phase and the name of the hook that runs.
    """

    migration: Migration | None = None
    direction: Direction = "forward"
    dry_run: bool = False
    on_shadow: bool = False
    statistics: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None
    sink: Sink = discard
    cancelled: CancelFlag = field(default_factory=CancelFlag)
    settings_file: Path | None = None
    phase: HookPhase | None = None
    hook: str = ""

    def __post_init__(self) -> None:
        self.cancelled = CancelFlag(self.cancelled)

    @property
    def version(self) -> str | None:
        """The migration's version, as events name it."""
        return self.migration.version if self.migration is not None else None

    @property
    def logger(self) -> HookLogger:
        """Writes lines into the run's log."""
        return HookLogger(self.sink, hook=self.hook, phase=self.phase, migration=self.version)

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Say how far it has come: ``done`` of ``total`` rows, batches, tables; ``None`` when the end is not known."""
        said = message or (f"{done} of {total}" if total is not None else str(done))
        self.sink(
            Event(
                name=EventName.HOOK_PROGRESS,
                message=f"{self.hook}: {said}",
                phase=self.phase,
                migration=self.version,
                data={"hook": self.hook, "done": done, "total": total},
            )
        )

    def check_cancelled(self) -> None:
        """Stop here if somebody asked for it; a long hook calls this between its batches.

        Raises:
            Cancelled: somebody did.
        """
        if self.cancelled():
            raise Cancelled("Cancelled.")
