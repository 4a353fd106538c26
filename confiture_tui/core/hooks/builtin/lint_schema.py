"""``lint_schema``: a schema with grave mistakes in it is not built upon, and a migration that adds some is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.baselines import read_baseline
from confiture_tui.core.catalog import Catalog
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.lint.baseline import with_baseline
from confiture_tui.core.lint.config_file import lint_config_of
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.model import Severity
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.lint.model import LintReport, Violation

_NAMED = 5
"""Findings that a message names; the log has all."""
_TOLD = "lint_schema.told"
"""Where the keys of what was found so far are kept, among the statistics of the run."""


class LintSchemaOptions(HookOptions):
    """What stops the migration.

    Attributes:
        fail_on: from which severity on a finding stops it; what the settings say (``linting: fail_on``) when left out,
            and errors where they say nothing.
        only_new: only findings that an earlier use of this hook in the same run has not told: those that the migration
            adds, where the hook is used in BEFORE_VALIDATION and again in AFTER_VALIDATION.
        rules: only these rules or categories; those of the settings when left out.
        schemas: patterns of the schemas to judge; those of the settings when left out.
    """

    fail_on: Severity | None = None
    only_new: bool = False
    rules: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()


class LintSchema(Hook):
    """Judges the schema as the connection sees it, with the project's settings (``linting:`` of ``confiture.yaml``).

    In BEFORE_VALIDATION that is the schema which the migration finds, in AFTER_DDL and AFTER_VALIDATION the one that it
    makes. What the settings exempt, and what their baseline lets pass, is no finding.
    """

    name = "lint_schema"
    phase = HookPhase.BEFORE_VALIDATION
    phases = frozenset({HookPhase.BEFORE_VALIDATION, HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION})
    Options = LintSchemaOptions
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Run the linter, and fail with the gravest findings."""
        report, threshold = self._judge(conn, context)
        told: set[str] = context.statistics.setdefault(_TOLD, set())
        found = [one for one in report.violations if not (self.options.only_new and one.key in told)]
        told |= {one.key for one in report.violations}
        for one in found:
            tell = context.logger.debug if one.severity is Severity.INFO else context.logger.warning
            tell(_words(one), rule=one.rule, severity=one.severity.value, object=one.object)
        grave = [one for one in found if one.severity.rank >= threshold.rank]
        if grave:
            more = f" (and {len(grave) - _NAMED:,} more)" if len(grave) > _NAMED else ""
            listed = "; ".join(_words(one) for one in grave[:_NAMED])
            raise RuntimeError(f"{len(grave):,} findings of severity {threshold.value} or graver: {listed}{more}")
        counts = {severity.value: sum(one.severity is severity for one in found) for severity in Severity}
        return HookResult(
            statistics=counts,
            message=f"{len(found):,} findings, none that stops it" if found else "nothing found",
        )

    def _judge(self, conn: psycopg.Connection[Any], context: HookContext) -> tuple[LintReport, Severity]:
        file = context.settings_file
        config = lint_config_of(YamlFile.read(file) if file is not None else None)
        changes = {"select": self.options.rules, "schemas": self.options.schemas}
        linter = SchemaLinter(config.model_copy(update={key: value for key, value in changes.items() if value}))
        report = linter.run(Catalog.load(conn))
        if file is not None and config.baseline is not None:
            report = with_baseline(report, read_baseline(file.parent / config.baseline, "lint"), config)
        return report, self.options.fail_on or config.fail_on or Severity.ERROR


def _words(violation: Violation) -> str:
    return f"{violation.rule}: {violation.message}"
