"""The rule of primary keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended, free_name, names, one_step
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation


class PrimaryKeyOptions(RuleOptions):
    """What does without a primary key.

    Attributes:
        allow_unique_not_null: a unique index whose columns are all NOT NULL is as good.
        allow_unlogged: unlogged tables need none.
    """

    allow_unique_not_null: bool = False
    allow_unlogged: bool = False


class PrimaryKeyRule(LintRule):
    """Every table has a primary key."""

    id = "primary-key"
    category = Category.INTEGRITY
    severity = Severity.ERROR
    title = "A table has no primary key."
    why = (
        "Rows that cannot be told apart cannot be corrected one by one, and logical replication refuses their UPDATE "
        "and DELETE. A table with a unique key of NOT NULL columns is told of as a warning: that key "
        "becomes the primary one without a scan."
    )
    options = PrimaryKeyOptions
    bad = "CREATE TABLE diary (written_on date, entry text);"
    good = "CREATE TABLE diary (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry text);"

    def check(self, catalog: Catalog, options: PrimaryKeyOptions) -> Iterable[Violation]:
        """Tables without one, and which of their unique keys would do."""
        for table in own(catalog).tables:
            if table.primary_key is not None:
                continue
            if options.allow_unlogged and table.persistence is Persistence.UNLOGGED:
                continue
            candidate = next((index for index in table.indexes if _could_be_key(table, index)), None)
            if candidate is not None and options.allow_unique_not_null:
                continue
            message = f"{table.qualified_name} has no primary key"
            if candidate is None:
                message += "."
            else:
                columns = ", ".join(column for column in candidate.key_columns if column)
                message += f"; {quote_identifier(candidate.name)} on ({columns}) could be it."
            severity = None if candidate is None else Severity.WARNING
            yield self.on(table, message, fix=_fix(catalog, table, candidate), severity=severity)


def _could_be_key(table: Relation, index: Index) -> bool:
    """Whether ADD PRIMARY KEY could take an index like this: the conditions of PostgreSQL's documentation of ALTER
    TABLE, "ADD table_constraint_using_index", and NOT NULL columns."""
    columns = [table.column(name) if name else None for name in index.key_columns]
    return (
        index.unique
        and index.valid
        and index.immediate
        and index.predicate is None
        and index.access_method == "btree"
        and not any(index.descending)
        and all(column is not None and column.not_null for column in columns)
    )


def _fix(catalog: Catalog, table: Relation, candidate: Index | None) -> Fix | None:
    constraint = quote_identifier(free_name(catalog, table.schema, table.name, "pkey"))
    relation = table.qualified_name
    partitioned = table.kind is RelationKind.PARTITIONED_TABLE
    if candidate is None:
        if partitioned:
            # Its key would have to hold the partition key: which columns beside them is for a person to say.
            return None
        column = "id" if table.column("id") is None else f"{table.name}_id"
        if table.column(column) is not None:
            return None
        quoted = quote_identifier(column)
        return one_step(
            f"ALTER TABLE {relation} ADD COLUMN {quoted} bigint GENERATED ALWAYS AS IDENTITY "
            f"CONSTRAINT {constraint} PRIMARY KEY",
            f"ALTER TABLE {relation} DROP COLUMN {quoted}",
            safety=Safety.REVIEW,
            note="This writes the whole table anew while nobody can read it; a natural key is better.",
        )
    drop = ended(f"ALTER TABLE {relation} DROP CONSTRAINT {constraint}")
    columns = names(column for column in candidate.key_columns if column)
    if partitioned:
        up = ended(f"ALTER TABLE {relation} ADD CONSTRAINT {constraint} PRIMARY KEY ({columns})")
        return Fix(
            steps=(FixStep(up=up, down=drop),), safety=Safety.REVIEW, note="It builds an index on every partition."
        )
    if candidate.constraint is None:
        # The index takes the constraint's name and goes with it, so that the way back makes it anew.
        index = quote_identifier(candidate.name)
        down = ended(f"ALTER TABLE {relation} DROP CONSTRAINT {index}") + ended(candidate.definition)
        up = ended(f"ALTER TABLE {relation} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index}")
        return Fix(steps=(FixStep(up=up, down=down),), safety=Safety.SAFE)
    index_name = free_name(catalog, table.schema, table.name, "pkey_idx")
    index, qualified = quote_identifier(index_name), qualified_name(table.schema, index_name)
    return Fix(
        steps=(
            FixStep(
                up=ended(f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {relation} ({columns})"),
                down=ended(f"DROP INDEX CONCURRENTLY IF EXISTS {qualified}"),
                transactional=False,
            ),
            FixStep(
                up=ended(f"ALTER TABLE {relation} ADD CONSTRAINT {constraint} PRIMARY KEY USING INDEX {index}"),
                down=drop,
            ),
        ),
        safety=Safety.SAFE,
        note="The unique constraint on the same columns is then one too many; foreign keys may rest on it.",
    )
