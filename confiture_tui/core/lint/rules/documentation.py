"""The rule of comments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.comment_tags import without_tags
from confiture_tui.core.lint.model import Category, Safety, Severity, Violation
from confiture_tui.core.lint.objects import TABLES, own
from confiture_tui.core.lint.patterns import Pattern, matches_any
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ALTER, literal, one_step

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation


def _columns(text: str) -> str:
    if text in ("none", "all"):
        return text
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"neither 'none' nor 'all' nor a regular expression: {error}") from None
    return text


Kind = Literal["tables", "views", "materialized_views", "foreign_tables", "functions", "types", "schemas"]


class DocumentationOptions(RuleOptions):
    """What must have a comment.

    Attributes:
        kinds: of which objects.
        columns: ``none``, ``all``, or a regular expression that the names of those columns match that need one.
        exempt_columns: globs of columns that speak for themselves.
        min_length: characters that a comment has at least.
        forbidden: a regular expression of comments that say nothing.
    """

    kinds: tuple[Kind, ...] = ("tables", "views", "materialized_views")
    columns: Annotated[str, AfterValidator(_columns)] = "none"
    exempt_columns: tuple[str, ...] = ("id", "*_id", "created_at", "updated_at", "deleted_at")
    min_length: int = 1
    forbidden: Pattern = r"(?i)^\s*(todo|fixme|tbd|xxx)\b"


_KINDS = {
    RelationKind.TABLE: "tables",
    RelationKind.PARTITIONED_TABLE: "tables",
    RelationKind.VIEW: "views",
    RelationKind.MATERIALIZED_VIEW: "materialized_views",
    RelationKind.FOREIGN_TABLE: "foreign_tables",
    RelationKind.COMPOSITE_TYPE: "types",
}


class DocumentationRule(LintRule):
    """Tables and views say in a comment what they are for."""

    id = "documentation"
    category = Category.DOCUMENTATION
    severity = Severity.INFO
    title = "A table, view or column has no comment."
    why = (
        "A comment stands where the next person looks: in the database itself, in psql and in every diagram. One that "
        "only repeats the name says nothing. Columns are asked for with `columns: all` or a regular expression."
    )
    options = DocumentationOptions
    bad = "CREATE TABLE customer (id int PRIMARY KEY); COMMENT ON TABLE customer IS 'Customer.';"
    good = "CREATE TABLE customer (id int PRIMARY KEY); COMMENT ON TABLE customer IS 'Somebody who bought a jar.';"

    def check(self, catalog: Catalog, options: DocumentationOptions) -> Iterable[Violation]:
        """Objects without a comment that says something."""
        mine = own(catalog)
        wanted = re.compile(options.columns) if options.columns not in ("none", "all") else None
        for relation in mine.relations:
            if _KINDS[relation.kind] in options.kinds and not _says(relation.comment, relation.name, options):
                yield self._undocumented(relation, options)
        if options.columns != "none":
            for column_name, columns in mine.columns_by_name.items():
                meant = wanted is None or wanted.search(column_name) is not None
                if not meant or matches_any(options.exempt_columns, columns[0][1].quoted_name):
                    continue
                for relation, column in columns:
                    if _says(column.comment, column_name, options):
                        continue
                    name = column.qualified_name
                    message = f"Column {name} has no comment that says what it holds."
                    fix = one_step(
                        f"COMMENT ON COLUMN {name} IS 'TODO: what it holds'",
                        _was("COLUMN", name, column.comment),
                        safety=Safety.MANUAL,
                    )
                    yield self.within(relation, "column", name, message, fix=fix)
        if "functions" in options.kinds:
            for one in mine.routines:
                if not _says(one.comment, one.name, options):
                    message = f"{one.signature} has no comment that says what it does."
                    yield self.violation(one.kind.value, one.signature, message, schema=one.schema)
        if "types" in options.kinds:
            for each in mine.types:
                if each.kind != "composite" and not _says(each.comment, each.name, options):
                    kind = "domain" if each.kind == "domain" else "type"
                    message = f"{each.qualified_name} has no comment that says what it is."
                    yield self.violation(kind, each.qualified_name, message, schema=each.schema)
        if "schemas" in options.kinds:
            for schema in catalog.schemas.values():
                if schema.extension is None and not _says(schema.comment, schema.name, options):
                    message = f"Schema {schema.quoted_name} has no comment that says what it holds."
                    yield self.violation("schema", schema.quoted_name, message, schema=schema.name)

    def _undocumented(self, relation: Relation, options: DocumentationOptions) -> Violation:
        what = "what its rows are" if relation.kind in TABLES else "what it shows"
        lacks = "has no comment" if not relation.comment else "has a comment that says nothing"
        word = ALTER[relation.kind]
        fix = one_step(
            f"COMMENT ON {word} {relation.qualified_name} IS 'TODO: {what}'",
            _was(word, relation.qualified_name, relation.comment),
            safety=Safety.MANUAL,
        )
        return self.on(relation, f"{relation.qualified_name} {lacks}: nobody is told {what}.", fix=fix)


def _says(comment: str | None, name: str, options: DocumentationOptions) -> bool:
    if comment is None:
        return False
    text = without_tags(comment).strip()
    if len(text) < max(options.min_length, 1) or re.search(options.forbidden, text):
        return False
    return _letters(text) != _letters(name)


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _was(word: str, name: str, comment: str | None) -> str:
    return f"COMMENT ON {word} {name} IS {literal(comment) if comment else 'NULL'}"
