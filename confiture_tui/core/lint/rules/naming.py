"""The rule of names: one style for each kind of object, and patterns for schemas and prefixes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.patterns import Pattern
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ALTER, MAX_BYTES, one_step
from confiture_tui.core.lint.styles import ANY, AUTO, STYLES, has_style, in_style, styles_kept
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.lint.objects import Own

Kind = Literal[
    "schemas", "tables", "columns", "views", "indexes", "constraints", "functions", "types", "sequences", "triggers"
]


def _style(text: str) -> str:
    if text.startswith("^"):
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
    elif text not in STYLES:
        raise ValueError(f"not a style; styles: {', '.join(STYLES)}, or a regular expression that begins with ^")
    return text


Style = Annotated[str, AfterValidator(_style)]


class NamePattern(RuleOptions):
    """What names must look like somewhere: ``{schemas: write, kinds: [tables], pattern: ^w_}``.

    Attributes:
        pattern: a regular expression that is searched for in the name.
        schemas: globs of schemas.
        prefix: only names that begin so.
        kinds: of which objects.
    """

    pattern: Pattern
    schemas: tuple[str, ...] = ("*",)
    prefix: str = ""
    kinds: tuple[Kind, ...] = ("tables",)


class NamingOptions(RuleOptions):
    """The style of each kind of name: ``snake_case``, ``camelCase``, ``PascalCase``, ``lowercase``, ``any``, a regular
    expression that begins with ``^``, or ``auto``: those that a good part of the names of that kind have.

    Attributes:
        max_length: the longest name, in characters; ``None`` for the server's own limit.
        allow_quoted: names that SQL needs quotes for are no finding by that alone.
        patterns: what names must look like in some schemas, or with some prefix.
    """

    schemas: Style = AUTO
    tables: Style = AUTO
    columns: Style = AUTO
    views: Style = AUTO
    indexes: Style = AUTO
    constraints: Style = AUTO
    functions: Style = AUTO
    types: Style = AUTO
    sequences: Style = AUTO
    triggers: Style = AUTO
    max_length: int | None = Field(default=None, ge=1, le=MAX_BYTES)
    allow_quoted: bool = False
    patterns: tuple[NamePattern, ...] = ()


class _Named(NamedTuple):
    """One name to judge; ``judged`` is the part that its author chose, where the rest came from a table or column."""

    kind: str
    schema: str
    relation: Relation | None
    object: str
    name: str
    judged: str
    rename: str


class NamingRule(LintRule):
    """One style for the names of each kind of object."""

    id = "naming"
    category = Category.NAMING
    severity = Severity.WARNING
    title = "A name is not in the style of its kind."
    why = (
        "Names in several styles have to be looked up, and a name that needs quotes breaks the first query that "
        "forgets them. Without settings the style is the one that the names of a kind already have, or the two. "
        "Renaming breaks the code that uses the old name: do it together with that code, or keep a view of it."
    )
    options = NamingOptions
    bad = 'CREATE TABLE "OrderLines" (id int PRIMARY KEY, "unitPrice" int);'
    good = "CREATE TABLE order_lines (id int PRIMARY KEY, unit_price int);"

    def check(self, catalog: Catalog, options: NamingOptions) -> Iterable[Violation]:
        """Names that are not in their style, match no pattern they should, or are too long."""
        mine = own(catalog)
        for kind, named in _names(catalog, mine):
            styles = self._styles(options, kind, Counter([one.judged for one in named]))
            yield from self._judge(catalog, options, kind, named, styles)
        # Very many columns share few names: only those of names that may be wrong are looked at one by one.
        names = mine.columns_by_name
        styles = self._styles(options, "columns", {name: len(columns) for name, columns in names.items()})
        all_meant = any("columns" in pattern.kinds for pattern in options.patterns)
        looked_at = {
            name
            for name in names
            if all_meant or not _is_kept(name, styles) or len(name) > (options.max_length or MAX_BYTES)
        }
        columns = [_column(table, column) for name in names if name in looked_at for table, column in names[name]]
        yield from self._judge(catalog, options, "columns", columns, styles)

    def _styles(self, options: NamingOptions, kind: Kind, names: Mapping[str, int]) -> tuple[str, ...]:
        style: str = getattr(options, kind)
        return styles_kept(names) if style == AUTO else (style,)

    def _judge(
        self, catalog: Catalog, options: NamingOptions, kind: Kind, named: Iterable[_Named], styles: tuple[str, ...]
    ) -> Iterator[Violation]:
        patterns = [pattern for pattern in options.patterns if kind in pattern.kinds]
        length = options.max_length or MAX_BYTES
        for one in named:
            if not patterns and len(one.name) <= length and _is_kept(one.judged, styles):
                continue
            quoted = quote_identifier(one.name)
            if ANY not in styles and not any(has_style(one.judged, style) for style in styles):
                words = "match" if styles[0].startswith("^") else "be in"
                message = f"The {one.kind} name {quoted} should {words} {' or '.join(styles)}."
                yield self._violation(one, message, "", _renamed(one, styles[0], catalog))
            elif ANY in styles and not options.allow_quoted and _is_odd(one.judged):
                message = f"The {one.kind} name {quoted} has characters that need quotes in SQL."
                yield self._violation(one, message, "quoted", _renamed(one, "snake_case", catalog))
            if options.max_length is not None and len(one.name) > options.max_length:
                message = f"The {one.kind} name {quoted} has {len(one.name)} characters; "
                yield self._violation(one, message + f"{options.max_length} are allowed.", "length", None)
            for pattern in patterns:
                if _is_meant(pattern, one) and re.search(pattern.pattern, one.name) is None:
                    message = f"The {one.kind} name {quoted} should match {pattern.pattern}."
                    yield self._violation(one, message, pattern.pattern, None)

    def _violation(self, one: _Named, message: str, detail: str, fix: Fix | None) -> Violation:
        return self.violation(
            one.kind,
            one.object,
            message,
            schema=one.schema,
            relation=one.relation.qualified_name if one.relation else None,
            detail=detail,
            fix=fix,
        )


def _is_kept(name: str, styles: tuple[str, ...]) -> bool:
    """Whether a name is surely no finding; in ``any`` style one may still need quotes."""
    return ANY not in styles and any(has_style(name, style) for style in styles)


def _is_odd(name: str) -> bool:
    """Spaces, dots and the like: what no style would have."""
    return re.search(r"[^\w$]", name) is not None or name[:1].isdigit()


def _is_meant(pattern: NamePattern, one: _Named) -> bool:
    return one.name.startswith(pattern.prefix) and any(fnmatchcase(one.schema, glob) for glob in pattern.schemas)


def _renamed(one: _Named, style: str, catalog: Catalog) -> Fix | None:
    new = in_style(one.name, style)
    if new is None or new == one.name or len(new.encode()) > MAX_BYTES or not one.rename:
        return None
    if _is_taken(new, one, catalog):
        return None
    if one.kind not in ("column", "constraint", "trigger", "type", "domain") and (
        (one.schema, new) in catalog.relations or (one.schema, new) in catalog.indexes
    ):
        return None
    old_name, new_name = quote_identifier(one.name), quote_identifier(new)
    return one_step(
        one.rename.replace("\1", old_name).replace("\2", new_name),
        one.rename.replace("\1", new_name).replace("\2", old_name),
        safety=Safety.REVIEW,
        note="Code that uses the old name breaks when this runs.",
    )


def _is_taken(new: str, one: _Named, catalog: Catalog) -> bool:
    """Whether a column, constraint or type of that name is there already."""
    match one.kind:
        case "column":
            return one.relation is not None and one.relation.column(new) is not None
        case "constraint":
            return one.relation is not None and one.relation.constraint(new) is not None
        case "type" | "domain":
            return (one.schema, new) in catalog.types
    return False


def _names(catalog: Catalog, mine: Own) -> Iterator[tuple[Kind, list[_Named]]]:
    """Everything with a name but columns, by kind; \\1 and \\2 in ``rename`` stand for the old and the new name."""
    yield (
        "schemas",
        [
            _Named("schema", one.name, None, one.quoted_name, one.name, one.name, "ALTER SCHEMA \1 RENAME TO \2")
            for one in catalog.schemas.values()
            if one.extension is None
        ],
    )
    yield "tables", [_relation(one) for one in mine.tables]
    yield "views", [_relation(one) for one in mine.views]
    yield (
        "indexes",
        [
            _Named(
                *("index", index.schema, table, index.qualified_name, index.name),
                _own_part(index.name, table),
                f"ALTER INDEX {quote_identifier(index.schema)}.\1 RENAME TO \2",
            )
            for table, index in mine.indexes
            if index.constraint is None and index.parent is None
        ],
    )
    yield (
        "constraints",
        [
            _Named(
                *("constraint", table.schema, table, constraint.qualified_name, constraint.name),
                _own_part(constraint.name, table),
                f"ALTER TABLE {table.qualified_name} RENAME CONSTRAINT \1 TO \2",
            )
            for table, constraint in mine.constraints
            if constraint.kind is not ConstraintKind.NOT_NULL
        ],
    )
    yield (
        "triggers",
        [
            _Named(
                *("trigger", table.schema, table, trigger.qualified_name, trigger.name),
                _own_part(trigger.name, table),
                f"ALTER TRIGGER \1 ON {table.qualified_name} RENAME TO \2",
            )
            for table in mine.tables
            for trigger in table.triggers
            if not trigger.parent_oid
        ],
    )
    yield (
        "functions",
        [
            _Named(
                *(one.kind.value, one.schema, None, one.signature, one.name, one.name),
                f"ALTER {one.kind.value.split()[-1].upper()} "
                f"{quote_identifier(one.schema)}.\1({one.argument_types or ('*' if one.kind == 'aggregate' else '')}) "
                "RENAME TO \2",
            )
            for one in mine.routines
        ],
    )
    yield (
        "types",
        [
            _Named(
                *("domain" if one.kind is TypeKind.DOMAIN else "type", one.schema, None, one.qualified_name),
                *(one.name, one.name),
                f"ALTER {'DOMAIN' if one.kind is TypeKind.DOMAIN else 'TYPE'} {quote_identifier(one.schema)}.\1 "
                "RENAME TO \2",
            )
            for one in mine.types
        ],
    )
    yield (
        "sequences",
        [
            _Named(
                *("sequence", one.schema, None, one.qualified_name, one.name, one.name),
                f"ALTER SEQUENCE {quote_identifier(one.schema)}.\1 RENAME TO \2",
            )
            for one in mine.sequences
            # The sequence of a column is named after it by the server.
            if one.owned_by is None
        ],
    )


def _column(table: Relation, column: Column) -> _Named:
    return _Named(
        *("column", table.schema, table, column.qualified_name, column.name, column.name),
        f"ALTER TABLE {table.qualified_name} RENAME COLUMN \1 TO \2",
    )


def _relation(one: Relation) -> _Named:
    word = ALTER[one.kind]
    if one.kind is RelationKind.COMPOSITE_TYPE:
        return _Named("type", one.schema, one, one.qualified_name, one.name, one.name, "")
    rename = f"ALTER {word} {quote_identifier(one.schema)}.\1 RENAME TO \2"
    return _Named(one.kind.value, one.schema, one, one.qualified_name, one.name, one.name, rename)


def _own_part(name: str, table: Relation) -> str:
    """The name without those of its table and columns in it: what is wrong with these is told of them, once."""
    if name == name.lower():
        return name
    if len(name.encode()) > MAX_BYTES - 4:
        # It was shortened by whoever made it of other names: these can no longer be found in it.
        return name.lower()
    for part in sorted((table.name, *(column.name for column in table.columns)), key=len, reverse=True):
        if part != part.lower() and part in name:
            name = name.replace(part, "x")
    return name
