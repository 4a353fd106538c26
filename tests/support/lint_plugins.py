"""What packages with lint rules may hold: good ones and bad ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.lint.model import Severity, Violation
from confiture_tui.core.lint.rule import LintRule, RuleOptions

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog


class NoDiariesOptions(RuleOptions):
    """``word``: what no table may be called."""

    word: str = "journal"


class NoDiaries(LintRule):
    """No table with a certain name."""

    id = "no-diaries"
    category = "house"
    severity = Severity.WARNING
    title = "There is a diary."
    why = "This house keeps none."
    options = NoDiariesOptions

    def check(self, catalog: Catalog, options: NoDiariesOptions) -> Iterable[Violation]:
        """Tables of that name."""
        return (self.on(one, "A diary.") for one in catalog.relations.values() if one.name == options.word)


class FailsLate(LintRule):
    """Finds one thing and then fails."""

    id = "fails-late"
    category = "house"
    severity = Severity.WARNING
    title = "It fails."
    why = "To see what becomes of the others."

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """One violation, then an error."""
        yield self.on(catalog.relations["public", "customer"], "Found.")
        yield self.on(catalog.relations["public", "customer"], str(1 // 0))


class Twice(LintRule):
    """A rule with the id of another one."""

    id = "primary-key"
    category = "house"
    severity = Severity.WARNING
    title = "It is there already."
    why = "To see that the first one stays."

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Nothing."""
        return ()


GOOD = [NoDiaries, FailsLate]
WRONG = "not a rule"
