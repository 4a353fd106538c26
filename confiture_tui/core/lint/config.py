"""What a linter is told: which rules, how severe, with which options, and what is exempt."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.model import Severity
from confiture_tui.core.lint.patterns import Pattern

NameKind = Literal["tables", "columns", "views", "indexes", "constraints", "functions", "types", "sequences"]


class Exemption(FrozenModel):
    """Objects that are let pass.

    Attributes:
        object: a glob of objects, ``schema.table`` or ``schema.table.column``; the schema may be left out. What belongs
            to an object goes with it.
        reason: why.
        until: the last day on which it holds; ``None`` for good.
    """

    object: str = Field(min_length=1)
    reason: str = ""
    until: date | None = None


class RuleSettings(FrozenModel):
    """What the settings say of one rule; ``None`` where they say nothing.

    Attributes:
        enabled: whether it runs. A rule that the settings speak of runs, unless they say that it does not.
        severity: of its violations; those that the rule itself holds for lesser ones stay so.
        options: of the rule's own model.
        exemptions: objects that it passes over.
    """

    enabled: bool | None = None
    severity: Severity | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()


class CustomRule(FrozenModel):
    """A rule of names that is written in the settings.

    Attributes:
        name: its id.
        patterns: regular expressions, of which a name matches one.
        kinds: names of what.
        schemas: globs of the schemas that it is for.
        objects: globs of the objects that it is for.
        severity: of its violations.
        message: what to tell; a sentence of the rule's own unless given.
    """

    name: str
    patterns: tuple[Pattern, ...]
    kinds: tuple[NameKind, ...] = ("tables",)
    schemas: tuple[str, ...] = ("*",)
    objects: tuple[str, ...] = ("*",)
    severity: Severity = Severity.WARNING
    message: str = ""


class LintConfig(FrozenModel):
    """Everything that a linter is told. Without any of it: all rules that are on by default.

    Attributes:
        rules: settings by the rule's id.
        custom_rules: rules of names.
        exclude_schemas: globs of schemas that are not judged.
        exemptions: objects that every rule passes over.
        plugins: whether the rules of installed packages run, or those of which packages.
        fail_on: from which severity on the command line exits with 1; ``None`` where the settings do not say.
        baseline: the baseline's file, as the settings name it; ``None`` without one.
        select: run these rules only, by id or category; none given: those that are on.
        schemas: globs of the schemas that are judged; none given: all of them.
        production: this is production, where some rules are stricter.
        today: the present day, for exemptions that end; the clock unless given.
    """

    rules: dict[str, RuleSettings] = Field(default_factory=dict)
    custom_rules: tuple[CustomRule, ...] = ()
    exclude_schemas: tuple[str, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    plugins: bool | tuple[str, ...] = True
    fail_on: Severity | None = None
    baseline: str | None = None
    select: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    production: bool = False
    today: date | None = None
