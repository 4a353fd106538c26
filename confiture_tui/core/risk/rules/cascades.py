"""What goes without being named: CASCADE, and the tables above a dropped one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice import drops as advice
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed
from confiture_tui.core.risk.rules.reach import (
    cascade_reaches,
    columns_dropped,
    is_made_here,
    relations_dropped,
)
from confiture_tui.core.risk.scoring import BREAKS

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class DropTableLocksParent(RiskRule):
    """DROP TABLE locks what the table references, or its partitioned parent."""

    id = "drop-table-locks-parent"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "DROP TABLE locks other tables"
    why = (
        "Dropping a table with foreign keys takes ACCESS EXCLUSIVE on every table that they reference; dropping a "
        "partition takes it on the partitioned table."
    )
    alternative = (
        "Drop the foreign keys first, one in a transaction, each with a short lock_timeout; DETACH a partition "
        "CONCURRENTLY before it is dropped."
    )
    setup = (
        SHOP + "\nALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers;"
    )
    bad = "DROP TABLE orders;"
    good = "ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;\nDROP TABLE orders;"
    nodes = frozenset({"DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether tables are locked that are not dropped."""
        node = forecast.statement.node or {}
        if node.get("removeType") != "OBJECT_TABLE":
            return
        dropped = relations_dropped(forecast)
        names = {*dropped, *(forecast.effects.drops or ())}
        others = [lock for lock in forecast.locks if lock.mode.blocks_reads and lock.relation not in names]
        if others:
            yield self.risk(
                context,
                forecast,
                f"Dropping {listed(dropped)} also takes ACCESS EXCLUSIVE on {listed(one.relation for one in others)}.",
                evidence=facts(forecast, context, locks=others, work=()),
                safe_sql=advice.let_go_first(forecast),
                relation=others[0].relation,
            )
        elif dropped and any(forecast.before.find(one).object is None for one in dropped):
            yield self.risk(
                context,
                forecast,
                f"If {listed(dropped)} has foreign keys, or is a partition, the tables above it are locked with ACCESS "
                "EXCLUSIVE as well.",
                evidence=facts(forecast, context, work=()),
            )


class DropCascadesToColumns(RiskRule):
    """DROP TYPE, DOMAIN, EXTENSION … CASCADE takes columns of tables with it."""

    id = "drop-cascades-to-columns"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "DROP … CASCADE that drops columns of tables"
    why = "With the type go all columns of that type, and their values, in tables that the statement does not name."
    alternative = "List the columns; drop them, or change their type, by name; then drop the type without CASCADE."
    setup = (
        "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
        "CREATE TABLE people (id int PRIMARY KEY, mood mood);\n"
        "INSERT INTO people SELECT i, 'ok' FROM generate_series(1, 1000) i;"
    )
    bad = "DROP TYPE mood CASCADE;"
    good = "CREATE TYPE colour AS ENUM ('red');\nDROP TYPE colour CASCADE;"
    nodes = frozenset({"DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Columns that go with what is dropped."""
        node = forecast.statement.node or {}
        if node.get("behavior") != "DROP_CASCADE" or node.get("removeType") not in _WITH_COLUMNS:
            return
        columns = columns_dropped(forecast)
        if columns:
            yield self.risk(
                context,
                forecast,
                f"CASCADE drops {listed(columns)} with all values.",
                evidence=(*facts(forecast, context, work=()), *(f"Column {one}." for one in columns[:6])),
                safe_sql=advice.columns_by_name(forecast, columns),
            )
        elif not forecast.before.known and not is_made_here(forecast):
            yield self.risk(
                context,
                forecast,
                "CASCADE drops every column of a table that uses it, with all values.",
                evidence=facts(forecast, context, work=()),
            )


class CascadeHitsOtherObjects(RiskRule):
    """CASCADE reaches what the statement does not name."""

    id = "cascade-hits-other-objects"
    category = Category.COMPATIBILITY
    severity = Severity.HIGH
    title = "CASCADE reaches other objects"
    why = (
        "CASCADE drops whatever depends on the object: views, foreign keys of other tables, defaults, functions. The "
        "statement names none of them."
    )
    alternative = "Drop them by name, in the order in which they depend on each other, and leave CASCADE out."
    setup = SHOP + "\nCREATE VIEW open_orders AS SELECT id, status FROM orders;"
    bad = "DROP TABLE orders CASCADE;"
    good = "DROP VIEW open_orders CASCADE;"
    nodes = frozenset({"DropStmt", "AlterTableStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Objects that go with what is dropped by name."""
        node = forecast.statement.node or {}
        if not _cascades(node):
            return
        others = cascade_reaches(forecast)
        if others:
            yield self.risk(
                context,
                forecast,
                f"CASCADE also drops {listed(others)}.",
                evidence=(*facts(forecast, context, work=()), *(f"Goes with it: {one}." for one in others[:6])),
                points=BREAKS if any(one.startswith(("view ", "table ")) for one in others) else 20,
            )
        elif not forecast.before.known and not is_made_here(forecast):
            yield self.risk(
                context,
                forecast,
                "CASCADE drops whatever depends on it; without a catalog nobody can say what.",
                evidence=facts(forecast, context, work=()),
                points=20,
            )


_WITH_COLUMNS = frozenset({"OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_EXTENSION", "OBJECT_SCHEMA"})


def _cascades(node: object) -> bool:
    if not isinstance(node, dict):
        return False
    return node.get("behavior") == "DROP_CASCADE" or any(
        one.get("AlterTableCmd", {}).get("behavior") == "DROP_CASCADE"
        and one.get("AlterTableCmd", {}).get("subtype") in ("AT_DropColumn", "AT_DropConstraint")
        for one in node.get("cmds", ())
    )


RULES = (
    DropTableLocksParent(),
    DropCascadesToColumns(),
    CascadeHitsOtherObjects(),
)
