"""Data that go for good: dropped or truncated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.risk.advice import drops as advice
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed, size_fact
from confiture_tui.core.risk.rules.made import made_before
from confiture_tui.core.risk.rules.reach import (
    relations_dropped,
    schema_is_old,
)
from confiture_tui.core.risk.scoring import BREAKS, DATA_LOST
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


_LATER = (
    "Stop using it, wait for a release, then drop it. Rename it out of the way first if somebody may still ask for it; "
    "keep a dump of what it holds."
)


class DropTable(RiskRule):
    """DROP TABLE."""

    id = "drop-table"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "DROP TABLE"
    why = "The table and all its rows go for good, and code that still uses it fails at once."
    alternative = _LATER
    setup = SHOP
    bad = "DROP TABLE orders;"
    good = "CREATE TABLE scratch (id int);\nDROP TABLE scratch;"
    nodes = frozenset({"DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Tables that were there before."""
        node = forecast.statement.node or {}
        if node.get("removeType") not in ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"):
            return
        for table in relations_dropped(forecast):
            yield self.risk(
                context,
                forecast,
                f"{table} and all its rows go for good.",
                evidence=facts(forecast, context, work=(), sizes=(table,)),
            )
            yield self.risk(
                context,
                forecast,
                f"Running code that uses {table} fails.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
                category=Category.COMPATIBILITY,
                points=BREAKS,
            )


class DropColumn(CommandRule):
    """DROP COLUMN."""

    id = "drop-column"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "DROP COLUMN"
    why = (
        "The column's values go for good. Code that still names the column fails at once, as does an ORM that lists "
        "all columns it knew at its start."
    )
    alternative = (
        "Make the code ignore the column, release that, and drop it in a later migration; keep a copy of the values "
        "that somebody may ask for."
    )
    setup = SHOP
    bad = "ALTER TABLE orders DROP COLUMN status;"
    good = "ALTER TABLE orders ADD COLUMN scratch int;\nALTER TABLE orders DROP COLUMN scratch;"
    subtypes = frozenset({"AT_DropColumn"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Columns that were there before."""
        forecast = command.forecast
        is_new = made_before(forecast, context, command.table, (command.name,))
        if is_new or not forecast.before.existed_before(command.table):
            return
        relation = forecast.before.relation(command.table)
        if relation is not None and relation.column(command.name) is None:
            return
        column = f"{command.table}.{quote_identifier(command.name)}"
        yield self.risk(
            context,
            forecast,
            f"{column} and all its values go for good.",
            evidence=facts(forecast, context, locks=command.locks, work=(), sizes=(command.table,)),
        )
        yield self.risk(
            context,
            forecast,
            f"Running code that names {column} fails.",
            evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag} … DROP COLUMN.",),
            category=Category.COMPATIBILITY,
            points=BREAKS,
        )


class DropSchema(RiskRule):
    """DROP SCHEMA."""

    id = "drop-schema"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "DROP SCHEMA"
    why = "With CASCADE everything in the schema goes for good, and whatever elsewhere depends on it."
    alternative = "Drop what is in it by name, in migrations that say so; drop the schema when it is empty."
    setup = "CREATE SCHEMA old;\nCREATE TABLE old.t (id int);\nINSERT INTO old.t SELECT generate_series(1, 1000);"
    bad = "DROP SCHEMA old CASCADE;"
    good = "CREATE SCHEMA fresh;\nDROP SCHEMA fresh CASCADE;"
    nodes = frozenset({"DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Schemas that were there before and may hold something."""
        node = forecast.statement.node or {}
        if node.get("removeType") != "OBJECT_SCHEMA":
            return
        for name in strings(node.get("objects", ())):
            if not schema_is_old(forecast, name):
                continue
            held = list(forecast.before.relations(name)) if forecast.before.known else []
            if forecast.before.known and not held:
                continue
            if node.get("behavior") != "DROP_CASCADE" and not forecast.before.known:
                continue
            tables = [one.qualified_name for one in held if isinstance(one, Relation)]
            yield self.risk(
                context,
                forecast,
                f"Everything in the schema {quote_identifier(name)} goes for good"
                + (f": {listed(tables)}." if tables else "."),
                evidence=facts(forecast, context, work=(), sizes=tables[:4]),
            )


class DropDatabase(RiskRule):
    """DROP DATABASE."""

    id = "drop-database"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "DROP DATABASE"
    why = "The whole database goes for good, at once, and cannot be rolled back."
    alternative = "Not in a migration. Take a backup, prove that it can be restored, and drop the database by hand."
    bad = "DROP DATABASE archive;"
    good = "CREATE DATABASE archive;"
    nodes = frozenset({"DropdbStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Always."""
        name = quote_identifier((forecast.statement.node or {}).get("dbname", ""))
        yield self.risk(
            context,
            forecast,
            f"The database {name} goes for good.",
            evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
            points=DATA_LOST,
        )


class _Truncate(RiskRule):
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    nodes = frozenset({"TruncateStmt"})


class Truncate(_Truncate):
    """TRUNCATE."""

    id = "truncate"
    title = "TRUNCATE"
    why = "All rows go for good, under ACCESS EXCLUSIVE, without firing the DELETE triggers of the table."
    alternative = (
        "DELETE in batches where rows may still be asked for; TRUNCATE only what can be filled again from elsewhere."
    )
    setup = SHOP
    bad = "TRUNCATE orders;"
    good = "CREATE TABLE scratch (id int);\nTRUNCATE scratch;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Tables that were there before."""
        old = _truncated(forecast)
        if old:
            sizes = [size_fact(context.size_of(one)) for one in old[:4]]
            yield self.risk(
                context,
                forecast,
                f"All rows of {listed(old)} go for good.",
                evidence=(*facts(forecast, context, work=()), *sizes),
            )


class TruncateCascade(_Truncate):
    """TRUNCATE … CASCADE."""

    id = "truncate-cascade"
    title = "TRUNCATE … CASCADE"
    why = "Every table with a foreign key to the named one is emptied as well, and so on from there."
    alternative = "Name all tables that are meant; leave CASCADE out."
    setup = (
        SHOP + "\nALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers;"
    )
    bad = "TRUNCATE customers CASCADE;"
    good = "CREATE TABLE scratch (id int);\nTRUNCATE scratch CASCADE;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Tables that are emptied without being named."""
        node = forecast.statement.node or {}
        old = _truncated(forecast)
        if node.get("behavior") != "DROP_CASCADE" or not old:
            return
        named = {forecast.before.name_of(one["RangeVar"]) for one in node.get("relations", ())}
        reached = list(
            dict.fromkeys(
                lock.relation
                for lock in forecast.locks
                if lock.mode.blocks_reads and lock.relation not in named and _is_table(forecast, lock.relation)
            )
        )
        reached = [one for one in reached if not _below(forecast, one, named)]
        if reached:
            yield self.risk(
                context,
                forecast,
                f"CASCADE also empties {listed(reached)}.",
                evidence=facts(forecast, context, work=(), sizes=reached),
                safe_sql=advice.truncate_by_name(forecast, [*named, *reached]),
            )
        elif any(forecast.before.find(one).object is None for one in old):
            yield self.risk(
                context,
                forecast,
                f"CASCADE also empties every table with a foreign key to {listed(old)}.",
                evidence=facts(forecast, context, work=()),
            )


def _truncated(forecast: Forecast) -> tuple[str, ...]:
    relations = (forecast.statement.node or {}).get("relations", ())
    names = [forecast.before.name_of(one["RangeVar"]) for one in relations if "RangeVar" in one]
    return tuple(name for name in names if forecast.before.existed_before(name))


def _is_table(forecast: Forecast, name: str) -> bool:
    relation = forecast.before.relation(name)
    return relation is None or relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)


def _below(forecast: Forecast, name: str, above: set[str]) -> bool:
    """Whether it is a partition of, or inherits from, one of them."""
    relation = forecast.before.relation(name)
    while relation is not None and relation.parents:
        if above & set(relation.parents):
            return True
        relation = forecast.before.relation(relation.parents[0])
    return False


RULES = (
    DropTable(),
    DropColumn(),
    DropSchema(),
    DropDatabase(),
    Truncate(),
    TruncateCascade(),
)
