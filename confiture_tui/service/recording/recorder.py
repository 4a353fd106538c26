"""Keeps a session in a file: its events, what was asked of the service, and the answers."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from confiture_tui.masking import masked
from confiture_tui.observability import BackgroundReader, new_private_file
from confiture_tui.service.recording.entries import (
    KIND,
    SCHEMA_VERSION,
    Answered,
    Asked,
    Ended,
    Entry,
    Happened,
    Header,
    answer_type,
    error_to_record,
)
from confiture_tui.terminal import safe_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confiture_tui.events import Event
    from confiture_tui.service.jobs import Ask, Job
    from confiture_tui.service.service import MigrationService


@contextmanager
def recording(service: MigrationService, path: Path) -> Iterator[BackgroundReader[Header | Entry]]:
    """Record all that this service does while the context lasts, into a new file that only its owner may read (0600).

    Yields the writer; its ``problem`` says why the recording is not complete, where that is so.

    Raises:
        UsageError: the file exists already, or cannot be written.
    """
    file = new_private_file(path)
    writer: BackgroundReader[Header | Entry] = BackgroundReader(Lines(file), name="confiture-recording")
    writer(header_of(service))
    kept = _Keeper(writer)
    unsubscribe = service.events.subscribe(kept.happened)
    service.jobs.witness = kept
    try:
        yield writer
    finally:
        service.jobs.witness = None
        unsubscribe()
        writer(Ended(kept.now()))
        writer.close()


class _Keeper:
    """Puts what it sees on the writer's queue, with the time since the recording began, in seconds."""

    def __init__(self, writer: BackgroundReader[Header | Entry]) -> None:
        self._writer = writer
        self._began = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._began

    def happened(self, event: Event) -> None:
        self._writer(Happened(self.now(), event))

    def asked(self, job: Job[Any], ask: Ask) -> None:
        self._writer(_asked(self.now(), job, ask))

    def answered(self, job: Job[Any], ask: Ask, result: Any, error: BaseException | None) -> None:
        self._writer(Answered(self.now(), _asked(0.0, job, ask), result, error))


def _asked(at: float, job: Job[Any], ask: Ask) -> Asked:
    return Asked(at, job.id, ask.what, job.version, ask.about)


def header_of(service: MigrationService) -> Header:
    """The first line of a recording of this service."""
    from confiture_tui import __version__

    settings = service.settings
    return Header(
        kind=KIND,
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        generated_at=datetime.now(UTC),
        demo=service.is_demo,
        project_dir=settings.project_dir,
        migrations_dir=settings.migrations_dir,
        env=settings.env,
        runner=settings.runner,
        read_only=settings.read_only,
        log_level=settings.log_level,
    )


class Lines:
    """The header, and then each entry, as one line of JSON, without secrets."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, entry: Header | Entry) -> None:
        """Write it, so that a session that is killed leaves all that it had come to."""
        self._file.write(safe_json(json.dumps(masked(_record(entry)), ensure_ascii=False, default=str)) + "\n")
        self._file.flush()

    def finish(self) -> None:
        """Close the file."""
        self._file.close()


def _record(entry: Header | Entry) -> dict[str, Any]:
    if isinstance(entry, Header):
        return entry.model_dump(mode="json")
    record: dict[str, Any] = {"t": round(entry.at, 6)}
    if isinstance(entry, Happened):
        return record | {"event": entry.event.to_record()}
    if isinstance(entry, Asked):
        return record | {"asked": entry.what, "job": entry.job, "version": entry.version, "about": dict(entry.about)}
    if isinstance(entry, Answered):
        if entry.error is not None:
            return record | {"answered": entry.asked.job, "error": error_to_record(entry.error)}
        value = answer_type(entry.asked.what).dump_python(entry.value, mode="json")
        return record | {"answered": entry.asked.job, "value": value}
    return record | {"end": True}
