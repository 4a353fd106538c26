"""The rule of foreign keys without an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from confiture_tui.core.lint.model import Category, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import create_index, names
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation


class MissingIndexOptions(RuleOptions):
    """When a foreign key needs an index less.

    Attributes:
        min_rows: a table known to have fewer rows is told of as ``info``.
        ignore_unchanging_references: pass over keys of tables from which nothing was deleted, and in which nothing was
            updated, since the server counts.
    """

    min_rows: int = Field(default=1000, ge=0)
    ignore_unchanging_references: bool = False


class MissingIndexRule(LintRule):
    """Every foreign key has an index that begins with its columns."""

    id = "missing-index"
    category = Category.PERFORMANCE
    severity = Severity.WARNING
    title = "A foreign key has no index that begins with its columns."
    why = (
        "Each row that is deleted from the referenced table, or whose key changes, is looked for in the referencing "
        "one: without an index by reading all of it, under a lock. Joins along the key suffer the same. The columns "
        "may come in any order; a partial index does not count, nor does one that is not valid. One that leaves out "
        "only rows without a value is told as info: it serves the key, and not every join."
    )
    options = MissingIndexOptions
    bad = (
        "CREATE TABLE customer (id int PRIMARY KEY);"
        "CREATE TABLE purchase (id int PRIMARY KEY, customer_id int REFERENCES customer, open boolean);"
        "CREATE INDEX ON purchase (customer_id) WHERE open;"
    )
    good = (
        "CREATE TABLE customer (shop int, id int, PRIMARY KEY (shop, id));"
        "CREATE TABLE purchase (id int PRIMARY KEY, shop int, customer_id int, placed date,"
        "  FOREIGN KEY (shop, customer_id) REFERENCES customer);"
        "CREATE INDEX ON purchase (customer_id, shop, placed);"
    )

    def check(self, catalog: Catalog, options: MissingIndexOptions) -> Iterable[Violation]:
        """Foreign keys that no index serves."""
        mine = own(catalog)
        told: set[tuple[str, frozenset[str]]] = set()
        for table, key in mine.foreign_keys:
            leading = [index for index in table.indexes if _begins_with(index, key.columns)]
            if not key.columns or any(index.predicate is None for index in leading):
                continue
            if (table.qualified_name, frozenset(key.columns)) in told:
                continue
            if options.ignore_unchanging_references and _never_changes(catalog, key):
                continue
            told.add((table.qualified_name, frozenset(key.columns)))
            rows = mine.rows(table)
            small = rows is not None and rows < options.min_rows
            words = f"{table.qualified_name} has no index that begins with ({names(key.columns)})"
            message = (
                f"{words}, the columns of its foreign key {quote_identifier(key.name)} to {key.referenced_relation}"
            )
            # What is looked for is never NULL, so such an index can be used for that.
            partial = next((one for one in leading if _is_not_null_of(one.predicate or "", key.columns)), None)
            if partial is not None:
                message += f", but the partial one {partial.qualified_name}, which is enough to check the key."
            else:
                message += f"; it has only about {rows:.0f} rows." if small else "."
            fix = create_index(catalog, mine, table, key.columns)
            severity = Severity.INFO if small or partial is not None else None
            yield self.within(table, "constraint", key.qualified_name, message, fix=fix, severity=severity)


def _begins_with(index: Index, columns: Sequence[str]) -> bool:
    """Whether it can be used to look rows up by these columns, all those rows that it holds."""
    return (
        index.valid
        and index.access_method in ("btree", "hash")
        and set(index.key_columns[: len(columns)]) == set(columns)
    )


def _is_not_null_of(predicate: str, columns: Sequence[str]) -> bool:
    parts = predicate.strip("()").split(") AND (")
    return all(part in {f"{quote_identifier(column)} IS NOT NULL" for column in columns} for part in parts)


def _never_changes(catalog: Catalog, key: Constraint) -> bool:
    referenced: Relation | None = catalog.relations.by_oid(key.referenced_oid)
    traffic = referenced.traffic if referenced else None
    return traffic is not None and traffic.deleted == 0 and traffic.updated == 0
