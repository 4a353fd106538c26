"""Rows that a migration changes, and numbers that sequences give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import rows as advice
from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.chosen_rows import count_among
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed, size_fact
from confiture_tui.core.risk.rules.lookups import fills_new_columns, sequences_reset, unindexed_references
from confiture_tui.core.risk.scoring import MANY_ROWS, MAY_BREAK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_CHANGES = frozenset({"UpdateStmt", "DeleteStmt", "MergeStmt", "InsertStmt", "SelectStmt"})


class WriteWithoutWhere(RiskRule):
    """UPDATE or DELETE of all rows."""

    id = "write-without-where"
    category = Category.DATA_LOSS
    severity = Severity.CRITICAL
    title = "UPDATE or DELETE without a condition"
    why = (
        "Without WHERE, or with one that is always true, every row is changed or deleted. What it was before is gone. "
        "The same goes for MERGE … WHEN NOT MATCHED BY SOURCE THEN DELETE, and for writes inside WITH."
    )
    alternative = (
        "Say which rows are meant. If it is all of them, say that too (WHERE id IS NOT NULL, for instance), and look "
        "at the row count of a dry run on a copy."
    )
    setup = SHOP
    bad = "DELETE FROM orders;"
    good = "DELETE FROM orders WHERE status = 'cancelled';"
    nodes = _CHANGES

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Writes to tables that were there before, without a condition."""
        for kind, node in _writes(forecast):
            table = forecast.before.name_of(node["relation"]) if "relation" in node else ""
            if not table or not forecast.before.existed_before(table) or not _is_for_all(kind, node):
                continue
            deletes = kind != "UpdateStmt"
            fills = kind == "UpdateStmt" and fills_new_columns(forecast, node, context)
            if fills:
                continue
            whose = "that the source does not have " if kind == "MergeStmt" else ""
            yield self.risk(
                context,
                forecast,
                f"Every row of {table} {whose}is {'deleted' if deletes else 'changed'}.",
                evidence=(
                    f"Line {forecast.statement.line}: {forecast.statement.tag} without a condition.",
                    size_fact(context.size_of(table)),
                ),
                points=None if deletes else max(context.points(Category.DATA_LOSS, forecast), 30),
            )


class BackfillInMigration(RiskRule):
    """Many rows changed by one statement."""

    id = "backfill-in-migration"
    category = Category.PERFORMANCE
    severity = Severity.HIGH
    title = "Many rows changed in one statement"
    why = (
        "All rows stay locked until the transaction ends, so the application waits for those it wants to change; the "
        "write-ahead log of all of them goes to the replicas in one piece; the old versions cannot be cleaned up "
        "meanwhile."
    )
    alternative = "Change them in batches by key, each committed by itself, with a pause in between."
    setup = (
        "CREATE TABLE readings (id bigint PRIMARY KEY, value int);\n"
        "INSERT INTO readings SELECT i, i FROM generate_series(1, 20000) i;\nANALYZE readings;"
    )
    bad = "UPDATE readings SET value = value + 1 WHERE value IS NOT NULL;"
    good = "UPDATE readings SET value = value + 1 WHERE id = 1;"
    nodes = _CHANGES

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Statements that may change many rows."""
        rows = context.rows_changed(forecast)
        written = [work for work in forecast.works if work.kind is WorkKind.WRITE]
        if rows < MANY_ROWS or not written:
            return
        tables = dict.fromkeys(work.relation for work in written)
        counted = count_among(context.probes(forecast))
        yield self.risk(
            context,
            forecast,
            f"{'Up to' if counted is None else 'About'} {rows:,.0f} rows of {listed(tables)} change in one statement.",
            evidence=(*(() if counted is None else (counted.sentence(),)), *facts(forecast, context, work=written)),
            safe_sql=advice.in_batches(forecast),
        )


class DeleteCascadesUnindexed(RiskRule):
    """DELETE or UPDATE of a parent, and a foreign key without an index."""

    id = "delete-cascades-unindexed"
    category = Category.PERFORMANCE
    severity = Severity.HIGH
    title = "Delete from a table whose foreign keys have no index"
    why = (
        "For every row that is deleted (or whose key is changed) the referencing table is searched. Without an index "
        "on its foreign key it is read from end to end each time."
    )
    alternative = "Create an index on the referencing columns CONCURRENTLY first."
    setup = (
        SHOP + "\nALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers;"
    )
    bad = "DELETE FROM customers WHERE id > 1000;"
    good = (
        "CREATE INDEX CONCURRENTLY orders_customer_ix ON orders (customer_id);\nDELETE FROM customers WHERE id > 1000;"
    )
    nodes = frozenset({"DeleteStmt", "UpdateStmt", "MergeStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Foreign keys to the table without an index of their own."""
        node = forecast.statement.node or {}
        relation = forecast.before.relation(node["relation"])
        if relation is None or not forecast.before.is_old(relation):
            return
        for child, key in unindexed_references(forecast, relation, node):
            columns = ", ".join(quote_identifier(one) for one in key.columns)
            yield self.risk(
                context,
                forecast,
                f"For every row of {relation.qualified_name}, all of {child.qualified_name} is read to follow "
                f"{key.quoted_name}.",
                evidence=(
                    f"Line {forecast.statement.line}: {forecast.statement.tag}.",
                    f"{child.qualified_name} ({columns}) has no index that the foreign key could use.",
                    size_fact(context.size_of(child.qualified_name)),
                ),
                safe_sql=advice.index_first(child, key),
                points=max(context.points(Category.PERFORMANCE, forecast), 30)
                if not context.size_of(child.qualified_name).proved_small
                else 5,
            )


class SequenceResetOrDrop(RiskRule):
    """ALTER SEQUENCE … RESTART, setval, DROP SEQUENCE, RESTART IDENTITY."""

    id = "sequence-reset-or-drop"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Sequence that is reset or dropped"
    why = (
        "A sequence that starts again gives numbers that are taken: inserts fail with 23505, or, where nothing is "
        "unique, rows share a number. Without the sequence, inserts that rely on it fail."
    )
    alternative = "Compare with max() of the column first, and set the sequence beyond it."
    setup = "CREATE TABLE tickets (id serial PRIMARY KEY, note text);\nINSERT INTO tickets (note) VALUES ('a'), ('b');"
    bad = "ALTER SEQUENCE tickets_id_seq RESTART WITH 1;"
    good = "ALTER SEQUENCE tickets_id_seq OWNED BY tickets.id;"
    nodes = frozenset({"AlterSeqStmt", "DropStmt", "SelectStmt", "TruncateStmt", "AlterTableStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Sequences that were there before and start again, or go."""
        found = tuple(sequences_reset(forecast))
        for name, what in found:
            sequence = forecast.before.sequence(name) if name else None
            last = f"{name}: the last value given is {sequence.last_value}." if sequence and sequence.last_value else ""
            yield self.risk(
                context,
                forecast,
                f"{name or 'A sequence'} {what}.",
                evidence=tuple(
                    one for one in (f"Line {forecast.statement.line}: {forecast.statement.tag}.", last) if one
                ),
                safe_sql=advice.beyond_the_maximum(forecast, name),
                points=MAY_BREAK,
            )


def _writes(forecast: Forecast) -> Iterable[tuple[str, Node]]:
    """The statement itself, and what stands in its WITH."""
    kind = forecast.statement.node_kind or ""
    node = forecast.statement.node or {}
    if kind in ("UpdateStmt", "DeleteStmt", "MergeStmt"):
        yield kind, node
    if "withClause" in node:
        for inner in ("UpdateStmt", "DeleteStmt", "MergeStmt"):
            for found in nodes_of(node["withClause"], inner):
                yield inner, found


def _is_for_all(kind: str, node: Node) -> bool:
    if kind == "MergeStmt":
        return any(
            one.get("MergeWhenClause", {}).get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"
            and one.get("MergeWhenClause", {}).get("commandType") == "CMD_DELETE"
            and _always(one.get("MergeWhenClause", {}).get("condition"))
            for one in node.get("mergeWhenClauses", ())
        )
    return _always(node.get("whereClause"))


def _always(condition: Node | None) -> bool:
    """No condition, TRUE, or two equal constants."""
    if condition is None:
        return True
    if "A_Const" in condition:
        return bool(condition["A_Const"].get("boolval", {}).get("boolval"))
    comparison = condition.get("A_Expr", {})
    left, right = comparison.get("lexpr", {}).get("A_Const"), comparison.get("rexpr", {}).get("A_Const")
    if left is None or right is None or strings(comparison.get("name", ())) != ("=",):
        return False
    return {key: value for key, value in left.items() if key != "location"} == {
        key: value for key, value in right.items() if key != "location"
    }


RULES = (WriteWithoutWhere(), BackfillInMigration(), DeleteCascadesUnindexed(), SequenceResetOrDrop())
