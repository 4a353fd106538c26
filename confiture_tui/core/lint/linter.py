"""Runs rules on a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from confiture_tui.core.catalog.reading.bulk import collector_paused
from confiture_tui.core.lint.comment_tags import tagged
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.custom import rule_of
from confiture_tui.core.lint.exemptions import Exemptions
from confiture_tui.core.lint.model import LintReport, Severity, Skipped, Suppressed, Violation, worst_first
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.plugins import load_plugins
from confiture_tui.core.lint.rules import RULES
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.lint.rule import LintRule

_ONLY_LIVE = "Sizes, ages and traffic are those of a live database."
_NOTHING = RuleSettings()


class SchemaLinter:
    """A set of rules with their settings; runs on any number of catalogs.

    >>> report = SchemaLinter(LintConfig()).run(Catalog.load(conn))  # doctest: +SKIP

    Args:
        config: which rules, how severe, with which options, what is exempt.
        rules: the built-in rules, or others in their place.

    Attributes:
        rules: those that run, in order.

    Raises:
        UsageError: the settings name a rule that there is not, or an option cannot be used.
    """

    def __init__(self, config: LintConfig | None = None, *, rules: Iterable[type[LintRule]] = RULES) -> None:
        self.config = config or LintConfig()
        known = {rule.id: rule() for rule in rules}
        self._skipped: list[Skipped] = []
        for given in self.config.custom_rules:
            if given.name in known:
                raise UsageError(
                    f"The custom rule '{given.name}' is called like another rule.", hint="Give it a name of its own."
                )
            known[given.name] = rule_of(given)
        self._foreign: dict[str, str] = {}
        if self.config.plugins:
            allowed = self.config.plugins if isinstance(self.config.plugins, tuple) else None
            plugins = load_plugins(known, packages=allowed)
            for rule, package in plugins.rules:
                known[rule.id] = rule
                self._foreign[rule.id] = package
            self._skipped += [
                Skipped(rule=one.name, why=f"{one.why} (package {one.package})") for one in plugins.problems
            ]
        self.known = known
        for name in self.config.rules:
            self._must_know(name, categories=False)
        selected = self._selected()
        self._options = {name: self._options_of(rule) for name, rule in known.items()}
        self.rules = tuple(rule for name, rule in known.items() if self._runs(rule, selected))

    def run(self, catalog: Catalog, *, live: bool = True) -> LintReport:
        """Judge a catalog.

        Args:
            catalog: the snapshot to judge.
            live: whether it has the statistics of a database in use; else rules that need them are skipped.
        """
        # Many small objects and no garbage: the collector would look at the whole catalog again and again.
        with collector_paused():
            return self._run(catalog, live=live)

    def _run(self, catalog: Catalog, *, live: bool) -> LintReport:
        exemptions = Exemptions(self.config, tagged(catalog), self.known)
        found: dict[str, Violation] = {}
        suppressed: dict[str, Suppressed] = {}
        skipped = list(self._skipped)
        ran: list[str] = []
        for rule in self.rules:
            if rule.needs_statistics and not live:
                skipped.append(Skipped(rule=rule.id, why=_ONLY_LIVE))
                continue
            ran.append(rule.id)
            skipped += (
                Skipped(rule=rule.id, why=one.why, objects=one.objects)
                for one in catalog.not_visible
                if one.what in rule.reads
            )
            for violation in self._check(rule, catalog, skipped):
                if violation.key in found or violation.key in suppressed or not self._is_judged(violation):
                    continue
                let_pass = exemptions.judged(violation)
                if let_pass is None:
                    found[violation.key] = violation
                else:
                    suppressed[violation.key] = let_pass
        return LintReport(
            violations=tuple(sorted(found.values(), key=worst_first)),
            checked=_counts(catalog),
            rules=tuple(ran),
            skipped=tuple(skipped),
            suppressed=tuple(suppressed.values()),
            notes=(*_not_visible(catalog), *exemptions.notes(ran)),
        )

    def options_of(self, rule: str) -> Any:
        """The options with which a rule runs."""
        return self._options[rule]

    def _check(self, rule: LintRule, catalog: Catalog, skipped: list[Skipped]) -> Iterator[Violation]:
        package = self._foreign.get(rule.id)
        severity = self.config.rules.get(rule.id, _NOTHING).severity
        try:
            for violation in rule.check(catalog, self._options[rule.id]):
                yield violation if severity is None else _with_severity(violation, rule.severity, severity)
        except (Exception, SystemExit) as error:
            if package is None:
                raise
            why = f"It failed: {type(error).__name__}: {error} (package {package})"
            skipped.append(Skipped(rule=rule.id, why=why))

    def _is_judged(self, violation: Violation) -> bool:
        schema, config = violation.schema_name, self.config
        if not config.schemas and not config.exclude_schemas:
            return True
        if config.schemas and not any(fnmatchcase(schema, glob) for glob in config.schemas):
            return False
        return not any(fnmatchcase(schema, glob) for glob in config.exclude_schemas)

    def _runs(self, rule: LintRule, selected: frozenset[str] | None) -> bool:
        if selected is not None:
            return rule.id in selected
        settings = self.config.rules.get(rule.id)
        if settings is None:
            return rule.enabled
        return settings.enabled is not False

    def _selected(self) -> frozenset[str] | None:
        if not self.config.select:
            return None
        chosen: set[str] = set()
        for name in self.config.select:
            if name in self.known:
                chosen.add(name)
                continue
            self._must_know(name, categories=True)
            of_category = [rule for rule in self.known.values() if str(rule.category) == name]
            chosen.update(rule.id for rule in of_category if self._runs(rule, None))
        return frozenset(chosen)

    def _must_know(self, name: str, *, categories: bool) -> None:
        names = {*self.known, *(str(rule.category) for rule in self.known.values())} if categories else set(self.known)
        if name not in names:
            raise UsageError(f"There is no rule '{name}'.", hint=did_you_mean(name, names, "Rules"))

    def _options_of(self, rule: LintRule) -> Any:
        given = self.config.rules.get(rule.id, _NOTHING).options
        try:
            options = rule.options.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"The option {place} of rule '{rule.id}' cannot be used: {first['msg']}.",
                hint=did_you_mean(place, rule.options.model_fields, "Options"),
            ) from None
        if "production" in rule.options.model_fields and getattr(options, "production", False) is None:
            options = options.model_copy(update={"production": self.config.production})
        return options


def _with_severity(violation: Violation, own_severity: Severity, given: Severity) -> Violation:
    """The severity of the settings, except for what the rule holds for less than its own, unless that is still more."""
    lesser = violation.severity.rank < own_severity.rank
    wanted = min(violation.severity, given, key=lambda one: one.rank) if lesser else given
    return violation if wanted is violation.severity else replace(violation, severity=wanted)


def _not_visible(catalog: Catalog) -> Iterator[str]:
    for one in catalog.not_visible:
        which = f" of {len(one.objects)} objects" if one.objects else ""
        yield f"Not visible to {catalog.session.role}: {one.what}{which}. {one.why}"


def _counts(catalog: Catalog) -> dict[str, int]:
    mine = own(catalog)
    return {
        "schemas": sum(one.extension is None for one in catalog.schemas.values()),
        "tables": len(mine.tables),
        "columns": len(mine.columns),
        "indexes": len(mine.indexes),
        "constraints": len(mine.constraints),
        "views": len(mine.views),
        "functions": len(mine.routines),
        "types": len(mine.types),
        "sequences": len(mine.sequences),
    }
