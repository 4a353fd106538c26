"""Names that running code uses, and that are no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice import renames as advice
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts
from confiture_tui.core.risk.rules.lookups import name_is_taken_again
from confiture_tui.core.risk.scoring import BREAKS, MAY_BREAK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_TABLES = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})
_HARMLESS = frozenset({"OBJECT_INDEX", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"})


class _Rename(RiskRule):
    category = Category.COMPATIBILITY
    severity = Severity.HIGH
    setup = SHOP
    nodes = frozenset({"RenameStmt"})


class RenameColumn(_Rename):
    """RENAME COLUMN."""

    id = "rename-column"
    title = "Column renamed"
    why = "Code that runs now names the column by its old name, and fails from the moment of the rename on."
    alternative = (
        "Add a column of the new name, keep both in step by a trigger, fill it in batches, move the code, drop the old "
        "one. Or leave the column alone and let a view give it the new name."
    )
    bad = "ALTER TABLE orders RENAME COLUMN status TO state;"
    good = "ALTER TABLE orders ADD COLUMN state text;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Columns of relations that were there before."""
        node = forecast.statement.node or {}
        if node.get("renameType") not in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
            return
        table = forecast.before.name_of(node["relation"])
        if not forecast.before.existed_before(table) or node.get("subname") == node.get("newname"):
            return
        yield self.risk(
            context,
            forecast,
            f"Code that names {table}.{quote_identifier(node.get('subname', ''))} fails.",
            evidence=facts(forecast, context),
            safe_sql=advice.column_in_steps(forecast) if node.get("renameType") == "OBJECT_COLUMN" else None,
            points=BREAKS,
        )


class RenameTable(_Rename):
    """RENAME TO, and SET SCHEMA, of a table or view."""

    id = "rename-table"
    title = "Table renamed or moved to another schema"
    why = "Code that runs now names the table by its old name, and fails from the moment of the rename on."
    alternative = (
        "In the same transaction create a view with the old name: a simple view can be read and written like the "
        "table. Drop it when no code uses the old name any more."
    )
    bad = "ALTER TABLE orders RENAME TO purchases;"
    good = "BEGIN;\nALTER TABLE orders RENAME TO purchases;\nCREATE VIEW orders AS SELECT * FROM purchases;\nCOMMIT;"
    nodes = frozenset({"RenameStmt", "AlterObjectSchemaStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Tables and views that were there before, unless something takes the old name at once."""
        node = forecast.statement.node or {}
        if (node.get("renameType") or node.get("objectType")) not in _TABLES or "relation" not in node:
            return
        table = forecast.before.name_of(node["relation"])
        if not forecast.before.existed_before(table) or name_is_taken_again(forecast, table, context):
            return
        new = node.get("newname") or node.get("newschema", "")
        yield self.risk(
            context,
            forecast,
            f"Code that names {table} fails: it is {quote_identifier(new)} from now on.",
            evidence=facts(forecast, context),
            safe_sql=advice.table_with_view(forecast),
            points=BREAKS,
        )


class RenameOther(_Rename):
    """A schema, type, enum value, function, sequence, role, database renamed."""

    id = "rename-other"
    title = "Another object renamed"
    why = (
        "Renaming a schema, type, enum value, function, sequence or role takes no lock that others would notice, and "
        "breaks code that names it all the same."
    )
    alternative = "Make the new thing beside the old one, move the code, drop the old one."
    setup = "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE people (id int PRIMARY KEY, mood mood);"
    bad = "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';"
    good = (
        "CREATE INDEX CONCURRENTLY people_mood_ix ON people (mood);\nALTER INDEX people_mood_ix RENAME TO people_m_ix;"
    )
    nodes = frozenset({"RenameStmt", "AlterEnumStmt", "AlterObjectSchemaStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Everything else that code may name."""
        node = forecast.statement.node or {}
        kind = node.get("renameType") or node.get("objectType") or ""
        if forecast.statement.node_kind == "AlterEnumStmt":
            if not node.get("oldVal"):
                return
            parts = strings(node.get("typeName", ()))
            found = forecast.before.type(parts)
            if found is not None and not forecast.before.is_old(found):
                return
            what = f"The value '{node['oldVal']}' of {'.'.join(map(quote_identifier, parts))}"
        elif kind in _TABLES or kind in _HARMLESS or kind in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
            return
        else:
            if "relation" in node and not forecast.before.existed_before(forecast.before.name_of(node["relation"])):
                return
            what = f"The {kind.removeprefix('OBJECT_').replace('_', ' ').lower()}"
            if "relation" in node:
                what += f" {forecast.before.name_of(node['relation'])}"
            elif node.get("subname"):
                what += f" {quote_identifier(node['subname'])}"
        yield self.risk(
            context,
            forecast,
            f"{what} has another name from now on: code that uses the old one fails.",
            evidence=facts(forecast, context),
            points=BREAKS if forecast.statement.node_kind == "AlterEnumStmt" else MAY_BREAK,
        )


RULES = (RenameColumn(), RenameTable(), RenameOther())
