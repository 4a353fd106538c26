"""Confiture TUI: what a PostgreSQL migration does, and a dry run of it that leaves nothing behind.

The names below are the library. Each is loaded when it is first used: importing the package costs nothing, and loads
neither the screens nor the driver.

>>> from confiture_tui import Migration
>>> [statement.tag for statement in Migration.from_sql("ALTER TABLE a ADD b int;").up.statements]
['ALTER TABLE']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.diff import SchemaChange, SchemaDiff
    from confiture_tui.core.dry_run.executor import DryRunExecutor
    from confiture_tui.core.dry_run.result import DryRunResult, Proof, StatementObservation, Verdict
    from confiture_tui.core.dry_run.shadow import Shadow
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.model import Effects, Failure, RelationLock, StatementEffects
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.error import HookError
    from confiture_tui.core.hooks.executor import HookExecutor
    from confiture_tui.core.hooks.hook import Hook, HookOptions
    from confiture_tui.core.hooks.phase import HookPhase
    from confiture_tui.core.hooks.registry import HookRegistry
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.lint.comparison import LintComparison, compare_reports
    from confiture_tui.core.lint.config import LintConfig
    from confiture_tui.core.lint.linter import SchemaLinter
    from confiture_tui.core.lint.model import LintReport, Violation
    from confiture_tui.core.lint.rule import LintRule, RuleOptions
    from confiture_tui.core.migrations.model import Finding, Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.risk.engine import RiskAssessmentEngine
    from confiture_tui.core.risk.model import Risk, RiskAssessment, RollbackStrategy
    from confiture_tui.core.risk.rule import MigrationRule, RiskRule
    from confiture_tui.core.runner.policy import RunPolicy
    from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
    from confiture_tui.core.runner.runner import MigrationRunner
    from confiture_tui.core.sql.script import Script
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.errors import Cancelled, ConfitureError, ConnectError, UsageError
    from confiture_tui.events import Event, EventName, EventStream, Level, Sink

    __version__: str

__all__ = [
    "Cancelled",
    "Catalog",
    "ConfitureError",
    "ConnectError",
    "DryRunExecutor",
    "DryRunResult",
    "Effects",
    "Event",
    "EventName",
    "EventStream",
    "Failure",
    "Finding",
    "Hook",
    "HookContext",
    "HookError",
    "HookExecutor",
    "HookOptions",
    "HookPhase",
    "HookRegistry",
    "HookResult",
    "Level",
    "LintComparison",
    "LintConfig",
    "LintReport",
    "LintRule",
    "LockMode",
    "Migration",
    "MigrationRule",
    "MigrationRun",
    "MigrationRunner",
    "Proof",
    "RelationLock",
    "Risk",
    "RiskAssessment",
    "RiskAssessmentEngine",
    "RiskRule",
    "RollbackStrategy",
    "RuleOptions",
    "RunOutcome",
    "RunPolicy",
    "RunResult",
    "RunnerProfile",
    "SchemaChange",
    "SchemaDiff",
    "SchemaLinter",
    "Script",
    "Shadow",
    "Sink",
    "Statement",
    "StatementEffects",
    "StatementObservation",
    "UsageError",
    "Verdict",
    "Violation",
    "__version__",
    "compare_reports",
]

_MODULES = {
    "core.catalog": ("Catalog",),
    "core.catalog.diff": ("SchemaChange", "SchemaDiff"),
    "core.dry_run.executor": ("DryRunExecutor",),
    "core.dry_run.result": ("DryRunResult", "Proof", "StatementObservation", "Verdict"),
    "core.dry_run.shadow": ("Shadow",),
    "core.effects.lock_modes": ("LockMode",),
    "core.effects.model": ("Effects", "Failure", "RelationLock", "StatementEffects"),
    "core.hooks.context": ("HookContext",),
    "core.hooks.error": ("HookError",),
    "core.hooks.executor": ("HookExecutor",),
    "core.hooks.hook": ("Hook", "HookOptions"),
    "core.hooks.phase": ("HookPhase",),
    "core.hooks.registry": ("HookRegistry",),
    "core.hooks.result": ("HookResult",),
    "core.lint.comparison": ("LintComparison", "compare_reports"),
    "core.lint.config": ("LintConfig",),
    "core.lint.linter": ("SchemaLinter",),
    "core.lint.model": ("LintReport", "Violation"),
    "core.lint.rule": ("LintRule", "RuleOptions"),
    "core.migrations.model": ("Finding", "Migration"),
    "core.migrations.profiles": ("RunnerProfile",),
    "core.risk.engine": ("RiskAssessmentEngine",),
    "core.risk.model": ("Risk", "RiskAssessment", "RollbackStrategy"),
    "core.risk.rule": ("MigrationRule", "RiskRule"),
    "core.runner.policy": ("RunPolicy",),
    "core.runner.result": ("MigrationRun", "RunOutcome", "RunResult"),
    "core.runner.runner": ("MigrationRunner",),
    "core.sql.script": ("Script",),
    "core.sql.statement": ("Statement",),
    "errors": ("Cancelled", "ConfitureError", "ConnectError", "UsageError"),
    "events": ("Event", "EventName", "EventStream", "Level", "Sink"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("confiture-tui")
    elif name in _HOME:
        value = getattr(importlib.import_module(f"confiture_tui.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'confiture_tui' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
