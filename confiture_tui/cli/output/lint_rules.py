"""The rules of ``lint`` as text: all of them in a line each, or one with all that is to be said of it."""

from __future__ import annotations

import inspect
import json
import textwrap
from typing import TYPE_CHECKING

from confiture_tui.cli.output.page import Page, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.lint.rule import LintRule, RuleOptions


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
        summary, meanings = _described(rule.options)
        page.paragraph(summary, indent=2)
        for name, field in rule.options.model_fields.items():
            default = json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False, default=str)
            page.paragraph(f"{name}: {default}", indent=2)
            if name in meanings:
                page.paragraph(meanings[name], indent=6)
    for word, sql in (("Finds something in", rule.bad), ("Finds nothing in", rule.good)):
        page.blank()
        page.line(page.styled(word, Style.TITLE))
        statements = (" ".join(statement.split()) for statement in sql.split(";"))
        page.verbatim((f"{statement};" for statement in statements if statement), indent=2)


def _described(options: type[RuleOptions]) -> tuple[str, dict[str, str]]:
    """What the options are about, and what each of them means, from the docstring of their model."""
    text = (inspect.getdoc(options) or "").replace("``None``", "null").replace("``", "")
    summary, _, attributes = text.partition("\n\nAttributes:\n")
    entries: list[str] = []
    for line in textwrap.dedent(attributes).splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line)
    meanings = (entry.partition(": ") for entry in entries)
    return summary, {name: meaning for names, _, meaning in meanings for name in names.split(", ")}
