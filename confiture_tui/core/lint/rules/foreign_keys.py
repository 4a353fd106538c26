"""Rules about foreign keys and other constraints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own, type_name
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended, names, one_step
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

_INTEGERS = {"smallint": 2, "integer": 4, "bigint": 8}


class FkTypeMismatchOptions(RuleOptions):
    """``allow_wider``: the referencing column may be a wider integer, or longer text, than the referenced one."""

    allow_wider: bool = True


class FkTypeMismatchRule(LintRule):
    """Foreign keys between columns of different types."""

    id = "fk-type-mismatch"
    category = Category.INTEGRITY
    severity = Severity.ERROR
    title = "A foreign key joins columns of different types."
    why = (
        "A narrower column one day cannot hold a key that exists, and a comparison across types may not use the index."
    )
    options = FkTypeMismatchOptions
    bad = "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);"
    good = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id bigint REFERENCES a);"

    def check(self, catalog: Catalog, options: FkTypeMismatchOptions) -> Iterable[Violation]:
        """Pairs of columns whose types, behind their domains, differ."""
        for table, key in own(catalog).foreign_keys:
            referenced = catalog.relations.by_oid(key.referenced_oid)
            if referenced is None:
                continue
            for ours, theirs in zip(key.columns, key.referenced_columns, strict=True):
                column, target = table.column(ours), referenced.column(theirs)
                if column is None or target is None:
                    continue
                mine, other = _base(catalog, column), _base(catalog, target)
                if mine == other or (options.allow_wider and _is_wider(mine, other)):
                    continue
                message = f"{column.qualified_name} is {column.type}, but {target.qualified_name}, "
                message += f"which it references, is {target.type}."
                fix = None
                if column.type_oid != target.type_oid or column.type != target.type:
                    fix = one_step(
                        f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name} TYPE {target.type}",
                        f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name} TYPE {column.type}",
                        safety=Safety.REVIEW,
                        note="It may write the whole table anew while nobody can read it.",
                    )
                yield self.within(table, "constraint", key.qualified_name, message, detail=column.quoted_name, fix=fix)


def _base(catalog: Catalog, column: Column) -> str:
    """A column's type behind its domain, if it has one."""
    kind = catalog.types.by_oid(column.type_oid)
    text = column.type
    while kind is not None and kind.kind is TypeKind.DOMAIN and kind.base_type:
        text = kind.base_type
        kind = catalog.types.by_oid(kind.base_type_oid)
    return text


def _is_wider(mine: str, other: str) -> bool:
    if mine in _INTEGERS and other in _INTEGERS:
        return _INTEGERS[mine] > _INTEGERS[other]
    if mine in ("text", "character varying"):
        return type_name(other) in ("text", "character varying")
    ours, theirs = mine.partition("("), other.partition("(")
    if ours[0] == theirs[0] == "character varying" and ours[2] and theirs[2]:
        return int(ours[2].rstrip(")")) > int(theirs[2].rstrip(")"))
    return False


class FkDuplicateRule(LintRule):
    """Foreign keys that are there twice."""

    id = "fk-duplicate"
    category = Category.INTEGRITY
    severity = Severity.WARNING
    title = "Two foreign keys join the same columns."
    why = "Both are checked for every row, and they may not even agree on what a DELETE does."
    bad = (
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a,"
        " CONSTRAINT again FOREIGN KEY (a_id) REFERENCES a ON DELETE CASCADE);"
    )
    good = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Foreign keys with the pairs of columns of an earlier one."""
        first: dict[object, Constraint] = {}
        for table, key in sorted(own(catalog).foreign_keys, key=lambda pair: pair[1].oid):
            pairs = frozenset(zip(key.columns, key.referenced_columns, strict=True))
            other = first.setdefault((table.oid, key.referenced_oid, pairs), key)
            if other is key:
                continue
            message = f"{key.qualified_name} joins the same columns as {other.quoted_name}"
            differs = other.on_delete != key.on_delete or other.on_update != key.on_update
            message += ", and they differ in what a DELETE or UPDATE does." if differs else "."
            fix = one_step(
                f"ALTER TABLE {table.qualified_name} DROP CONSTRAINT {key.quoted_name}",
                f"ALTER TABLE {table.qualified_name} ADD CONSTRAINT {key.quoted_name} {key.definition}",
                safety=Safety.REVIEW if differs else Safety.SAFE,
            )
            yield self.within(table, "constraint", key.qualified_name, message, fix=fix)


class FkNullableCompositeRule(LintRule):
    """Foreign keys of several columns, of which one may be NULL."""

    id = "fk-nullable-composite"
    category = Category.INTEGRITY
    severity = Severity.WARNING
    title = "A foreign key of several columns is not checked when one of them is NULL."
    why = (
        "By MATCH SIMPLE a single NULL lets any values pass beside it (PostgreSQL documentation, 5.5.5). Make the "
        "columns NOT NULL, say MATCH FULL, or check that all or none of them are NULL."
    )
    bad = (
        "CREATE TABLE a (x int, y int, PRIMARY KEY (x, y));"
        "CREATE TABLE b (id int PRIMARY KEY, x int, y int, FOREIGN KEY (x, y) REFERENCES a);"
    )
    good = (
        "CREATE TABLE a (x int, y int, PRIMARY KEY (x, y));"
        "CREATE TABLE b (id int PRIMARY KEY, x int, y int, FOREIGN KEY (x, y) REFERENCES a MATCH FULL);"
        "CREATE TABLE c (id int PRIMARY KEY, x int NOT NULL, y int, FOREIGN KEY (x, y) REFERENCES a);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Keys of MATCH SIMPLE of which two columns or more may be NULL, or one beside what is not the tenant's."""
        for table, key in own(catalog).foreign_keys:
            if len(key.columns) < 2 or key.match != "SIMPLE":
                continue
            columns = [table.column(name) for name in key.columns]
            nullable = [column.name for column in columns if column is not None and not column.not_null]
            # With one column that may be NULL that column says whether there is a reference at all.
            if len(nullable) < 2 or _checks_all_or_none(table, nullable):
                continue
            message = f"{key.qualified_name} is not checked as soon as one of {names(nullable)} is NULL."
            yield self.within(table, "constraint", key.qualified_name, message)


def _checks_all_or_none(table: Relation, columns: list[str]) -> bool:
    """Whether a CHECK looks at the NULLs of all these columns together."""
    return any(
        constraint.kind is ConstraintKind.CHECK
        and set(columns) <= set(constraint.columns)
        and ("NULL" in constraint.definition or "num_n" in constraint.definition)
        for constraint in table.constraints
    )


class ConstraintNotValidRule(LintRule):
    """Constraints that were added NOT VALID and never checked."""

    id = "constraint-not-valid"
    category = Category.INTEGRITY
    severity = Severity.WARNING
    title = "A constraint was never checked against the rows that were there before it."
    why = "Until it is validated nobody may rely on it, the query planner does not, and a restore may fail."
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0));"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Constraints that are enforced and not validated."""
        for table, constraint in own(catalog).constraints:
            if not constraint.validated and constraint.enforced:
                message = f"{constraint.qualified_name} is not valid: rows from before it may break it."
                statement = f"ALTER TABLE {table.qualified_name} VALIDATE CONSTRAINT {constraint.quoted_name}"
                fix = Fix(steps=(FixStep(up=ended(statement)),), safety=Safety.SAFE)
                yield self.within(table, "constraint", constraint.qualified_name, message, fix=fix)


class FkMissingGuessRule(LintRule):
    """Columns that are named like a reference and are none."""

    id = "fk-missing-guess"
    category = Category.INTEGRITY
    severity = Severity.INFO
    enabled = False
    title = "A column is named like a reference to a table, and there is no foreign key."
    why = "Rows may point at nothing. The name is all there is to go by, so this is off by default."
    bad = "CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, customer_id int);"
    good = (
        "CREATE TABLE customers (id int PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, customer_id int REFERENCES customers, customer_code int, batch_id uuid);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Columns ``x_id`` of the type of the key of a table ``x`` or ``xs`` in the same schema."""
        mine = own(catalog)
        tables = {(table.schema, table.name): table for table in mine.tables}
        named = ((name, columns) for name, columns in mine.columns_by_name.items() if name.endswith("_id"))
        for table, column in (pair for _, columns in named for pair in columns):
            stem = column.name.removesuffix("_id")
            if any(column.name in one.columns for one in table.constraints if one.kind is ConstraintKind.FOREIGN_KEY):
                continue
            plurals = (stem, f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies")
            target = next((tables[table.schema, one] for one in plurals if (table.schema, one) in tables), None)
            key = target.primary_key if target else None
            if target is None or key is None or target.oid == table.oid or len(key.key_columns) != 1:
                continue
            theirs = target.column(key.key_columns[0] or "")
            if theirs is None or theirs.type_oid != column.type_oid:
                continue
            name = quote_identifier(f"{table.name}_{column.name}_fkey")
            relation = table.qualified_name
            fix = Fix(
                steps=(
                    FixStep(
                        up=ended(
                            f"ALTER TABLE {relation} ADD CONSTRAINT {name} FOREIGN KEY ({column.quoted_name}) "
                            f"REFERENCES {target.qualified_name} ({theirs.quoted_name}) NOT VALID"
                        ),
                        down=ended(f"ALTER TABLE {relation} DROP CONSTRAINT {name}"),
                    ),
                    FixStep(up=ended(f"ALTER TABLE {relation} VALIDATE CONSTRAINT {name}")),
                ),
                safety=Safety.REVIEW,
            )
            message = f"{column.qualified_name} looks like a reference to {target.qualified_name} and is none."
            yield self.within(table, "column", column.qualified_name, message, fix=fix)


Action = Literal["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]


class ReferenceActionsOptions(RuleOptions):
    """Which actions foreign keys may have; ``None``: any."""

    on_delete: tuple[Action, ...] | None = None
    on_update: tuple[Action, ...] | None = None


class ReferenceActionsRule(LintRule):
    """Foreign keys with an action that is not allowed here."""

    id = "reference-actions"
    category = Category.INTEGRITY
    severity = Severity.INFO
    title = "A foreign key does on DELETE or UPDATE what the settings do not allow."
    why = "A CASCADE that nobody knows of deletes more than was meant. It says nothing until the settings name actions."
    options = ReferenceActionsOptions
    example = '{"on_delete": ["NO ACTION", "RESTRICT"]}'
    bad = (
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE);"
    )
    good = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);"

    def check(self, catalog: Catalog, options: ReferenceActionsOptions) -> Iterable[Violation]:
        """Foreign keys with other actions than those of the settings."""
        for table, key in own(catalog).foreign_keys:
            for what, action, allowed in (
                ("DELETE", key.on_delete, options.on_delete),
                ("UPDATE", key.on_update, options.on_update),
            ):
                if allowed is not None and action not in allowed:
                    message = f"{key.qualified_name} does {action} on {what}; allowed: {', '.join(allowed)}."
                    yield self.within(table, "constraint", key.qualified_name, message, detail=what)
