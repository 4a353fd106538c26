"""Keys and indexes that a migration brings in, or leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.risk.advice import rows as advice
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.lookups import has_index_on
from confiture_tui.core.risk.rules.made import made_by
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_WIDE = 4


class ForeignKeyWithoutIndex(MigrationRule):
    """A new foreign key whose columns no index begins with."""

    id = "foreign-key-without-index"
    category = Category.PERFORMANCE
    severity = Severity.LOW
    title = "Foreign key without an index"
    why = (
        "For every row deleted from the referenced table, or whose key changes, the referencing table is searched: "
        "without an index it is read from end to end."
    )
    alternative = "CREATE INDEX CONCURRENTLY on the referencing columns, in any order; not a partial one."
    setup = SHOP
    bad = (
        "ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) "
        "NOT VALID;"
    )
    good = "CREATE INDEX CONCURRENTLY orders_customer_ix ON orders (customer_id);\n" + bad

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Foreign keys that statements add and that have no index at the end."""
        for forecast in simulation.forecasts:
            for table, columns in _foreign_keys(forecast):
                relation = simulation.after.find(table).relation
                if relation is None and _indexed_in_file(context, table, columns):
                    continue
                if relation is not None and (
                    has_index_on(relation, columns) or _indexed_in_file(context, table, columns)
                ):
                    continue
                names = ", ".join(map(quote_identifier, columns))
                yield self.risk(
                    context,
                    forecast,
                    f"No index of {table} serves the new foreign key on ({names}).",
                    evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
                    safe_sql=advice.index_on(table, columns),
                    points=0,
                    severity=Severity.LOW,
                )


class TableWithoutPrimaryKey(MigrationRule):
    """A new table that ends up without a primary key."""

    id = "table-without-primary-key"
    category = Category.INTEGRITY
    severity = Severity.LOW
    title = "New table without a primary key"
    why = "No row can be named: logical replication cannot update or delete it, and batches have no key to go by."
    alternative = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, or the natural key."
    bad = "CREATE TABLE messages (id bigint, body text);"
    good = "CREATE TABLE messages (id bigint PRIMARY KEY, body text);"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Tables made here, that are there at the end, and have none."""
        for forecast in simulation.forecasts:
            if forecast.statement.node_kind != "CreateStmt":
                continue
            node = forecast.statement.node or {}
            table = forecast.after.name_of(node["relation"])
            if forecast.before.find(table).object is not None or node.get("partbound") or node.get("ofTypename"):
                continue
            relation = simulation.after.find(table).relation
            if not isinstance(relation, Relation) or relation.persistence is Persistence.TEMPORARY:
                continue
            if relation.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE) or relation.is_partition:
                continue
            if relation.primary_key is None and not _has_key(node) and not node.get("inhRelations"):
                yield self.risk(
                    context,
                    forecast,
                    f"{table} has no primary key.",
                    evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
                    points=0,
                    severity=Severity.LOW,
                )


class DuplicateIndex(RiskRule):
    """A new index that is there already."""

    id = "duplicate-index"
    category = Category.PERFORMANCE
    severity = Severity.LOW
    title = "Index that is there already"
    why = "Two indexes with the same columns serve the same queries; every write pays for both."
    alternative = "Leave it out; or drop the other one CONCURRENTLY."
    setup = SHOP + "\nCREATE INDEX orders_status_ix ON orders (status);"
    bad = "CREATE INDEX CONCURRENTLY orders_status_again_ix ON orders (status);"
    good = "CREATE INDEX CONCURRENTLY orders_code_ix ON orders (code);"
    nodes = frozenset({"IndexStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Indexes of the table with the same definition but for the name."""
        node = forecast.statement.node or {}
        table = forecast.before.find(node["relation"]).relation
        after = forecast.after.find(node["relation"]).relation
        if table is None or after is None:
            return
        known = {one.oid for one in table.indexes}
        for new in (one for one in after.indexes if one.oid not in known):
            for old in table.indexes:
                if _same(old, new):
                    yield self.risk(
                        context,
                        forecast,
                        f"{new.qualified_name} repeats {old.qualified_name}.",
                        evidence=(
                            f"Line {forecast.statement.line}: {forecast.statement.tag}.",
                            f"There is: {old.definition}.",
                        ),
                        points=0,
                        severity=Severity.LOW,
                    )
                    break


class WideIndex(RiskRule):
    """An index with many columns."""

    id = "wide-index"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "Index with many columns"
    why = "Columns after the third seldom narrow a search; they make the index large and updates of them dear."
    alternative = "The columns that narrow the search; others as INCLUDE, if an index-only scan needs them."
    setup = SHOP
    bad = "CREATE INDEX CONCURRENTLY orders_wide_ix ON orders (customer_id, status, code, total);"
    good = "CREATE INDEX CONCURRENTLY orders_customer_ix ON orders (customer_id, status);"
    nodes = frozenset({"IndexStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Key columns, not those of INCLUDE; a unique index says what is unique."""
        node = forecast.statement.node or {}
        columns = len(node.get("indexParams", ()))
        if columns >= _WIDE and not node.get("unique") and node.get("accessMethod", "btree") == "btree":
            yield self.risk(
                context,
                forecast,
                f"The index has {columns} key columns.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
                points=0,
                severity=Severity.INFO,
            )


def _foreign_keys(forecast: Forecast) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Table and columns of every foreign key that a statement adds."""
    node = forecast.statement.node or {}
    kind = forecast.statement.node_kind
    if kind == "CreateStmt":
        table = forecast.after.name_of(node["relation"])
        elements = node.get("tableElts", ())
        columns = [one["ColumnDef"] for one in elements if "ColumnDef" in one]
        constraints = [one["Constraint"] for one in elements if "Constraint" in one]
    elif kind == "AlterTableStmt":
        table = forecast.before.name_of(node["relation"])
        commands = [one.get("AlterTableCmd", {}) for one in node.get("cmds", ())]
        columns = [one["def"]["ColumnDef"] for one in commands if one.get("subtype") == "AT_AddColumn" and "def" in one]
        constraints = [
            one["def"]["Constraint"] for one in commands if one.get("subtype") == "AT_AddConstraint" and "def" in one
        ]
    else:
        return
    for column in columns:
        for one in column.get("constraints", ()):
            if one.get("Constraint", {}).get("contype") == "CONSTR_FOREIGN":
                yield table, (column.get("colname", ""),)
    for one in constraints:
        if one.get("contype") == "CONSTR_FOREIGN":
            yield table, strings(one.get("fk_attrs", ()))


def _indexed_in_file(context: RuleContext, table: str, columns: tuple[str, ...]) -> bool:
    keys = context.of_migration(made_by).indexes.get(table, ())
    return any(set(each[: len(columns)]) == set(columns) for each in keys)


def _has_key(node: Node) -> bool:
    """PRIMARY KEY in the statement itself, or LIKE … INCLUDING INDEXES, which may bring one."""
    for one in node.get("tableElts", ()):
        if one.get("Constraint", {}).get("contype") == "CONSTR_PRIMARY" or "TableLikeClause" in one:
            return True
        for inner in one.get("ColumnDef", {}).get("constraints", ()):
            if inner.get("Constraint", {}).get("contype") == "CONSTR_PRIMARY":
                return True
    return False


def _same(old: Index, new: Index) -> bool:
    shape = (
        "access_method",
        "key_columns",
        "included_columns",
        "expressions",
        "predicate",
        "descending",
        "nulls_first",
        "unique",
    )
    return old.expressions == () and all(getattr(old, name) == getattr(new, name) for name in shape)


RULES = (ForeignKeyWithoutIndex(), TableWithoutPrimaryKey(), DuplicateIndex(), WideIndex())
