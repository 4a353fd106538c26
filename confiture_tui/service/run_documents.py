"""The JSON documents of ``apply``, ``rollback``, ``baseline``, ``clean-up``, ``mark`` and ``hooks list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.registry import HookInfo
from confiture_tui.core.hooks.result import HookOutcome
from confiture_tui.core.runner.plan import Plan
from confiture_tui.core.runner.preflight import PreflightFinding
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.selection import Objection
from confiture_tui.service.documents import Document, target_document
from confiture_tui.service.settling import Marked

if TYPE_CHECKING:
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.places import TargetInfo
    from confiture_tui.service.running import PreparedRun
    from confiture_tui.service.settling import CleanedUp, PreparedBaseline


class HookRunDocument(FrozenModel):
    """One hook of a run."""

    hook: str
    phase: str | None
    outcome: HookOutcome
    rows_affected: int
    elapsed_ms: float
    error: str | None


class MigrationRunDocument(FrozenModel):
    """One migration of a run."""

    version: str
    name: str
    outcome: RunOutcome
    elapsed_ms: float
    attempts: int
    hooks: tuple[HookRunDocument, ...]
    error: str | None


class RunDocument(Document):
    """What ``apply`` and ``rollback`` print; ``plan`` only, where nothing was to be run yet."""

    plan: Plan | None
    preflight: tuple[PreflightFinding, ...]
    migrations: tuple[MigrationRunDocument, ...]
    undo: tuple[str, ...]


class BaselineDocument(Document):
    """What ``baseline`` prints; ``marked``: whether they count as applied now."""

    migrations: tuple[Marked, ...]
    objections: tuple[Objection, ...]
    marked: bool


class CleanUpDocument(Document):
    """What ``clean-up`` prints: what was dropped, and whether the migration counts as pending again."""

    version: str
    dropped: tuple[str, ...]
    pending: bool


class MarkDocument(Document):
    """What ``mark`` prints: what the migration counts as from now on, ``applied`` or ``pending``."""

    version: str
    marked: Literal["applied", "pending"]


class HooksDocument(Document):
    """What ``hooks list`` prints."""

    hooks: tuple[HookInfo, ...]


def run_document(
    result: RunResult | None, *, prepared: PreparedRun | None, target: TargetInfo | None, runner: str
) -> RunDocument:
    """The document of a run, or of its plan."""
    return RunDocument(
        target=target_document(target),
        runner=runner,
        plan=prepared.plan if prepared is not None else None,
        preflight=prepared.preflight if prepared is not None else (),
        migrations=tuple(
            MigrationRunDocument(
                version=one.version,
                name=one.name,
                outcome=one.outcome,
                elapsed_ms=one.elapsed_ms,
                attempts=one.attempts,
                hooks=tuple(
                    HookRunDocument(
                        hook=hook.hook,
                        phase=hook.phase,
                        outcome=hook.outcome,
                        rows_affected=hook.rows_affected,
                        elapsed_ms=hook.elapsed_ms,
                        error=hook.error,
                    )
                    for hook in one.hooks
                ),
                error=one.error,
            )
            for one in (result.migrations if result is not None else ())
        ),
        undo=result.undo if result is not None else (),
    )


def baseline_document(
    prepared: PreparedBaseline, *, marked: bool, target: TargetInfo | None, runner: str
) -> BaselineDocument:
    """The document of a baseline."""
    return BaselineDocument(
        target=target_document(target),
        runner=runner,
        migrations=prepared.migrations,
        objections=prepared.objections,
        marked=marked,
    )


def clean_up_document(version: str, done: CleanedUp, *, target: TargetInfo | None, runner: str) -> CleanUpDocument:
    """The document of a clean-up."""
    known = target_document(target)
    return CleanUpDocument(target=known, runner=runner, version=version, dropped=done.dropped, pending=done.pending)


def mark_document(version: str, *, applied: bool, target: TargetInfo | None, runner: str) -> MarkDocument:
    """The document of a mark."""
    marked: Literal["applied", "pending"] = "applied" if applied else "pending"
    return MarkDocument(target=target_document(target), runner=runner, version=version, marked=marked)


def hooks_document(hooks: tuple[HookInfo, ...], *, target: TargetInfo | None, runner: str) -> HooksDocument:
    """The document of ``hooks list``."""
    return HooksDocument(target=target_document(target), runner=runner, hooks=hooks)
