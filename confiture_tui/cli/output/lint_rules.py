"""The rules of ``lint`` as text: all of them in a line each, or one with all that is to be said of it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from confiture_tui.cli.output.page import Page, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.lint.rule import LintRule


def write_rules(page: Page, rules: Sequence[LintRule]) -> None:
    """One line for each rule: id, severity, what it is about."""
    width = max(len(rule.id) for rule in rules) + 2
    for rule in rules:
        state = str(rule.severity) if rule.enabled else "off"
        page.paragraph(rule.title, indent=width + 9, first=f"{rule.id:<{width}}{state:<9}")


def write_rule(page: Page, rule: LintRule) -> None:
    """Everything about one rule."""
    state = "" if rule.enabled else ", off unless the settings speak of it"
    page.line(page.styled(rule.id, Style.TITLE), page.styled(f"  {rule.severity}, {rule.category}{state}", Style.QUIET))
    page.paragraph(rule.title)
    page.blank()
    page.paragraph(rule.why)
    if rule.options.model_fields:
        page.blank()
        page.line(page.styled("Options", Style.TITLE))
        page.verbatim((inspect.getdoc(rule.options) or "").splitlines(), indent=2)
        for name, field in rule.options.model_fields.items():
            page.paragraph(f"{name}: {field.get_default(call_default_factory=True)!r}", indent=4, first="  ")
    for word, sql in (("Finds something in", rule.bad), ("Finds nothing in", rule.good)):
        page.blank()
        page.line(page.styled(word, Style.TITLE))
        page.verbatim((f"{statement.strip()};" for statement in sql.split(";") if statement.strip()), indent=2)
