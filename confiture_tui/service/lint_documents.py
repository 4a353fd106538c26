"""The JSON document of ``lint``; its keys are a public contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.model import Severity, Skipped, Violation
from confiture_tui.service.documents import Document, TargetDocument

if TYPE_CHECKING:
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.places import TargetInfo


class ViolationDocument(FrozenModel):
    """One violation.

    Attributes:
        rule, category, severity: as the rule has them; severity as the settings do.
        object: ``schema.table[.column]``, quoted; ``kind``: what it is; ``relation``: the table it belongs to.
        message: what is wrong.
        fix: the SQL that mends it; ``None`` without one. ``safety``: ``safe``, ``review`` or ``manual``.
        undo: the SQL that takes the fix back; ``None`` without one.
        key: its identity, for baselines.
        status: whether the pending migrations add it or fix it, or leave it as it is; ``None`` when not looked at.
        path, line: where its object comes from; ``None`` when no file tells.
    """

    rule: str
    category: str
    severity: Severity
    object: str
    kind: str
    relation: str | None
    message: str
    fix: str | None
    safety: str | None
    undo: str | None
    key: str
    status: Literal["added", "fixed", "unchanged"] | None
    path: str | None
    line: int | None


class SuppressedDocument(FrozenModel):
    """A violation that is let pass, by what, and for which reason."""

    rule: str
    object: str
    key: str
    by: Literal["exemption", "comment", "baseline"]
    reason: str


class LintDocument(Document):
    """What ``lint --format json`` prints.

    Attributes:
        basis: ``database``, or ``files``: the schema that the migrations make.
        violations: those there are now and those that the changes add.
        added, fixed: keys of what the changes add and fix; ``None`` when that was not looked at.
        changes: the migrations that this is about.
        checked: how many objects of each kind were looked at.
        skipped: rules that could not look at everything, and why.
        suppressed: what was found and let pass.
        gone: keys of the baseline that are found no more.
        fixes: files that were written.
        notes: what is to be said besides.
    """

    basis: Literal["database", "files"]
    violations: tuple[ViolationDocument, ...]
    added: tuple[str, ...] | None
    fixed: tuple[str, ...] | None
    changes: tuple[str, ...]
    checked: dict[str, int]
    skipped: tuple[Skipped, ...]
    suppressed: tuple[SuppressedDocument, ...]
    gone: tuple[str, ...]
    fixes: tuple[str, ...] | None
    notes: tuple[str, ...]


def lint_document(
    result: LintResult,
    *,
    target: TargetInfo | None,
    runner: str,
    base: Path | None = None,
    only: tuple[Violation, ...] | None = None,
) -> LintDocument:
    """The document; paths inside ``base`` are written relative to it; ``only``: the violations to print."""
    shown = result.violations if only is None else only
    report = result.report
    return LintDocument(
        target=None
        if target is None
        else TargetDocument(server_version=target.server_version_num, database=target.database, role=target.role),
        runner=runner,
        basis=result.basis,
        violations=tuple(violation_document(one, result, base) for one in shown),
        added=tuple(sorted(result.added)) if result.comparison is not None else None,
        fixed=tuple(sorted(result.fixed)) if result.comparison is not None else None,
        changes=result.changes,
        checked=report.checked,
        skipped=report.skipped,
        suppressed=tuple(
            SuppressedDocument(
                rule=one.violation.rule,
                object=one.violation.object,
                key=one.violation.key,
                by=one.by,
                reason=one.reason,
            )
            for one in report.suppressed
        ),
        gone=report.gone,
        fixes=None if result.fixes is None else tuple(relative(path, base) for path in result.fixes.paths),
        notes=(*report.notes, *result.notes),
    )


def relative(path: Path, base: Path | None) -> str:
    """A path as documents write it."""
    return (path.relative_to(base) if base is not None and path.is_relative_to(base) else path).as_posix()


def status_of(violation: Violation, result: LintResult) -> Literal["added", "fixed", "unchanged"] | None:
    """What the changes do with a violation; ``None`` when that was not looked at."""
    if result.comparison is None:
        return None
    if violation.key in result.added:
        return "added"
    return "fixed" if violation.key in result.fixed else "unchanged"


def violation_document(one: Violation, result: LintResult, base: Path | None) -> ViolationDocument:
    """One violation as documents write it."""
    place = result.places.get(one.key)
    undo = "".join(step.down for step in reversed(one.fix.steps)) if one.fix is not None else ""
    return ViolationDocument(
        rule=one.rule,
        category=one.category,
        severity=one.severity,
        object=one.object,
        kind=one.kind,
        relation=one.relation,
        message=one.message,
        fix=one.fix.sql if one.fix is not None else None,
        safety=one.fix.safety.value if one.fix is not None else None,
        undo=undo or None,
        key=one.key,
        status=status_of(one, result),
        path=relative(place.path, base) if place is not None else None,
        line=place.line if place is not None else None,
    )
