"""Whose migrations a directory holds, and where a project keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import MigrationSet, Sign, Strength
from confiture_tui.core.migrations.layouts.confiture import ConfitureLayout
from confiture_tui.core.migrations.layouts.dbmate import DbmateLayout
from confiture_tui.core.migrations.layouts.diesel import DieselLayout
from confiture_tui.core.migrations.layouts.flyway import FlywayLayout
from confiture_tui.core.migrations.layouts.golang_migrate import GolangMigrateLayout
from confiture_tui.core.migrations.layouts.goose import GooseLayout
from confiture_tui.core.migrations.layouts.graphile_migrate import GraphileMigrateLayout
from confiture_tui.core.migrations.layouts.listing import Listing
from confiture_tui.core.migrations.layouts.node_pg_migrate import NodePgMigrateLayout
from confiture_tui.core.migrations.layouts.numbered import AtlasLayout, SupabaseLayout
from confiture_tui.core.migrations.layouts.pop import PopLayout
from confiture_tui.core.migrations.layouts.prisma import PrismaLayout
from confiture_tui.core.migrations.layouts.rails import RailsLayout
from confiture_tui.core.migrations.layouts.sqitch import SqitchLayout
from confiture_tui.core.migrations.layouts.sqlx import SqlxLayout
from confiture_tui.core.migrations.model import Finding
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.layout import Layout

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            ConfitureLayout(),
            SqitchLayout(),
            PrismaLayout(),
            DieselLayout(),
            GooseLayout(),
            DbmateLayout(),
            FlywayLayout(),
            PopLayout(),
            GolangMigrateLayout(),
            NodePgMigrateLayout(),
            GraphileMigrateLayout(),
            SupabaseLayout(),
            AtlasLayout(),
            SqlxLayout(),
            RailsLayout(),
        )
    }
)
"""The layouts that are known, by name; where signs are equally strong, the first one is taken."""

USUAL = (
    "db/migrations",
    "migrations",
    "prisma/migrations",
    "supabase/migrations",
    "db/migrate",
    "src/main/resources/db/migration",
    "sql/migrations",
    "database/migrations",
    "internal/db/migrations",
)
"""Where projects keep their migrations; the first with any is taken."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose migrations a directory holds.

    Attributes:
        layout: the tool's.
        sign: what tells; ``None`` where nothing does, or the layout was given.
        signs: of all layouts that have one.
    """

    layout: Layout
    sign: Sign | None
    signs: tuple[tuple[Layout, Sign], ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether there is a sign that says more than how files are named."""
        return self.sign is not None and self.sign.strength > Strength.NAMES

    @property
    def is_settled(self) -> bool:
        """Whether no ledger could tell more: the layout was given, or its sign is one that only it has."""
        return self.sign is None or self.sign.strength is Strength.MARK

    @property
    def finding(self) -> Finding | None:
        """What a user should know of the choice; nothing where it is this program's own and nothing speaks against."""
        if self.sign is None:
            return None
        also = [
            f"{layout.name} ({sign.why})"
            for layout, sign in self.signs
            if sign.strength is self.sign.strength and layout is not self.layout
        ]
        if self.layout.name == ConfitureLayout.name and not also:
            return None
        message = f"These are taken for migrations of {self.layout.name}: {self.sign.why}."
        if not also:
            return Finding(code="layout", message=message, level="note")
        message += (
            f" They could also be those of {', '.join(also)}. Say which: `layout:` in confiture.yaml, or --layout."
        )
        return Finding(code="layout", message=message, level="warning" if self.is_certain else "note")

    def settled_by(self, ledgers: Mapping[str, str]) -> Recognised:
        """The same; where the files leave room for another tool, that of the ledger which the database has.

        Args:
            ledgers: ``schema.table`` of each ledger that there is, by its form's name.
        """
        if self.is_settled:
            return self
        known = [(layout, ledgers[form]) for layout, _sign in self.signs for form in layout.ledgers if form in ledgers]
        if not known or any(layout is self.layout for layout, _table in known):
            return self
        layout, table = known[0]
        return Recognised(layout, Sign(Strength.MARK, f"the database has its ledger, {table}"))


def recognise(directory: Path, *, given: str | None = None) -> Recognised:
    """Whose migrations a directory holds: those of the layout that was given, or of the tool with the strongest sign.

    A directory without any sign is this program's own.

    Raises:
        UsageError: there is no such layout, no such directory, or it cannot be listed.
    """
    if given is not None:
        if given not in LAYOUTS:
            raise UsageError(f"There is no layout '{given}'.", hint=did_you_mean(given, LAYOUTS, "Layouts"))
        return Recognised(LAYOUTS[given], None)
    listing = Listing(directory)
    signs = [(layout, sign) for layout in LAYOUTS.values() if (sign := layout.sign(listing)) is not None]
    if not signs:
        return Recognised(LAYOUTS[ConfitureLayout.name], None)
    # Of several that are as strong, the first one.
    layout, sign = max(signs, key=lambda one: one[1].strength)
    return Recognised(layout, sign, tuple(signs))


def discover(directory: Path) -> MigrationSet:
    """The migrations in a directory, as the tool that they are of names them.

    Reads the files, but parses none. A directory without a migration has a finding that says so.

    Raises:
        UsageError: there is no such directory, or it cannot be listed.
    """
    return recognise(directory).layout.discover(directory)


def locate(project: Path) -> tuple[Path, Finding | None]:
    """Where a project keeps its migrations, when nobody said: the first usual directory in which there are any.

    With a note where there are several; this program's own directory where there is none.
    """
    usual = [project / place for place in USUAL]
    found = [path for path in usual if path.is_dir() and recognise(path).sign is not None]
    if SqitchLayout().sign(Listing(project)) is not None:
        found.append(project)
    if not found:
        return usual[0], None
    chosen, *others = found
    if not others:
        return chosen, None
    names = ", ".join(str(path.relative_to(project)) for path in others)
    message = (
        f"The migrations in {chosen.relative_to(project)} are taken; there are some in {names}, too. Say which: "
        f"`migrations_dir:` in confiture.yaml, or --migrations-dir."
    )
    return chosen, Finding(code="several-directories", message=message, path=chosen, level="note")
