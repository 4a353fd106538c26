"""The rule of what was left lying about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended, one_step

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog

_REINDEX = re.compile(r"_cc(?:new|old)\d*$")
_NOT_NULL = re.compile(r"CHECK \(\(\(?(\"(?:[^\"]|\"\")+\"|\w+) IS NOT NULL\)?\)\)")
_OURS = re.compile(r"^_?confiture_(?:guard|dryrun|dry_run)\w*$|^_dryrun")


class LeftoverArtifactRule(LintRule):
    """What a REINDEX, a SET NOT NULL by steps, or a dry run left behind."""

    id = "leftover-artifact"
    category = Category.HYGIENE
    severity = Severity.WARNING
    title = "Something was left behind that was meant to go."
    why = (
        "REINDEX CONCURRENTLY that was interrupted leaves an index _ccnew or _ccold, which is written for every row. A "
        "CHECK that helped a column to become NOT NULL is checked for every row and says nothing more."
    )
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, CONSTRAINT a_not_null CHECK (a IS NOT NULL));"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a IS NOT NULL));"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Such indexes, checks and tables."""
        mine = own(catalog)
        for relation in mine.stored:
            for index in relation.indexes:
                if not index.valid and not index.being_built and _REINDEX.search(index.name):
                    message = f"{index.qualified_name} is left over from a REINDEX CONCURRENTLY."
                    step = FixStep(up=ended(f"DROP INDEX CONCURRENTLY {index.qualified_name}"), transactional=False)
                    fix = Fix(steps=(step,), safety=Safety.SAFE)
                    yield self.within(relation, "index", index.qualified_name, message, fix=fix)
        for table, constraint in mine.constraints:
            if constraint.kind is not ConstraintKind.CHECK or not constraint.validated:
                continue
            found = _NOT_NULL.fullmatch(constraint.definition)
            column = table.column(constraint.columns[0]) if found and len(constraint.columns) == 1 else None
            if column is not None and column.not_null:
                message = f"{constraint.qualified_name} says no more than that {column.quoted_name} is NOT NULL."
                drop = f"ALTER TABLE {table.qualified_name} DROP CONSTRAINT {constraint.quoted_name}"
                again = f"ALTER TABLE {table.qualified_name} ADD CONSTRAINT {constraint.quoted_name} "
                fix = one_step(drop, again + constraint.definition, safety=Safety.SAFE)
                yield self.within(table, "constraint", constraint.qualified_name, message, fix=fix)
        for table in mine.tables:
            if _OURS.search(table.name):
                message = f"{table.qualified_name} looks like something a dry run left behind."
                yield self.on(table, message)
