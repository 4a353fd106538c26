"""Files and directories that were named on the command line: whose migrations they are, and who would run them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.findings import condensed
from confiture_tui.core.migrations.layouts import LooseFiles, recognise
from confiture_tui.core.migrations.layouts.building import directory_of
from confiture_tui.core.migrations.layouts.marked import migration_of_text
from confiture_tui.core.migrations.profiles import profile_named
from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName, Level

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.migrations.layouts import MigrationSet, Recognised
    from confiture_tui.core.migrations.layouts.marked import SqlText
    from confiture_tui.core.migrations.model import Finding, Migration
    from confiture_tui.events import Sink

_LEVELS = {"error": Level.ERROR, "warning": Level.WARNING, "note": Level.INFO}
LOOSE = "loose"


def tell(sink: Sink, findings: Sequence[Finding]) -> None:
    """Say what is to be said of the files of a project or a directory, as events."""
    for finding in condensed(findings):
        sink(Event(name=EventName.PROJECT_FINDING, message=finding.message, level=_LEVELS[finding.level]))


class GivenFiles:
    """What paths stand for; each directory is looked at once."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._settings = settings
        self._sink = sink
        self._seen: dict[Path, tuple[Recognised, MigrationSet] | None] = {}

    def migrations(self, files: Sequence[Path | SqlText]) -> Iterator[tuple[Migration, str]]:
        """The migrations that files, or texts, are, each with the profile in whose name it is judged.

        A directory that is a tool's stands for its migrations in their order, as that tool runs them; a file in one for
        its migration; of any other nobody promises anything. A runner that was asked for counts for all.

        Raises:
            UsageError: a path does not exist, a directory cannot be listed, a file is a program, or there is no such
                runner.
        """
        settings = self._settings
        asked = profile_named(settings.runner).name if settings.is_given("runner") else None
        for path in files:
            if not isinstance(path, Path):
                migration, marked = migration_of_text(path)
                yield migration, asked or marked or LOOSE
            elif path.is_dir():
                layout, found = self._directory(path)
                yield from ((one, asked or layout) for one in found.migrations)
            else:
                owned = self._file(path)
                if owned is not None:
                    yield owned[0], asked or owned[1]
                else:
                    yield from ((one, asked or LOOSE) for one in LooseFiles().of_paths([path]).migrations)

    def _directory(self, path: Path) -> tuple[str, MigrationSet]:
        known = self._known(path)
        if known is None:
            found = LooseFiles().discover(path)
            tell(self._sink, found.findings)
            return LOOSE, found
        recognised, found = known
        tell(self._sink, [one for one in (recognised.finding, *found.findings) if one is not None])
        return recognised.layout.name, found

    def _known(self, directory: Path) -> tuple[Recognised, MigrationSet] | None:
        """The migrations of a directory that is surely a tool's."""
        if directory not in self._seen:
            recognised = self._recognised(directory)
            self._seen[directory] = None if recognised is None else (recognised, recognised.layout.discover(directory))
        return self._seen[directory]

    def _recognised(self, directory: Path) -> Recognised | None:
        recognised = recognise(directory, given=self._settings.layout)
        own = self._settings.migrations_dir
        is_own = own.is_dir() and directory.resolve() == own.resolve()
        return recognised if recognised.is_certain or is_own or self._settings.layout is not None else None

    def _file(self, path: Path) -> tuple[Migration, str] | None:
        """The migration whose file of statements this is, in a directory that is a tool's.

        Raises:
            UsageError: it is a program that cannot be read.
        """
        directory = directory_of(path)
        known = self._known(directory) if directory.is_dir() else None
        if known is None:
            return None
        recognised, found = known
        if any(program.path == path for program in found.opaque):
            said = next((one.message for one in found.findings if one.path == path), f"{path} is a program.")
            raise UsageError(said)
        migration = next((one for one in found.migrations if one.path == path), None)
        return (migration, recognised.layout.name) if migration is not None else None
