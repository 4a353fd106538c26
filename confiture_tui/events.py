"""The events of everything that happens: one stream, many readers.

The core, the database layer and the service *emit* events into a sink that they are given; the log pane, the log
file, the console and a recording *read* the same stream. An event holds plain JSON-able values only, so that it can be
written, filtered and replayed without knowing the object that it speaks of.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from confiture_tui.masking import masked


class Level(IntEnum):
    """How much an event matters; the numbers are those of the standard library's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40

    @property
    def word(self) -> str:
        """The level as a lower-case word, as it is written in a log file."""
        return self.name.lower()


class EventName(StrEnum):
    """What happened. Operators search logs for these words: add, never rename."""

    SERVER_STARTING = "server_starting"
    SERVER_STARTED = "server_started"
    SERVER_STOPPED = "server_stopped"
    CONNECTED = "connected"
    CONNECTION_LOST = "connection_lost"
    PROJECT_OPENED = "project_opened"
    PROJECT_FINDING = "project_finding"
    CATALOG_LOADED = "catalog_loaded"
    DEMO_BUILDING = "demo_building"
    DEMO_READY = "demo_ready"
    DEMO_TRAFFIC = "demo_traffic"
    SHADOW_BUILDING = "shadow_building"
    SHADOW_READY = "shadow_ready"
    SHADOW_CACHE = "shadow_cache"
    SHADOW_INCOMPLETE = "shadow_incomplete"
    RATES_MEASURED = "rates_measured"
    DRY_RUN_START = "dry_run_start"
    DRY_RUN_COMPLETED = "dry_run_completed"
    DRY_RUN_FAILED = "dry_run_failed"
    PASS_STARTED = "pass_started"
    PREDICTION_MISMATCH = "prediction_mismatch"
    ROUND_TRIP_COMPLETED = "round_trip_completed"
    PHASE_COMPLETED = "phase_completed"
    STATEMENT_START = "statement_start"
    STATEMENT_COMPLETED = "statement_completed"
    STATEMENT_FAILED = "statement_failed"
    SERVER_NOTICE = "server_notice"
    LOCK_WAIT = "lock_wait"
    GAVE_WAY = "gave_way"
    EXECUTING_HOOKS = "executing_hooks"
    HOOK_START = "hook_start"
    HOOK_LOG = "hook_log"
    HOOK_PROGRESS = "hook_progress"
    HOOK_COMPLETED = "hook_completed"
    HOOK_FAILED = "hook_failed"
    HOOK_NOT_EXERCISED = "hook_not_exercised"
    RUN_STARTED = "run_started"
    RUN_COMPLETED = "run_completed"
    PREFLIGHT = "preflight"
    MIGRATION_START = "migration_start"
    MIGRATION_APPLIED = "migration_applied"
    MIGRATION_ROLLED_BACK = "migration_rolled_back"
    MIGRATION_FAILED = "migration_failed"
    MIGRATION_INTERRUPTED = "migration_interrupted"
    LOCK_TIMEOUT_RETRY = "lock_timeout_retry"
    OUTCOME_UNKNOWN = "outcome_unknown"
    OUTCOME_SETTLED = "outcome_settled"
    INVALID_INDEX_DROPPED = "invalid_index_dropped"
    JOB_STARTED = "job_started"
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    JOB_CANCELLED = "job_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        name: what happened.
        message: one sentence for a person. It may hold text from files and servers: pass it through
            ``safe_text`` before it reaches a screen.
        level: how much it matters.
        at: when, in UTC.
        migration: the version of the migration concerned, if there is one.
        phase: the part of a run it belongs to: ``verdict`` or ``observation`` in a dry run, a hook's phase in a run.
        statement: the 1-based index of the statement concerned within its migration.
        duration_ms: how long it took, in milliseconds, where something was timed.
        rows_affected: rows inserted, updated or deleted, where rows were counted.
        data: whatever else belongs to it: JSON-able values only, never a password.
    """

    name: EventName
    message: str
    level: Level = Level.INFO
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    migration: str | None = None
    phase: str | None = None
    statement: int | None = None
    duration_ms: float | None = None
    rows_affected: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """The event as a flat JSON-able dictionary, without the fields that do not apply."""
        record: dict[str, Any] = {"at": self.at.isoformat(), "level": self.level.word, "event": str(self.name)}
        for name in ("message", "migration", "phase", "statement", "duration_ms", "rows_affected"):
            value = getattr(self, name)
            if value is not None:
                record[name] = value
        if self.data:
            record["data"] = dict(self.data)
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Event:
        """The event that ``to_record`` wrote.

        Raises:
            ValueError: the record names no event that this version knows, or its time or level cannot be read.
            KeyError: a required key is missing.
        """
        optional = ("migration", "phase", "statement", "duration_ms", "rows_affected")
        return cls(
            name=EventName(record["event"]),
            message=record["message"],
            level=Level[str(record["level"]).upper()],
            at=datetime.fromisoformat(record["at"]),
            data=dict(record.get("data", {})),
            **{name: record[name] for name in optional if name in record},
        )


Sink = Callable[[Event], None]
"""Where events go. It must be quick, must not raise, and may be called from any thread."""


def discard(_event: Event) -> None:
    """A sink for those who do not listen: a library call without an application around it."""


class EventStream:
    """Hands each event on to every reader. Thread-safe; itself a ``Sink``.

    A reader that raises is a defect of the reader and must not stop the job that emitted the event: the reader is
    detached and the error is kept in ``broken``, which the application shows when it ends.
    """

    def __init__(self) -> None:
        self._readers: tuple[Sink, ...] = ()
        self._lock = threading.Lock()
        self.broken: list[Exception] = []

    def subscribe(self, reader: Sink) -> Callable[[], None]:
        """Add a reader; the function returned takes it away again."""
        with self._lock:
            self._readers = (*self._readers, reader)

        def unsubscribe() -> None:
            with self._lock:
                self._readers = tuple(one for one in self._readers if one is not reader)

        return unsubscribe

    def __call__(self, event: Event) -> None:
        """Hand the event on to every reader, with the passwords in its texts masked."""
        event = _masked(event)
        for reader in self._readers:
            try:
                reader(event)
            except Exception as error:  # noqa: BLE001 - kept in `broken`, see above
                with self._lock:
                    self._readers = tuple(one for one in self._readers if one is not reader)
                    self.broken.append(error)


def _masked(event: Event) -> Event:
    """A second line of defence: what a migration or a server says may hold one."""
    message, data = masked(event.message), masked(event.data)
    if message == event.message and data == event.data:
        return event
    return dataclasses.replace(event, message=message, data=data)


def with_context(sink: Sink, **context: Any) -> Sink:
    """A sink that fills in fields (``migration``, ``phase``, …) that an event leaves open."""

    def filled(event: Event) -> None:
        missing = {key: value for key, value in context.items() if getattr(event, key) is None}
        sink(dataclasses.replace(event, **missing) if missing else event)

    return filled
