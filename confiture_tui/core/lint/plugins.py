"""Rules of other packages, by the entry-point group ``confiture.lint_rules``.

An entry point names a subclass of ``LintRule``, or a list or tuple of such. One that cannot be loaded, or is something
else, is told with the package that it comes from; the others go on.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from confiture_tui.core.lint.model import Severity
from confiture_tui.core.lint.rule import LintRule, RuleOptions

GROUP = "confiture.lint_rules"

_ID = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry point that gives no rule: its name, its package, and why, in one sentence."""

    name: str
    package: str
    why: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was found: rules with the package that each comes from, and problems."""

    rules: tuple[tuple[LintRule, str], ...] = ()
    problems: tuple[Problem, ...] = ()


def load_plugins(
    taken: Iterable[str], *, packages: Iterable[str] | None = None, points: Iterable[EntryPoint] | None = None
) -> Plugins:
    """Load the rules of installed packages.

    Args:
        taken: ids that are given away already.
        packages: only those of these packages; ``None`` for all.
        points: the entry points; those of the environment unless given.
    """
    owners = dict.fromkeys(taken, "confiture-tui")
    allowed = None if packages is None else set(packages)
    rules: list[tuple[LintRule, str]] = []
    problems: list[Problem] = []
    found = entry_points(group=GROUP) if points is None else points
    for point in sorted(found, key=lambda one: (_package(one), one.name)):
        package = _package(point)
        if allowed is not None and package not in allowed:
            continue
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code: whatever it raises is told
            problems.append(Problem(point.name, package, f"It cannot be loaded: {type(error).__name__}: {error}"))
            continue
        for candidate in loaded if isinstance(loaded, list | tuple) else (loaded,):
            rule, why = _rule_of(candidate)
            if rule is None:
                problems.append(Problem(point.name, package, why))
            elif rule.id in owners:
                why = f"Its id '{rule.id}' is taken by {owners[rule.id]}."
                problems.append(Problem(point.name, package, why))
            else:
                owners[rule.id] = package
                rules.append((rule, package))
    return Plugins(tuple(rules), tuple(problems))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown package"


def _rule_of(candidate: Any) -> tuple[LintRule | None, str]:
    """The rule that an entry point gave, or why it is none."""
    if not inspect.isclass(candidate) or not issubclass(candidate, LintRule):
        return None, "It is no subclass of LintRule."
    if inspect.isabstract(candidate):
        return None, "Its class is abstract: it has no check."
    for name, kind in (("id", str), ("category", str), ("severity", Severity), ("title", str), ("why", str)):
        if not isinstance(getattr(candidate, name, None), kind):
            return None, f"Its class has no {name} of type {kind.__name__}."
    if _ID.fullmatch(candidate.id) is None:
        return None, "Its id is not in kebab case."
    options: Any = candidate.options
    if not (inspect.isclass(options) and issubclass(options, BaseModel)):
        return None, f"Its options are no pydantic model; derive one from {RuleOptions.__name__}."
    try:
        return candidate(), ""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
        return None, f"Its class cannot be instantiated: {type(error).__name__}: {error}"
