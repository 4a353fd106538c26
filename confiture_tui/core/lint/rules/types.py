"""Rules about the types of columns."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own, type_name
from confiture_tui.core.lint.patterns import Pattern
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import one_step
from confiture_tui.core.lint.tenancy import demand_not_null

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

_REWRITES = "It may write the whole table anew while nobody can read it, and breaks prepared statements that read it."


class _TypeRule(LintRule):
    """A rule that does not like one type of column.

    Attributes:
        found: what the type's name begins with, as format_type writes it.
        instead: the type to use; in ``using``, ``{}`` stands for the column.
    """

    category = Category.TYPES
    severity = Severity.INFO
    found: ClassVar[tuple[str, ...]]
    instead: ClassVar[str]
    using: ClassVar[str] = "{}::{type}"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Columns of that type, or of arrays of it."""
        for text, columns in own(catalog).columns_by_type.items():
            if type_name(text).removesuffix("[]") not in self.found or not self.is_meant(text):
                continue
            for table, column in columns:
                message = f"{column.qualified_name} is {text}; {self.instead} would be better."
                yield self.within(table, "column", column.qualified_name, message, fix=self.fix(table, column))

    def is_meant(self, text: str) -> bool:
        """Whether a type is disliked with these modifiers."""
        return True

    def fix(self, table: Relation, column: Column) -> Fix | None:
        """Changing the type, where the column is no array."""
        if column.type.endswith("[]") or column.generated is not None:
            return None
        using = self.using.format(column.quoted_name, type=self.instead)
        alter = f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name} TYPE"
        return one_step(
            f"{alter} {self.instead} USING {using}", f"{alter} {column.type}", safety=Safety.REVIEW, note=_REWRITES
        )


class PreferTimestamptzRule(_TypeRule):
    """timestamp without time zone."""

    id = "prefer-timestamptz"
    title = "A column is timestamp without time zone."
    why = "It says what a clock showed, not when that was: two servers, or one in another time zone, disagree."
    bad = "CREATE TABLE t (id int PRIMARY KEY, at timestamp);"
    good = "CREATE TABLE t (id int PRIMARY KEY, at timestamptz);"
    found = ("timestamp without time zone",)
    instead = "timestamp with time zone"
    using = "{} AT TIME ZONE 'UTC'"


class PreferJsonbRule(_TypeRule):
    """json."""

    id = "prefer-jsonb"
    title = "A column is json instead of jsonb."
    why = (
        "json has no equality, so that DISTINCT and GROUP BY fail on it, is parsed at each use, and takes no GIN index."
    )
    bad = "CREATE TABLE t (id int PRIMARY KEY, data json);"
    good = "CREATE TABLE t (id int PRIMARY KEY, data jsonb);"
    found = ("json",)
    instead = "jsonb"


class NoCharNRule(_TypeRule):
    """char(n)."""

    id = "no-char-n"
    title = "A column is char(n)."
    why = "It is filled up with blanks, compared without them, and no faster than text."
    bad = "CREATE TABLE t (id int PRIMARY KEY, code char(10));"
    good = 'CREATE TABLE t (id int PRIMARY KEY, code text, letter "char");'
    found = ("character",)
    instead = "text"


class NoMoneyRule(_TypeRule):
    """money."""

    id = "no-money"
    title = "A column is money."
    why = "Its currency and its decimals are those of the session's lc_monetary: another session reads another amount."
    bad = "CREATE TABLE t (id int PRIMARY KEY, price money);"
    good = "CREATE TABLE t (id int PRIMARY KEY, price numeric(12, 2));"
    found = ("money",)
    instead = "numeric"


class NoVarcharNRule(_TypeRule):
    """varchar(n)."""

    id = "no-varchar-n"
    enabled = False
    title = "A column is varchar(n)."
    why = "Its limit is seldom a rule of the business, and shortening it writes the table anew. A CHECK can be changed."
    bad = "CREATE TABLE t (id int PRIMARY KEY, name varchar(50));"
    good = "CREATE TABLE t (id int PRIMARY KEY, name varchar, title text CHECK (length(title) < 50));"
    found = ("character varying",)
    instead = "text"

    def is_meant(self, text: str) -> bool:
        """Only with a limit."""
        return "(" in text


class NoTimetzRule(_TypeRule):
    """timetz."""

    id = "no-timetz"
    title = "A column is time with time zone."
    why = "A time zone's offset depends on the date, which is not there."
    bad = "CREATE TABLE t (id int PRIMARY KEY, at timetz);"
    good = "CREATE TABLE t (id int PRIMARY KEY, at time);"
    found = ("time with time zone",)
    instead = "time without time zone"


class EnumVsCheckOptions(RuleOptions):
    """What a column with few values should be: ``check`` (text with a CHECK, or a table of values) or ``enum``."""

    prefer: Literal["check", "enum"] = "check"


class EnumVsCheckRule(LintRule):
    """Columns of enum types, or with a CHECK on a list of values; whichever is not wanted."""

    id = "enum-vs-check"
    category = Category.TYPES
    severity = Severity.INFO
    enabled = False
    title = "A column with few values is kept in the way that is not this project's."
    why = "A label of an enum can never be removed; a CHECK can be replaced, but costs a scan. Choose one way."
    options = EnumVsCheckOptions
    bad = "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (id int PRIMARY KEY, m mood);"
    good = "CREATE TABLE t (id int PRIMARY KEY, m text CHECK (m IN ('good', 'bad')));"

    def check(self, catalog: Catalog, options: EnumVsCheckOptions) -> Iterable[Violation]:
        """Columns of the other way."""
        mine = own(catalog)
        if options.prefer == "check":
            for columns in mine.columns_by_type.values():
                kind = catalog.types.by_oid(columns[0][1].type_oid)
                if kind is None or kind.kind is not TypeKind.ENUM or kind.extension is not None:
                    continue
                for table, column in columns:
                    message = f"{column.qualified_name} is of the enum {kind.qualified_name}; a CHECK could be changed."
                    yield self.within(table, "column", column.qualified_name, message)
            return
        for table, constraint in mine.constraints:
            listed = re.search(r"= ANY \(+ARRAY\['", constraint.definition)
            if constraint.kind is ConstraintKind.CHECK and len(constraint.columns) == 1 and listed:
                message = f"{constraint.qualified_name} lists the values of {constraint.columns[0]}: an enum could."
                yield self.within(table, "constraint", constraint.qualified_name, message)


class FloatMoneyOptions(RuleOptions):
    """``names``: a regular expression for the names of amounts."""

    names: Pattern = (
        r"(?i)(?:^|_)(?:price|prices|amount|total|subtotal|cost|fee|fees|tax|balance|salary|revenue|payment|discount|"
        r"charge|refund|budget|invoice)(?:$|_(?!count|factor|rate|ratio|percent|pct|score|weight|index|id))"
    )


class FloatMoneyRule(LintRule):
    """Amounts of money as floating-point numbers."""

    id = "float-money"
    category = Category.TYPES
    severity = Severity.WARNING
    title = "An amount of money is a floating-point number."
    why = "0.1 + 0.2 is not 0.3 there: sums of money do not add up. numeric, or whole cents, do."
    options = FloatMoneyOptions
    bad = "CREATE TABLE t (id int PRIMARY KEY, unit_price double precision);"
    good = "CREATE TABLE t (id int PRIMARY KEY, unit_price numeric(12, 2), weight real);"

    def check(self, catalog: Catalog, options: FloatMoneyOptions) -> Iterable[Violation]:
        """Columns of type real or double precision with the name of an amount."""
        columns = own(catalog).columns_by_type
        for table, column in (pair for kind in ("real", "double precision") for pair in columns.get(kind, ())):
            if re.search(options.names, column.name):
                message = f"{column.qualified_name} looks like an amount of money and is {column.type}."
                alter = f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name} TYPE"
                fix = one_step(f"{alter} numeric", f"{alter} {column.type}", safety=Safety.REVIEW, note=_REWRITES)
                yield self.within(table, "column", column.qualified_name, message, fix=fix)


class InconsistentTypeOptions(RuleOptions):
    """When columns of one name are held to mean the same.

    Attributes:
        min_uses: in how many tables the name stands at least.
        majority: the share of them that agree, so that the others stand out, 0.5 to 1.
        exempt: names that mean something else in each table.
    """

    min_uses: int = Field(default=3, ge=2)
    majority: float = Field(default=0.75, ge=0.5, le=1)
    exempt: tuple[str, ...] = (
        *(
            "id",
            "name",
            "value",
            "type",
            "status",
            "state",
            "kind",
            "code",
            "key",
            "data",
            "version",
            "content",
            "body",
        ),
        *(
            "title",
            "description",
            "comment",
            "number",
            "position",
            "level",
            "size",
            "count",
            "total",
            "result",
            "object_id",
        ),
    )


class InconsistentTypeRule(LintRule):
    """Columns of one name and several types."""

    id = "inconsistent-type"
    category = Category.TYPES
    severity = Severity.INFO
    enabled = False
    title = "A column has another type than the columns of the same name elsewhere."
    why = "What is called the same should be the same; but one word may mean two things, so this is off by default."
    options = InconsistentTypeOptions
    bad = (
        "CREATE TABLE a (sku text PRIMARY KEY); CREATE TABLE b (sku text PRIMARY KEY);"
        "CREATE TABLE c (sku text PRIMARY KEY); CREATE TABLE d (sku int PRIMARY KEY);"
    )
    good = (
        "CREATE TABLE a (sku text PRIMARY KEY); CREATE TABLE b (sku text PRIMARY KEY);"
        "CREATE TABLE c (id int PRIMARY KEY);"
    )

    def check(self, catalog: Catalog, options: InconsistentTypeOptions) -> Iterable[Violation]:
        """Columns in the minority, within one schema."""
        uses: defaultdict[tuple[str, str], list[tuple[Relation, Column]]] = defaultdict(list)
        for name, columns in own(catalog).columns_by_name.items():
            if name in options.exempt or len(columns) < options.min_uses:
                continue
            for table, column in columns:
                uses[table.schema, name].append((table, column))
        for (_, name), found in uses.items():
            if len(found) < options.min_uses:
                continue
            # Lengths differ for good reasons.
            kinds = Counter[str]()
            for text, count in Counter(column.type for _, column in found).items():
                kinds[_plain(text)] += count
            usual, count = kinds.most_common(1)[0]
            if count == len(found) or count < options.majority * len(found):
                continue
            for table, column in found:
                if _plain(column.type) != usual:
                    message = f"{column.qualified_name} is {column.type}; in {count} other tables {name} is {usual}."
                    yield self.within(table, "column", column.qualified_name, message)


def _plain(text: str) -> str:
    """A type without its length; the two kinds of text are one."""
    name = type_name(text)
    return "text" if name == "character varying" else name


class NullableBooleanRule(LintRule):
    """Booleans that may be NULL."""

    id = "nullable-boolean"
    category = Category.TYPES
    severity = Severity.INFO
    title = "A boolean column may be NULL."
    why = "It has three values then, and NOT of NULL is NULL: `WHERE NOT done` passes over the rows that nobody set."
    bad = "CREATE TABLE t (id int PRIMARY KEY, done boolean);"
    good = "CREATE TABLE t (id int PRIMARY KEY, done boolean NOT NULL DEFAULT false);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Boolean columns of tables that may be NULL."""
        for table, column in own(catalog).columns_by_type.get("boolean", ()):
            if column.not_null or column.generated is not None:
                continue
            fix = None
            if table.kind is RelationKind.TABLE:
                note = "Rows with NULL make the second step fail: give them a value, and the column a default, first."
                fix = Fix(steps=demand_not_null(table, column.name), safety=Safety.REVIEW, note=note)
            message = f"{column.qualified_name} is a boolean that may be NULL."
            yield self.within(table, "column", column.qualified_name, message, fix=fix)
