"""The way back: is there a file for it, and does it lead back?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import count
from confiture_tui.core.risk.scoring import NO_WAY_BACK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Simulation
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class _WayBack(MigrationRule):
    """A rule about the down file.

    Attributes:
        bad_down, good_down: the down files of the two examples; ``None`` for none.
    """

    category = Category.REVERSIBILITY
    severity = Severity.LOW
    setup = SHOP
    bad_down: ClassVar[str | None] = None
    good_down: ClassVar[str | None] = None


class MissingDown(_WayBack):
    """No file that takes the migration back."""

    id = "missing-down"
    title = "No way back"
    why = "If the release must be taken back at night, somebody has to write the way back then."
    alternative = "Write the down file now, and let the round trip on a shadow prove it."
    bad = "ALTER TABLE orders ADD COLUMN region text;"
    good = "ALTER TABLE orders ADD COLUMN region text;"
    good_down = "ALTER TABLE orders DROP COLUMN region;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Migrations that change something and have no statements to take it back."""
        down = simulation.migration.down
        if (down is not None and down.statements) or not simulation.forecasts:
            return
        points = context.points(Category.REVERSIBILITY)
        if points == 0:
            return
        yield self.risk(
            context,
            None,
            "There is no down file." if down is None else "The down file is empty.",
            evidence=(f"{count(len(simulation.forecasts), 'statement')} in the up file, none to take them back.",),
            points=min(points, NO_WAY_BACK),
        )


class DownNotInverse(_WayBack):
    """A down file that leads elsewhere."""

    id = "down-not-inverse"
    title = "Way back that does not lead back"
    why = (
        "Up and then down leaves another schema than before: a second run of the migration fails, or the code of the "
        "old release meets what it does not know."
    )
    alternative = "Take back, in reverse order, all that the up file does; the round trip on a shadow proves it."
    bad = "CREATE TABLE regions (id int PRIMARY KEY);\nALTER TABLE orders ADD COLUMN region_id int;"
    bad_down = "ALTER TABLE orders DROP COLUMN region_id;"
    good = "CREATE TABLE regions (id int PRIMARY KEY);\nALTER TABLE orders ADD COLUMN region_id int;"
    good_down = "ALTER TABLE orders DROP COLUMN region_id;\nDROP TABLE regions;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Relations that are not, after up and down, what they were; silent where code cannot be read."""
        down = context.down
        if down is None or not down.forecasts or not simulation.forecasts or simulation.opaque or down.opaque:
            return
        differences = list(_differences(simulation, down))
        if differences:
            yield self.risk(
                context,
                None,
                f"After up and down the schema is another: {differences[0]}.",
                evidence=tuple(f"{one}." for one in differences[:6]),
                points=NO_WAY_BACK,
            )


def _differences(up: Simulation, down: Simulation) -> Iterator[str]:
    """How the relations that either file touches differ, before and after, as sentences without their full stop."""
    before, after = up.forecasts[0].before, down.after
    made = dict.fromkeys(name for one in up.forecasts for name in one.effects.creates or ())
    gone = dict.fromkeys(name for one in up.forecasts for name in one.effects.drops or ())
    for name in made:
        if name not in gone and before.find(name).object is None and not after.find(name).missing:
            yield f"{name}, which the up file makes, is still there"
    for name in gone:
        if name not in made and after.find(name).missing:
            yield f"{name}, which the up file drops, does not come back"
    for name in _altered(up):
        yield from _relation_differences(name, before, after)


def _altered(simulation: Simulation) -> dict[str, None]:
    """The relations that ALTER and RENAME name, by their names at the beginning."""
    found: dict[str, None] = {}
    for one in simulation.forecasts:
        node = one.statement.node or {}
        if one.statement.node_kind in ("AlterTableStmt", "RenameStmt") and "relation" in node:
            found[one.before.name_of(node["relation"])] = None
    return found


def _relation_differences(name: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = before.find(name), after.find(name)
    if not isinstance(old.object, Relation) or not old.known:
        return
    if not isinstance(new.object, Relation):
        yield f"{name} is no more"
        return
    columns = {one.name: one.type for one in old.object.columns}
    now = {one.name: one.type for one in new.object.columns}
    for column in sorted(columns.keys() | now.keys()):
        if column not in now:
            yield f"{name} has lost its column {quote_identifier(column)}"
        elif column not in columns:
            yield f"{name} keeps the column {quote_identifier(column)}"
        elif columns[column] != now[column]:
            yield f"{name}.{quote_identifier(column)} is {now[column]} and was {columns[column]}"
    for what, theirs, ours in (
        ("constraint", {one.name for one in old.object.constraints}, {one.name for one in new.object.constraints}),
        ("index", {one.name for one in old.object.indexes}, {one.name for one in new.object.indexes}),
        ("trigger", {one.name for one in old.object.triggers}, {one.name for one in new.object.triggers}),
    ):
        for one in sorted(theirs - ours):
            yield f"{name} has lost its {what} {quote_identifier(one)}"
        for one in sorted(ours - theirs):
            yield f"{name} keeps the {what} {quote_identifier(one)}"


RULES = (MissingDown(), DownNotInverse())
