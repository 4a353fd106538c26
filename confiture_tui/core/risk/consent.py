"""Which risks are accepted, and by whom; a consent that nothing needs is itself told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.risk.ignores import Ignore, ignores_of
from confiture_tui.core.risk.model import Category, IgnoredRisk, Risk, Severity

if TYPE_CHECKING:
    from confiture_tui.core.sql.script import Script

_ORDER = {severity: place for place, severity in enumerate(Severity)}


def _worst_first(risk: Risk) -> tuple[int, int, int]:
    return -risk.points, -_ORDER[risk.severity], risk.statement or 0


class Consent:
    """The consents to one migration: comments in its file, and rules that are allowed for the whole run.

    Args:
        script: whose comments are read.
        allow: ids of rules.
        known: ids of all rules that there are.
    """

    def __init__(self, script: Script, allow: frozenset[str], known: frozenset[str]) -> None:
        self._ignores = ignores_of(script)
        self._allow = allow
        self._known = known

    def apply(self, found: Sequence[Risk]) -> tuple[tuple[Risk, ...], tuple[IgnoredRisk, ...]]:
        """The risks that count, the worst first, and those that were accepted."""
        if not self._ignores and not self._allow:
            return tuple(sorted(found, key=_worst_first)), ()
        counted: list[Risk] = []
        ignored: list[IgnoredRisk] = []
        used: set[int] = set()
        for risk in found:
            comments = [place for place, each in enumerate(self._ignores) if _speaks_of(each, risk)]
            used.update(comments)
            if comments:
                ignore = self._ignores[comments[0]]
                ignored.append(IgnoredRisk(risk=risk, by="comment", reason=ignore.reason, line=ignore.line))
            elif risk.rule in self._allow:
                ignored.append(IgnoredRisk(risk=risk, by="allowed"))
            else:
                counted.append(risk)
        counted.extend(self._unused(used))
        counted.sort(key=_worst_first)
        return tuple(counted), tuple(ignored)

    def _unused(self, used: set[int]) -> Iterable[Risk]:
        for place, each in enumerate(self._ignores):
            # squawk's rules are more than ours and see other things: whether one of its own is needed, it tells.
            if place in used or each.foreign:
                continue
            exists = each.rules & (self._known | _FACTS)
            why = "nothing of the kind was found there" if exists else "there is no such rule"
            yield Risk(
                rule="unused-ignore",
                category=Category.INTEGRITY,
                severity=Severity.INFO,
                statement=each.statement,
                message=f"The comment on line {each.line} ignores {each.rule}, but {why}.",
                recommendation="Remove the comment, or mend the name.",
                points=0,
            )


_FACTS = frozenset(
    {
        "blocking-lock",
        "breaks-running-code",
        "certain-failure",
        "data-may-be-lost",
        "heavy-work",
        "may-fail",
        "no-way-back",
        "not-analysed",
        "touches-existing",
        "unknown-reach",
    }
)
"""Ids of the facts that are told where no rule does."""


def _speaks_of(ignore: Ignore, risk: Risk) -> bool:
    return risk.rule in ignore.rules and (ignore.statement is None or risk.statement in (None, ignore.statement))


def known_rules() -> frozenset[str]:
    """The ids that can be accepted by name: those of the rules, and those of what the engine tells by itself."""
    from confiture_tui.core.risk.rules import RULES

    return frozenset(rule.id for rule in RULES) | _FACTS
