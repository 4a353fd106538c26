"""A recorded session made of samples, for whoever reads or replays one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.observability import new_private_file
from confiture_tui.service.places import Opened
from confiture_tui.service.recording.entries import Answered, Asked, Ended, Entry, Happened
from confiture_tui.service.recording.reading import Recording, read_recording
from confiture_tui.service.recording.recorder import Lines, header_of
from confiture_tui.service.running import RunRequest
from tests.ui import run_samples, samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_tui.errors import ConfitureError


class Sheet:
    """Takes entries down, a second after each other."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._at = 0.0

    def happened(self, *events: Any) -> None:
        for event in events:
            self._at += 0.1
            self.entries.append(Happened(self._at, event))

    def asked(self, what: str, version: str | None = None, **about: Any) -> Asked:
        self._at += 1.0
        asked = Asked(self._at, len(self.entries) + 1, what, version, about)
        self.entries.append(asked)
        return asked

    def answered(self, asked: Asked, value: Any = None, error: ConfitureError | None = None) -> None:
        self._at += 1.0
        self.entries.append(Answered(self._at, asked, value, error))

    def both(self, what: str, value: Any, version: str | None = None, **about: Any) -> None:
        self.answered(self.asked(what, version, **about), value)

    def end(self) -> list[Entry]:
        return [*self.entries, Ended(self._at + 1.0)]


async def session() -> list[Entry]:
    """Opening, a dry run, lint, a run with its events, history."""
    fake = samples.service(hooks=run_samples.HOOKS)
    sheet = Sheet()
    statuses = tuple(samples.statuses())
    sheet.both("open", Opened(project=samples.project(), target=samples.target()))
    sheet.both("status", statuses)
    sheet.both("assess", ())
    tried = sheet.asked("dry_run", "003", on="shadow")
    sheet.happened(*(one for one in run_samples.run_events() if one.statement is not None))
    sheet.answered(tried, samples.safe_result())
    sheet.both("lint", run_samples.lint_result())
    sheet.both("left_overs", ())
    request = RunRequest()
    sheet.both("prepare_run", await fake.prepare_run(request), **request.model_dump(mode="json"))
    run = sheet.asked("run", **request.model_dump(mode="json"))
    sheet.happened(*run_samples.run_events(), *run_samples.end_events())
    sheet.answered(run, run_samples.run_result())
    sheet.both("status", statuses)
    sheet.both("history", tuple(run_samples.history()))
    return sheet.end()


def written(path: Path, entries: Iterable[Entry]) -> Recording:
    """A recording with these entries, written and read again."""
    lines = Lines(new_private_file(path))
    lines.write(header_of(samples.service()))  # type: ignore[arg-type]  # settings only
    for entry in entries:
        lines.write(entry)
    lines.finish()
    return read_recording(path)


def answers() -> Iterator[tuple[str, Any]]:
    """One sample of each answer there is."""
    yield "open", Opened(project=samples.project(), target=samples.target())
    yield "open", Opened(project=None, target=None)
    yield "status", tuple(samples.statuses())
    for result in (samples.safe_result(), samples.rewrite_result(), samples.blocks_result(), samples.failed_result()):
        yield "dry_run", result
    yield "lint", run_samples.lint_result()
    yield "run", run_samples.run_result()
    yield "resume", run_samples.run_result()
    yield "mark", None
    yield "left_overs", (run_samples.left_over(),)
    yield "history", tuple(run_samples.history())
    yield "assess", ()
