"""A service that answers from a recording, in its time: no file of the project and no database is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled, ConfitureError, UsageError
from confiture_tui.events import EventName, Level
from confiture_tui.service.jobs import Job, JobRunner
from confiture_tui.service.recording.entries import Answered, Asked, Happened
from confiture_tui.service.service import MigrationService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.service.jobs import Ask
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import ProjectInfo, TargetInfo
    from confiture_tui.service.recording.entries import Entry
    from confiture_tui.service.recording.reading import Recording

T = TypeVar("T")
_Key = tuple[str, str | None]

_READ_ALONG: Final = frozenset({"open", "status", "preview", "assess", "left_overs"})
"""What an app asks by itself: it waits for the answer to come up. Anything else is asked when the recording has it."""


class ReplayService(MigrationService):
    """What was recorded, played as far as ``play_to`` says; asked for something, it answers as was answered then."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording.header.settings, demo=recording.header.demo)
        self.recording = recording
        self._answers = _Answers(recording)
        self.jobs = self._answers
        self._next = 0

    @property
    def position(self) -> float:
        """The time of the last entry that was played, in seconds after the beginning."""
        return self.recording.entries[self._next - 1].at if self._next else 0.0

    @property
    def next_at(self) -> float | None:
        """The time of the next entry; ``None`` after the last."""
        entries = self.recording.entries
        return entries[self._next].at if self._next < len(entries) else None

    def play_to(self, at: float) -> Iterator[Asked]:
        """Play all that came until then; yields each asking, after which whoever shows it asks for the same.

        May be left at an asking, and begun again: it goes on behind it.
        """
        entries = self.recording.entries
        while self._next < len(entries) and entries[self._next].at <= at:
            entry = entries[self._next]
            self._next += 1
            if isinstance(entry, Happened):
                self.events(entry.event)
                continue
            self._answers.take(entry)
            if isinstance(entry, Asked):
                yield entry

    def rewind(self) -> None:
        """Back to the beginning: nothing has been answered yet, and who waits for something waits in vain."""
        self._next = 0
        self._opened = False
        self._answers.forget()

    @property
    def project(self) -> ProjectInfo | None:
        """The project, once it was opened."""
        opened = self._answers.value(("open", None))
        return opened.project if opened is not None else None

    @property
    def target(self) -> TargetInfo | None:
        """The database, once it was reached."""
        opened = self._answers.value(("open", None))
        return opened.target if opened is not None else None

    @property
    def results(self) -> Mapping[str, DryRunResult]:
        """The last dry run of each migration, by version."""
        return self._answers.dry_runs

    async def preview(self, version: str) -> MigrationPreview:
        """What the migration contains: as it was read then, or, where nobody looked, as its text says.

        Raises:
            UsageError: there is no such migration.
        """
        if self._answers.value(("preview", version)) is None:
            statuses = self._answers.value(("status", None)) or ()
            migration = next((one.migration for one in statuses if one.version == version), None)
            if migration is not None:
                from confiture_tui.core.migrations.profiles import PROFILES
                from confiture_tui.service.previews import preview_of

                return preview_of(migration, PROFILES[self.settings.runner])
        return await super().preview(version)


class _ReplayJob(Job[T]):
    """Waits for its answer to come up. What happened then cannot be stopped."""

    def cancel(self) -> None:
        """Nothing."""

    def answer(self, answer: Answered) -> None:
        """Here it is."""
        if isinstance(answer.error, Cancelled):
            self.scope.request()
        self._settle(EventName.JOB_COMPLETED, "", Level.DEBUG, result=answer.value, error=answer.error)

    def refuse(self, error: ConfitureError) -> None:
        """There is none."""
        self._settle(EventName.JOB_FAILED, "", Level.DEBUG, error=error)


class _Answers(JobRunner):
    """In the place of what starts jobs: gives what was answered, when it was answered. Used by the event loop only."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(lambda _event: None)
        self._recorded = {entry.key for entry in recording.entries if isinstance(entry, Asked)}
        self._last: dict[_Key, Answered] = {}
        self._open: dict[int, _Key] = {}
        self._waiting: list[tuple[_Key, _ReplayJob[Any]]] = []
        self.dry_runs: dict[str, DryRunResult] = {}

    def value(self, key: _Key) -> Any:
        """The last answer; ``None`` where there is none."""
        answer = self._last.get(key)
        return answer.value if answer is not None else None

    def start(
        self,
        title: str,
        work: Callable[[CancelScope], T],
        *,
        version: str | None = None,
        ask: Ask | None = None,
    ) -> Job[T]:
        """A job that has the recorded answer: at once where it came already, else when it comes."""
        job: _ReplayJob[T] = _ReplayJob(title, version, CancelScope(), lambda *_: None)
        key = (ask.what if ask is not None else "", version)
        if key in self._open.values() or (key not in self._last and key[0] in _READ_ALONG and key in self._recorded):
            self._waiting.append((key, job))
        elif key in self._last:
            job.answer(self._last[key])
        else:
            when = " yet" if key in self._recorded else ""
            job.refuse(
                UsageError(
                    f"{title}: the recording has no answer to that{when}.", hint="A replay asks no database anything."
                )
            )
        return job

    def take(self, entry: Entry) -> None:
        """Something was asked, or answered."""
        if isinstance(entry, Asked):
            self._open[entry.job] = entry.key
            if entry.what == "dry_run" and entry.version is not None:
                self.dry_runs.pop(entry.version, None)
        elif isinstance(entry, Answered):
            key = entry.asked.key
            self._open.pop(entry.asked.job, None)
            self._last[key] = entry
            if key[0] == "dry_run" and key[1] is not None and entry.error is None:
                self.dry_runs[key[1]] = entry.value
            for one, job in [waits for waits in self._waiting if waits[0] == key]:
                self._waiting.remove((one, job))
                job.answer(entry)

    def forget(self) -> None:
        """All of it."""
        waiting, self._waiting = self._waiting, []
        self._last.clear()
        self._open.clear()
        self.dry_runs.clear()
        for _key, job in waiting:
            job.refuse(Cancelled("The recording was begun again."))
