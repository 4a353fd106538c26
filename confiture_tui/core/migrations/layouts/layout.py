"""What a layout is: who names migration files how, and in which order they are applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from confiture_tui.core.migrations.layouts.base import MigrationSet, OpaqueMigration, Sign
from confiture_tui.core.migrations.layouts.listing import Listing
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.versions import VersionOrder, duplicates, order_findings


@dataclass(frozen=True, slots=True)
class Contents:
    """What a directory holds, in any order that is not written down in it.

    Attributes:
        migrations: those in SQL.
        programs: those that are programs, each with the finding that says so.
        findings: what is to be said of other files.
    """

    migrations: Sequence[Migration] = ()
    programs: Sequence[tuple[OpaqueMigration, Finding]] = ()
    findings: Sequence[Finding] = ()


class Layout(ABC):
    """A tool's way of naming its files: what each has to say of itself.

    Attributes:
        name: the tool's; also of its runner profile.
        order: how versions are compared.
        naming: how its files are named, by examples.
        ledgers: the names of the forms in which its ledger is known.
        apply_command: what its user types to apply the pending migrations; ``None``: this program does it.
        rollback_command: what its user types to take the last one back; ``None``: it cannot, or this program does it.
    """

    name: ClassVar[str]
    order: ClassVar[VersionOrder] = VersionOrder.NUMBER
    naming: ClassVar[str]
    ledgers: ClassVar[tuple[str, ...]] = ()
    apply_command: ClassVar[str | None] = None
    rollback_command: ClassVar[str | None] = None

    @abstractmethod
    def sign(self, listing: Listing) -> Sign | None:
        """The strongest sign that a directory is this tool's; ``None`` without one."""

    @abstractmethod
    def read(self, listing: Listing) -> Contents:
        """What a directory holds."""

    def discover(self, directory: Path) -> MigrationSet:
        """The migrations in a directory, in the order in which the tool applies them. Parses none of them.

        Raises:
            UsageError: there is no such directory, or it cannot be listed.
        """
        contents = self.read(Listing(directory))
        members: list[Migration | OpaqueMigration] = [
            *contents.migrations,
            *(program for program, _finding in contents.programs),
        ]
        findings = [*contents.findings, *(finding for _program, finding in contents.programs)]
        twice = {} if self.order is VersionOrder.LISTED else duplicates(members, self.order)
        findings += dict.fromkeys(twice.values())
        numbered = [one for one in members if not (isinstance(one, Migration) and one.repeatable)]
        findings += order_findings(numbered, self.order)
        if not members:
            message = f"There is no migration in {directory}: files of {self.name} are named {self.naming}."
            findings.append(Finding(code="no-migrations", message=message, path=directory, level="warning"))
        # Whoever looks at one of them alone is told, too: which of them is meant nobody can say.
        migrations = [
            one.model_copy(update={"findings": (twice[one.version], *one.findings)}) if one.version in twice else one
            for one in contents.migrations
        ]
        programs = [program for program, _finding in contents.programs]
        if self.order is not VersionOrder.LISTED:
            # Sorting is stable, so that within one version the file's name decides.
            migrations.sort(key=lambda one: self.order.key(one.version))
            programs.sort(key=lambda one: self.order.key(one.version))
        return MigrationSet(
            migrations=tuple(migrations),
            opaque=tuple(programs),
            findings=tuple(findings),
            directory=directory,
            layout=self.name,
            order=self.order,
        )

    def _stray(self, path: Path) -> Finding:
        message = f"{path.name} is not taken for a migration by {self.name}, whose files are named {self.naming}."
        return Finding(code="orphan-sql-file", message=message, path=path, level="warning")
