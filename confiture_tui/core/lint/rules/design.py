"""Rules about what a table is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import one_step
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation


def _key(table: Relation) -> set[str | None]:
    return set(table.primary_key.key_columns) if table.primary_key else set()


class AllNullableRule(LintRule):
    """Tables in which every column may be NULL."""

    id = "all-nullable"
    category = Category.DESIGN
    severity = Severity.INFO
    enabled = False
    title = "Every column besides the primary key may be NULL."
    why = "A row of which nothing is known is probably not meant to be possible."
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int, b int);"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables with two such columns or more, and none that is NOT NULL."""
        for table in own(catalog).tables:
            key = _key(table)
            others = [column for column in table.columns if column.name not in key]
            if len(others) > 1 and not any(column.not_null for column in others):
                yield self.on(table, f"Every column of {table.qualified_name} besides its key may be NULL.")


class SingleColumnRule(LintRule):
    """Tables with one column or none."""

    id = "single-column"
    category = Category.DESIGN
    severity = Severity.INFO
    enabled = False
    title = "A table has one column, or none."
    why = "It is a list without anything about its entries; perhaps a part of it is still missing."
    bad = "CREATE TABLE t (id int PRIMARY KEY);"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Such tables."""
        for table in own(catalog).tables:
            if len(table.columns) < 2:
                count = "one column" if table.columns else "no column"
                yield self.on(table, f"{table.qualified_name} has {count}.")


class NoColumnsBesidesPkRule(LintRule):
    """Tables that are a primary key and nothing else."""

    id = "no-columns-besides-pk"
    category = Category.DESIGN
    severity = Severity.INFO
    enabled = False
    title = "A table is its primary key and nothing else."
    why = "That is right for a table that joins two others, and odd for any other."
    bad = "CREATE TABLE t (id int PRIMARY KEY);"
    good = (
        "CREATE TABLE a (id int PRIMARY KEY, x int);"
        "CREATE TABLE t (a int REFERENCES a, b int REFERENCES a, PRIMARY KEY (a, b));"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables without another column, unless all of them reference something."""
        for table in own(catalog).tables:
            key = _key(table)
            names = {column.name for column in table.columns}
            references = {name for one in table.constraints if one.referenced_oid for name in one.columns}
            if names and names == key and not (len(names) > 1 and names <= references):
                yield self.on(table, f"{table.qualified_name} is a primary key and nothing else.")


class EmptyTableRule(LintRule):
    """Tables in which there has never been a row."""

    id = "empty-table"
    category = Category.DESIGN
    severity = Severity.INFO
    enabled = False
    title = "A table holds nothing."
    why = "Nobody writes it, or not yet. What is not used can go."
    needs_statistics = True
    bad = "CREATE TABLE t (id int PRIMARY KEY);"
    good = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables, partitions together, whose files have no page."""
        mine = own(catalog)
        for table in mine.tables:
            sizes = [leaf.statistics.size if leaf.statistics else None for leaf in mine.leaves(table)]
            if sizes and all(size == 0 for size in sizes):
                yield self.on(table, f"{table.qualified_name} holds nothing.")


class MandatoryColumnsOptions(RuleOptions):
    """``columns``: names of the columns that every table has, each with its type as format_type writes it, or none."""

    columns: dict[str, str | None] = Field(default_factory=dict)


class MandatoryColumnsRule(LintRule):
    """Columns that every table must have."""

    id = "mandatory-columns"
    category = Category.DESIGN
    severity = Severity.WARNING
    title = "A table lacks a column that the settings ask of every table."
    why = "It says nothing until the settings name columns: `columns: {created_at: timestamp with time zone}`."
    options = MandatoryColumnsOptions
    example = '{"columns": {"created_at": "timestamp with time zone"}}'
    bad = "CREATE TABLE t (id int PRIMARY KEY, created_at date); CREATE TABLE u (id int PRIMARY KEY);"
    good = "CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz);"

    def check(self, catalog: Catalog, options: MandatoryColumnsOptions) -> Iterable[Violation]:
        """Tables without them, or with another type."""
        for table in own(catalog).tables:
            for name, kind in options.columns.items():
                column = table.column(name)
                quoted = quote_identifier(name)
                if column is None:
                    fix = None
                    if kind is not None:
                        fix = one_step(
                            f"ALTER TABLE {table.qualified_name} ADD COLUMN {quoted} {kind}",
                            f"ALTER TABLE {table.qualified_name} DROP COLUMN {quoted}",
                            safety=Safety.REVIEW,
                            note="The rows that are there have NULL in it.",
                        )
                    yield self.on(table, f"{table.qualified_name} has no column {quoted}.", detail=name, fix=fix)
                elif kind is not None and column.type != kind:
                    message = f"{column.qualified_name} is {column.type}; it should be {kind}."
                    yield self.within(table, "column", column.qualified_name, message)


class UnloggedTableOptions(RuleOptions):
    """``production``: whether this is production; what the settings say of the environment unless given."""

    production: bool | None = None


class UnloggedTableRule(LintRule):
    """Tables that a crash empties."""

    id = "unlogged-table"
    category = Category.DURABILITY
    severity = Severity.WARNING
    title = "A table is UNLOGGED: a crash empties it, and replicas do not have it."
    why = "Fine for what can be made again. In production it is an error unless an exemption says so."
    options = UnloggedTableOptions
    bad = "CREATE UNLOGGED TABLE t (id int PRIMARY KEY);"
    good = "CREATE TABLE t (id int PRIMARY KEY);"

    def check(self, catalog: Catalog, options: UnloggedTableOptions) -> Iterable[Violation]:
        """Unlogged tables, partitions among them."""
        for table in own(catalog).stored:
            if table.persistence is not Persistence.UNLOGGED or table.kind is RelationKind.MATERIALIZED_VIEW:
                continue
            fix: Fix = one_step(
                f"ALTER TABLE {table.qualified_name} SET LOGGED",
                f"ALTER TABLE {table.qualified_name} SET UNLOGGED",
                safety=Safety.REVIEW,
                note="It writes the whole table anew while nobody can read it.",
            )
            where = " in production" if options.production else ""
            message = f"{table.qualified_name} is UNLOGGED{where}: a crash empties it."
            yield self.on(table, message, fix=fix, severity=Severity.ERROR if options.production else None)


class TriggerDisabledRule(LintRule):
    """Triggers that are switched off."""

    id = "trigger-disabled"
    category = Category.DESIGN
    severity = Severity.INFO
    title = "A trigger is disabled."
    why = "Somebody switched it off, perhaps for a load, and what it keeps right is no longer kept so."
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger(); ALTER TABLE t DISABLE TRIGGER g;"
    )
    good = (
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger();"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Disabled triggers, also the inner ones of foreign keys."""
        for table in own(catalog).tables:
            for trigger in table.triggers:
                if trigger.enabled == "disabled":
                    name = trigger.quoted_name
                    fix = one_step(
                        f"ALTER TABLE {table.qualified_name} ENABLE TRIGGER {name}",
                        f"ALTER TABLE {table.qualified_name} DISABLE TRIGGER {name}",
                        safety=Safety.REVIEW,
                    )
                    message = f"Trigger {name} of {table.qualified_name} is disabled."
                    yield self.within(table, "trigger", trigger.qualified_name, message, fix=fix)
            for constraint in table.constraints:
                if "D" in constraint.disabled_triggers:
                    message = f"Foreign key {constraint.quoted_name} of {table.qualified_name} is switched off: "
                    message += "its inner triggers are disabled."
                    yield self.within(
                        table, "constraint", constraint.qualified_name, message, severity=Severity.WARNING
                    )


class RuleUsedRule(LintRule):
    """Rewrite rules."""

    id = "rule-used"
    category = Category.DESIGN
    severity = Severity.INFO
    title = "A table or view has a rewrite rule."
    why = "A rule changes the query, not the row: it runs volatile functions twice and surprises. Use a trigger."
    bad = "CREATE TABLE t (id int PRIMARY KEY); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;"
    good = "CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Rules other than those that make a view."""
        for relation in own(catalog).relations:
            for rule in relation.rules:
                message = f"{relation.qualified_name} has the rewrite rule {rule.quoted_name}."
                yield self.within(relation, "rule", rule.qualified_name, message)


class InheritanceRule(LintRule):
    """Tables that inherit from others."""

    id = "inheritance"
    category = Category.DESIGN
    severity = Severity.INFO
    title = "A table inherits from another without being its partition."
    why = "Keys and foreign keys are not inherited, and a query of the parent reads the child's rows too."
    bad = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p);"
    good = "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE c PARTITION OF p DEFAULT;"

    def check(self, catalog: Catalog, options: Any) -> Iterable[Violation]:
        """Children by inheritance."""
        for table in own(catalog).tables:
            if table.parents:
                yield self.on(table, f"{table.qualified_name} inherits from {', '.join(table.parents)}.")
