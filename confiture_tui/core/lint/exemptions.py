"""Letting violations pass, by the settings and by tags in comments; and what is to be said of exemptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from confiture_tui.core.lint.model import Suppressed, Violation
from confiture_tui.core.lint.patterns import matches

if TYPE_CHECKING:
    from confiture_tui.core.lint.comment_tags import Tag
    from confiture_tui.core.lint.config import Exemption, LintConfig


class Exemptions:
    """Decides, one violation after the other, and remembers which exemptions were of any use."""

    def __init__(self, config: LintConfig, tags: Mapping[str, tuple[Tag, ...]], known_rules: Iterable[str]) -> None:
        self._today = config.today or date.today()
        self._known = frozenset(known_rules)
        self._general = [(None, one) for one in config.exemptions]
        self._of_rule = {rule: [(rule, one) for one in settings.exemptions] for rule, settings in config.rules.items()}
        self._tags = tags
        self._any = bool(tags or self._general or any(self._of_rule.values()))
        self._used: set[tuple[str | None, Exemption]] = set()

    def judged(self, violation: Violation) -> Suppressed | None:
        """What lets a violation pass, if anything does."""
        if not self._any:
            return None
        for pair in (*self._of_rule.get(violation.rule, ()), *self._general):
            exemption = pair[1]
            if matches(exemption.object, violation.object, violation.relation):
                self._used.add(pair)
                if not self._expired(exemption):
                    return Suppressed(violation=violation, by="exemption", reason=exemption.reason)
        for name in (violation.object, violation.relation):
            for tag in self._tags.get(name, ()) if name else ():
                if not tag.rules or violation.rule in tag.rules:
                    return Suppressed(violation=violation, by="comment", reason=tag.reason)
        return None

    def notes(self, ran: Iterable[str]) -> Iterator[str]:
        """What is to be said of the exemptions: those that have ended, those of no use, tags of unknown rules."""
        ran = frozenset(ran)
        for rule, exemption in (*self._general, *(pair for pairs in self._of_rule.values() for pair in pairs)):
            of = f" of rule {rule}" if rule else ""
            if self._expired(exemption):
                if (rule, exemption) in self._used:
                    yield f"The exemption{of} for {exemption.object} ended on {exemption.until}: its findings are back."
                else:
                    yield f"The exemption{of} for {exemption.object} ended on {exemption.until} and can go."
            elif (rule, exemption) not in self._used and (rule is None or rule in ran):
                yield f"The exemption{of} for {exemption.object} lets nothing pass and can go."
        for name, tags in sorted(self._tags.items()):
            unknown = sorted({rule for tag in tags for rule in tag.rules} - self._known)
            if unknown:
                yield f"The comment on {name} exempts it from rules that there are not: {', '.join(unknown)}."

    def _expired(self, exemption: Exemption) -> bool:
        return exemption.until is not None and exemption.until < self._today
