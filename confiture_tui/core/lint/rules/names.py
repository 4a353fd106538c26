"""Rules about names beyond their style: cut off, reserved, plural, and made by a template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ALTER, MAX_BYTES, free_name, one_step, shortened
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index

_GIVEN = re.compile(r"_(?:pkey|key|idx|fkey|check|excl|seq|not_null|fk|uniq|like|[0-9a-f]{8})\d*$")
"""Ends of names that the server, or a framework, makes and shortens by itself: nothing of them was cut off."""

RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        all analyse analyze and any array as asc asymmetric authorization binary both case cast
        check collate collation column concurrently constraint create cross current_catalog
        current_date current_role current_schema current_time current_timestamp current_user default
        deferrable desc distinct do else end except false fetch for foreign freeze from full grant
        group having ilike in initially inner intersect into is isnull join lateral leading left
        like limit localtime localtimestamp natural not notnull null offset on only or order outer
        overlaps placing primary references returning right select session_user similar some
        symmetric system_user table tablesample then to trailing true union unique user using
        variadic verbose when where window with
        """,
    )
)
"""Key words of category R and T in pg_get_keywords() of PostgreSQL 18: no table or column has them without quotes."""


class NameTruncatedRule(LintRule):
    """Names that are as long as the server keeps them."""

    id = "name-truncated"
    category = Category.NAMING
    severity = Severity.WARNING
    title = "A name is exactly as long as the server keeps names, so it was probably cut off."
    why = (
        "The server keeps 63 bytes of a name and drops the rest with a NOTICE. Two long names can become one, and the "
        "object is not called what its migration calls it."
    )
    bad = f"CREATE TABLE {'a_very_long_name_' * 4} (id int PRIMARY KEY);"
    good = "CREATE TABLE a_name (id int PRIMARY KEY);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Names of 63 bytes, or what is left when a character did not fit."""
        mine = own(catalog)
        for relation in mine.relations:
            if _is_full(relation.name):
                yield self.on(relation, f"The name {relation.qualified_name} is as long as a name can be.")
        for name, columns in mine.columns_by_name.items():
            for table, column in columns if _is_full(name) else ():
                message = f"The name of column {column.quoted_name} is as long as a name can be."
                yield self.within(table, "column", column.qualified_name, message)
        for table, index in mine.indexes:
            if _is_full(index.name) and index.constraint is None and not _GIVEN.search(index.name):
                message = f"The name of index {quote_identifier(index.name)} is as long as a name can be."
                yield self.within(table, "index", index.qualified_name, message)
        for table, constraint in mine.constraints:
            if _is_full(constraint.name) and not _GIVEN.search(constraint.name):
                message = f"The name of constraint {constraint.quoted_name} is as long as a name can be."
                yield self.within(table, "constraint", constraint.qualified_name, message)
        for routine in mine.routines:
            if _is_full(routine.name):
                message = f"The name {routine.qualified_name} is as long as a name can be."
                yield self.violation(routine.kind.value, routine.signature, message, schema=routine.schema)


class ReservedWordRule(LintRule):
    """Tables, views and columns that are called like a reserved key word."""

    id = "reserved-word"
    category = Category.NAMING
    severity = Severity.WARNING
    title = "A table or column is called like a reserved key word."
    why = (
        "It needs quotes in every query: `SELECT user FROM …` gives the session's role instead of the column, without "
        "an error. Columns are told of as info: they often stand behind an alias."
    )
    bad = 'CREATE TABLE "order" (id int PRIMARY KEY, "user" text);'
    good = "CREATE TABLE purchase (id int PRIMARY KEY, user_name text);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Names that are reserved in some place of the grammar."""
        mine = own(catalog)
        for relation in mine.relations:
            if relation.name in RESERVED and relation.kind in ALTER:
                new = free_name(catalog, relation.schema, relation.name, "table")
                schema, old, plain = (quote_identifier(name) for name in (relation.schema, relation.name, new))
                word = ALTER[relation.kind]
                fix = one_step(
                    f"ALTER {word} {schema}.{old} RENAME TO {plain}",
                    f"ALTER {word} {schema}.{plain} RENAME TO {old}",
                    safety=Safety.REVIEW,
                    note="A better name is for you to find; code that uses the old one breaks when this runs.",
                )
                yield self.on(relation, f"{relation.name} is a reserved word: it needs quotes in every query.", fix=fix)
        for name, columns in mine.columns_by_name.items():
            for table, column in columns if name in RESERVED else ():
                message = f"Column {name} is a reserved word: it needs quotes in every query."
                yield self.within(table, "column", column.qualified_name, message, severity=Severity.INFO)


class PluralityOptions(RuleOptions):
    """Whether tables are named in the ``singular`` or in the ``plural``."""

    style: Literal["singular", "plural"] = "plural"


class NamePluralityRule(LintRule):
    """Tables named in the singular and in the plural."""

    id = "name-plurality"
    category = Category.NAMING
    severity = Severity.INFO
    enabled = False
    title = "A table's name is singular where plural is the rule, or the other way round."
    why = "One habit is easier to remember than two. English is guessed at by its endings, so this is off by default."
    options = PluralityOptions
    bad = "CREATE TABLE customer (id int PRIMARY KEY);"
    good = "CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE order_news (id int PRIMARY KEY);"

    def check(self, catalog: Catalog, options: PluralityOptions) -> Iterable[Violation]:
        """Table names whose last word has the other number."""
        for table in own(catalog).tables:
            plural = _is_plural(table.name)
            if plural is not None and plural != (options.style == "plural"):
                yield self.on(table, f"The name {table.qualified_name} should be {options.style}.")


_INVARIABLE = frozenset(
    re.findall(r"\w+", "news series species data media metadata information settings status address access")
)
_IRREGULAR = frozenset({"people", "children", "men", "women", "feet", "teeth", "mice", "criteria"})


def _is_plural(name: str) -> bool | None:
    """Whether a name's last word is a plural; ``None`` where one cannot tell."""
    word = name.lower().rstrip("0123456789_").rpartition("_")[2]
    if word in _INVARIABLE or len(word) < 3:
        return None
    if word in _IRREGULAR:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _template(text: str) -> str:
    try:
        text.format(table="t", columns="c", schema="s", referenced="r")
    except (KeyError, IndexError, ValueError):
        raise ValueError("it may name {table}, {columns}, {schema} and, for foreign keys, {referenced}") from None
    return text


class IndexNamingOptions(RuleOptions):
    """Templates of ``{table}``, ``{columns}`` (joined by ``_``) and ``{schema}``.

    Attributes:
        index: of ordinary indexes; ``None`` leaves them alone.
        unique: of unique indexes; ``None`` for the same template.
    """

    index: str | None = "idx_{table}_{columns}"
    unique: str | None = None

    _known = field_validator("index", "unique")(lambda text: text and _template(text))


class IndexNamingRule(LintRule):
    """Names of indexes that follow a template."""

    id = "index-naming"
    category = Category.NAMING
    severity = Severity.INFO
    enabled = False
    title = "An index is not named by the template."
    why = "A plan that names an index should tell its table and columns. Off until a template is chosen."
    options = IndexNamingOptions
    bad = "CREATE TABLE fruit (id int PRIMARY KEY, kind int); CREATE INDEX fast ON fruit (kind);"
    good = "CREATE TABLE fruit (id int PRIMARY KEY, kind int); CREATE INDEX idx_fruit_kind ON fruit (kind);"

    def check(self, catalog: Catalog, options: IndexNamingOptions) -> Iterable[Violation]:
        """Indexes of plain columns with another name than the template gives."""
        for table, index in own(catalog).indexes:
            if index.constraint is not None or index.parent is not None or None in index.key_columns:
                continue
            template = options.unique if index.unique and options.unique else options.index
            if template is None:
                continue
            columns = "_".join([column for column in index.key_columns if column])
            wanted = shortened(template.format(table=table.name, columns=columns, schema=table.schema))
            if index.name == wanted or (index.predicate is not None and index.name.startswith(wanted)):
                continue
            key = (table.schema, wanted)
            fix = None if key in catalog.relations or key in catalog.indexes else _rename_index(index, wanted)
            message = f"Index {index.qualified_name} should be named {wanted}."
            yield self.within(table, "index", index.qualified_name, message, fix=fix)


def _rename_index(index: Index, wanted: str) -> Fix:
    schema, old, new = (quote_identifier(name) for name in (index.schema, index.name, wanted))
    return one_step(
        f"ALTER INDEX {schema}.{old} RENAME TO {new}",
        f"ALTER INDEX {schema}.{new} RENAME TO {old}",
        safety=Safety.SAFE,
    )


class ConstraintNamingOptions(RuleOptions):
    """Templates of ``{table}``, ``{columns}``, ``{schema}`` and, for foreign keys, ``{referenced}``.

    ``None`` allows any name. The defaults are the names that the server itself gives.
    """

    primary_key: str | None = "{table}_pkey"
    unique: str | None = "{table}_{columns}_key"
    foreign_key: str | None = "{table}_{columns}_fkey"
    check: str | None = Field(default=None)

    _known = field_validator("primary_key", "unique", "foreign_key", "check")(lambda text: text and _template(text))


_OPTION = {
    ConstraintKind.PRIMARY_KEY: "primary_key",
    ConstraintKind.UNIQUE: "unique",
    ConstraintKind.FOREIGN_KEY: "foreign_key",
    ConstraintKind.CHECK: "check",
}


class ConstraintNamingRule(LintRule):
    """Names of constraints that follow a template."""

    id = "constraint-naming"
    category = Category.NAMING
    severity = Severity.INFO
    enabled = False
    title = "A constraint is not named by the template."
    why = "An error names the constraint: its name should tell the table and columns. Off until a template is chosen."
    options = ConstraintNamingOptions
    bad = "CREATE TABLE fruit (id int, CONSTRAINT pk PRIMARY KEY (id));"
    good = "CREATE TABLE fruit (id int PRIMARY KEY);"

    def check(self, catalog: Catalog, options: ConstraintNamingOptions) -> Iterable[Violation]:
        """Constraints with another name than the template of their kind gives."""
        templates: dict[ConstraintKind, str | None] = {kind: getattr(options, name) for kind, name in _OPTION.items()}
        for table, constraint in own(catalog).constraints:
            template = templates.get(constraint.kind)
            if template is None:
                continue
            wanted = shortened(
                template.format(
                    table=table.name,
                    columns="_".join(constraint.columns),
                    schema=table.schema,
                    referenced=_referenced(catalog, constraint),
                )
            )
            if constraint.name == wanted:
                continue
            old, new = constraint.quoted_name, quote_identifier(wanted)
            taken = wanted in {other.name for other in table.constraints} or (
                constraint.index is not None
                and any((table.schema, wanted) in found for found in (catalog.relations, catalog.indexes))
            )
            fix = (
                None
                if taken
                else one_step(
                    f"ALTER TABLE {table.qualified_name} RENAME CONSTRAINT {old} TO {new}",
                    f"ALTER TABLE {table.qualified_name} RENAME CONSTRAINT {new} TO {old}",
                    safety=Safety.SAFE,
                )
            )
            message = f"Constraint {old} of {table.qualified_name} should be named {wanted}."
            yield self.within(table, "constraint", constraint.qualified_name, message, fix=fix)


def _referenced(catalog: Catalog, constraint: Constraint) -> str:
    referenced = catalog.relations.by_oid(constraint.referenced_oid)
    return referenced.name if referenced else ""


def _is_full(name: str) -> bool:
    # A name is cut at a whole character, so up to three bytes may be missing where characters take several.
    if name.isascii():
        return len(name) >= MAX_BYTES
    return len(name.encode()) >= MAX_BYTES - 3
