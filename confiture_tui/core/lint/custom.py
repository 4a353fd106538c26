"""Rules of names that are written in the settings, without code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from confiture_tui.core.lint.model import Category, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.patterns import matches_any
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.lint.config import CustomRule

_Named = tuple[str, str, str, str | None, str]
"""Kind, schema, qualified name, relation, name."""


class _NamePatternRule(LintRule):
    """A rule of the settings; a subclass of its own for each."""

    category = Category.NAMING
    given: ClassVar[CustomRule]

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Names for which the rule is meant and that match none of its patterns."""
        given = self.given
        patterns = [re.compile(pattern) for pattern in given.patterns]
        listed = " or ".join(given.patterns)
        for kind, schema, qualified, relation, name in _names(catalog, given.kinds):
            if any(pattern.search(name) for pattern in patterns):
                continue
            meant = any(fnmatchcase(schema, glob) for glob in given.schemas)
            if meant and matches_any(given.objects, qualified):
                message = given.message or f"The {kind} name {quote_identifier(name)} should match {listed}."
                yield self.violation(kind, qualified, message, schema=schema, relation=relation)


def rule_of(given: CustomRule) -> LintRule:
    """The rule that the settings describe."""
    made = type(
        "CustomRule",
        (_NamePatternRule,),
        {
            "id": given.name,
            "severity": given.severity,
            "title": given.message or f"A name does not match {' or '.join(given.patterns)}.",
            "why": "This project's settings ask for it.",
            "given": given,
        },
    )
    rule = made()
    assert isinstance(rule, LintRule)
    return rule


def _names(catalog: Catalog, kinds: Iterable[str]) -> Iterator[_Named]:
    mine = own(catalog)
    for kind in kinds:
        match kind:
            case "tables" | "views":
                for one in mine.tables if kind == "tables" else mine.views:
                    yield one.kind.value, one.schema, one.qualified_name, one.qualified_name, one.name
            case "columns":
                for table, column in mine.columns:
                    yield "column", table.schema, column.qualified_name, table.qualified_name, column.name
            case "indexes":
                for table, index in mine.indexes:
                    if index.constraint is None and index.parent is None:
                        yield "index", index.schema, index.qualified_name, table.qualified_name, index.name
            case "constraints":
                for table, constraint in mine.constraints:
                    if constraint.kind != "not null":
                        name = constraint.qualified_name
                        yield "constraint", table.schema, name, table.qualified_name, constraint.name
            case "functions":
                for routine in mine.routines:
                    yield routine.kind.value, routine.schema, routine.signature, None, routine.name
            case "types":
                for each in mine.types:
                    yield "type", each.schema, each.qualified_name, None, each.name
            case "sequences":
                for sequence in mine.sequences:
                    if sequence.owned_by is None:
                        yield "sequence", sequence.schema, sequence.qualified_name, None, sequence.name
