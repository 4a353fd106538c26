"""The JSON document of ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.service.assessing import shorter_path
from confiture_tui.service.documents import Document, target_document
from confiture_tui.service.lint_documents import ViolationDocument, violation_document
from confiture_tui.service.review import ReviewedMigration

if TYPE_CHECKING:
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.places import ProjectInfo, TargetInfo
    from confiture_tui.service.review import Review


class QualityDocument(FrozenModel):
    """What the pending migrations do to the quality of the schema.

    Attributes:
        changes: the migrations that this is about.
        added, fixed: the violations that they add and fix; ``None`` when that could not be told.
        unchanged: how many violations stay as they are.
        notes: what is to be said besides.
    """

    changes: tuple[str, ...]
    added: tuple[ViolationDocument, ...] | None
    fixed: tuple[ViolationDocument, ...] | None
    unchanged: int
    notes: tuple[str, ...]


class ReportDocument(Document):
    """What ``report --format json`` prints.

    Attributes:
        project, environment: as they are shown; ``production``: whether that is production.
        catalog: fingerprint of the schema; ``None`` without a database.
        digest: of what the review rests on: files, schema, database, role, runner.
        migrations: as they were reviewed; ``assessment`` is an element of ``assess``, ``dry_run`` one of ``dry-run``.
        lint: the quality of the schema; ``None`` when nobody asked.
    """

    project: str
    environment: str
    production: bool
    catalog: str | None
    digest: str
    migrations: tuple[ReviewedMigration, ...]
    lint: QualityDocument | None


def report_document(review: Review, *, project: ProjectInfo, target: TargetInfo | None, runner: str) -> ReportDocument:
    """The document; paths inside the project are written relative to it."""
    return ReportDocument(
        target=target_document(target),
        runner=runner,
        project=project.name,
        environment=project.environment,
        production=project.is_production,
        catalog=review.catalog,
        digest=review.digest,
        migrations=tuple(
            one.model_copy(update={"assessment": shorter_path(one.assessment, project.directory)})
            for one in review.migrations
        ),
        lint=_quality(review.lint, project.directory) if review.lint is not None else None,
    )


def _quality(lint: LintResult, base: Path) -> QualityDocument:
    comparison = lint.comparison
    unchanged = len(lint.report.violations) if comparison is None else len(comparison.unchanged)
    return QualityDocument(
        changes=lint.changes,
        added=None if comparison is None else tuple(violation_document(one, lint, base) for one in comparison.added),
        fixed=None if comparison is None else tuple(violation_document(one, lint, base) for one in comparison.fixed),
        unchanged=unchanged,
        notes=lint.notes,
    )
