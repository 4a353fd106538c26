"""A project's migrations: where they are, whose they are, and where each stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.config import MIGRATIONS
from confiture_tui.core.migrations.layouts import Recognised, SingleFile, locate, recognise
from confiture_tui.core.migrations.layouts.building import directory_of
from confiture_tui.core.migrations.ledger import ledgers_present, read_tool_ledger
from confiture_tui.core.migrations.stamp import Stamp, stamp_of
from confiture_tui.core.migrations.status import MigrationStatus, ledger_findings, status_of

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.config import Settings
    from confiture_tui.core.migrations.layouts import Layout, MigrationSet
    from confiture_tui.core.migrations.model import Finding

    _Found = tuple[MigrationSet, tuple[Finding, ...]]


class ProjectFiles:
    """The migrations of a directory, as they were read last.

    Attributes:
        directory: where they are.
        migrations: what the files say.
        findings: what is to be said of them, and of what the ledger has of them.
        alone: the one file that is looked at by itself; ``None`` where the directory is.

    Raises:
        UsageError: there is no such directory or layout, or the directory cannot be listed.
    """

    def __init__(
        self, directory: Path, *, layout: str | None = None, place: Finding | None = None, file: Path | None = None
    ) -> None:
        self.directory = directory
        self._recognised = recognise(directory, given=layout)
        self._place = place
        self.alone: Path | None = None
        self._last: tuple[Stamp, _Found] | None = None
        self._is_told = False
        self.migrations, self.findings = self._read()
        if file is not None and not any(one.path == file for one in self.migrations.members):
            self.alone, self._recognised, self._last = file, Recognised(SingleFile(file), None), None
            self.migrations, self.findings = self._read()

    @classmethod
    def of_project(cls, settings: Settings) -> ProjectFiles:
        """Those of the project that the settings name; where nobody says where they are, they are looked for.

        A file that the settings name stands for its directory where it is a migration there, else for itself.

        Raises:
            UsageError: see the class.
        """
        if settings.file is not None:
            return cls(directory_of(settings.file), layout=settings.layout, file=settings.file)
        directory, place = settings.migrations_dir, None
        if directory == settings.project_dir / MIGRATIONS:
            directory, place = locate(settings.project_dir)
        return cls(directory, layout=settings.layout, place=place)

    @property
    def layout(self) -> Layout:
        """Whose migrations they are."""
        return self._recognised.layout

    def in_words(self, *, with_place: bool) -> str:
        """How many there are, and where; of a file that is looked at by itself, what that means."""
        if self.alone is not None:
            return "one file, looked at by itself: no ledger says whether it was run, and it is not run from here"
        count = len(self.migrations.members)
        place = f" in {self.directory}" if with_place else ""
        return f"{count} {'migration' if count == 1 else 'migrations'}{place}"

    def settle(self, conn: psycopg.Connection[Any]) -> None:
        """Where the files leave room for another tool, take the one whose ledger the database has."""
        if self._recognised.is_settled:
            return
        settled = self._recognised.settled_by(ledgers_present(conn))
        if settled is not self._recognised:
            self._recognised, self._last = settled, None
            self.migrations, self.findings = self._read()

    def status(
        self, conn: psycopg.Connection[Any] | None, *, reads_anew: bool = True
    ) -> tuple[MigrationSet, tuple[MigrationStatus, ...]]:
        """The migrations as the files are now, and where each stands; without a connection all are pending.

        Args:
            reads_anew: also where the system says that nobody has changed a file since: a file server may say so for a
                while after somebody has. What was read at opening is good for the first time all the same.

        Raises:
            UsageError: the directory cannot be listed, or the role may not read the ledger.
            ConfitureError: the ledger cannot be read.
        """
        migrations, findings = self._read(anew=reads_anew and self._is_told)
        self._is_told = True
        ledger = read_tool_ledger(conn, self.layout.ledgers) if conn is not None else None
        statuses = status_of(migrations, ledger)
        self.migrations, self.findings = migrations, (*findings, *ledger_findings(statuses, ledger))
        if conn is not None and ledger is not None and self.layout.apply_command is None:
            # What runs migrations brings the driver along: without a database it is done without.
            from confiture_tui.core.runner.journal import Journal
            from confiture_tui.core.runner.recovery import left_overs
            from confiture_tui.service.running import with_interrupted

            statuses = with_interrupted(statuses, left_overs(conn, Journal(ledger.schema)))
        return migrations, statuses

    def _read(self, *, anew: bool = False) -> _Found:
        last = self._last
        # Taken before: what changes while it is being read is read again the next time.
        stamp = stamp_of(self.directory) if self.alone is None else None
        if last is not None and not anew and last[0] == stamp:
            return last[1]
        migrations = self.layout.discover(self.directory)
        first = (self._place, self._recognised.finding)
        found = migrations, (*(one for one in first if one is not None), *migrations.all_findings)
        # Together: of several threads that read at once, none may give its stamp to what another has read.
        self._last = (stamp, found) if stamp is not None else None
        return found
