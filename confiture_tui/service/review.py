"""The record of a review: what was looked at, what was said of it, and what came of trying it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.result import DryRunResult
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.declaration import read_declaration
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.core.risk.model import RiskAssessment
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.service.assess_request import AssessRequest
from confiture_tui.service.linting import LintRequest, LintResult
from confiture_tui.service.models import PreviewedHook
from confiture_tui.service.reading import assess

if TYPE_CHECKING:
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.service.assessing import Assessed
    from confiture_tui.service.workspace import Workspace


class ReviewRequest(FrozenModel):
    """What is to be in the record.

    Attributes:
        versions: of which migrations; all pending ones when empty.
        tries: each is tried on the shadow.
        lints: what the pending migrations do to the quality of the schema.
    """

    versions: tuple[str, ...] = ()
    tries: bool = True
    lints: bool = True


class ReviewedMigration(FrozenModel):
    """One migration as it was reviewed.

    Attributes:
        checksum: SHA-256 of the file, in hexadecimal; ``down_checksum``: of the text of the way back.
        assessment: its score and where that comes from: by what the dry run has seen, as far as that may count, with
            ``predicted_score``, which it would have without.
        dry_run: what came of trying it; ``None`` when it was not tried. ``not_tried``: why, where that is no choice.
        hooks: those that it declares, in order.
        findings: what is to be said of its files.
    """

    checksum: str
    down_checksum: str | None
    assessment: RiskAssessment
    dry_run: DryRunResult | None = None
    not_tried: str | None = None
    hooks: tuple[PreviewedHook, ...] = ()
    findings: tuple[Finding, ...] = ()


class Review(FrozenModel):
    """The record.

    Attributes:
        catalog: fingerprint of the schema that it was made on; ``None`` without a database.
        digest: SHA-256, in hexadecimal, of what the review rests on: files, schema, database, role and runner. The
            records of two reviews with the same digest are about the same thing.
        migrations: in the order in which they would be applied.
        lint: the quality of the schema; ``None`` when nobody asked.
    """

    catalog: str | None
    digest: str
    migrations: tuple[ReviewedMigration, ...]
    lint: LintResult | None = None


def review(workspace: Workspace, request: ReviewRequest, scope: CancelScope) -> Review:
    """Look at everything that is asked for.

    Raises:
        UsageError: there is no such migration, or it is not pending.
        ConfitureError: the target or the shadow cannot be had, or files or schema changed meanwhile.
        Cancelled: the scope was cancelled.
    """
    rests_on = _rests_on(workspace, scope)
    asked = AssessRequest(versions=request.versions)
    assessed = assess(workspace, asked, scope)
    tried = {one.assessment.version: _tried(workspace, one, scope) for one in assessed} if request.tries else {}
    results = {version: result for version, (result, _why) in tried.items() if result is not None}
    if results:
        # Once more, by what was seen; what was predicted without that is kept beside it.
        assessed = assess(workspace, asked, scope, results=results)
    migrations = tuple(_reviewed(workspace, one, *tried.get(one.assessment.version, (None, None))) for one in assessed)
    lint = workspace.lint(LintRequest(), scope) if request.lints else None
    if _rests_on(workspace, scope) != rests_on:
        raise ConfitureError(
            "The files or the schema changed while they were reviewed.",
            hint="Nothing was recorded. Review again when nobody changes them.",
        )
    catalog, _files = rests_on
    return Review(catalog=catalog, digest=_digest(workspace, catalog, migrations), migrations=migrations, lint=lint)


def _rests_on(workspace: Workspace, scope: CancelScope) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """The schema's fingerprint, and the checksums of the files that are pending."""
    files = tuple(
        (one.version, f"{one.migration.checksum} {_down_checksum(one.migration)}")
        for one in workspace.status(scope)
        if one.migration is not None and one.state in (MigrationState.PENDING, MigrationState.INTERRUPTED)
    )
    if not workspace.has_target:
        return None, files
    with workspace.reaching.connected(scope) as conn:
        return Catalog.load(conn).fingerprint, files


def _reviewed(workspace: Workspace, one: Assessed, result: DryRunResult | None, why: str | None) -> ReviewedMigration:
    migration = workspace.migration(one.assessment.version)
    return ReviewedMigration(
        checksum=migration.checksum,
        down_checksum=_down_checksum(migration),
        assessment=one.assessment,
        dry_run=result,
        not_tried=why,
        hooks=tuple(
            PreviewedHook(hook=declared.name, phase=declared.phase, direction=declared.direction)
            for declared in read_declaration(migration)
        ),
        findings=one.findings,
    )


def _tried(workspace: Workspace, one: Assessed, scope: CancelScope) -> tuple[DryRunResult | None, str | None]:
    """The dry run, or why the file cannot be tried."""
    try:
        return workspace.dry_run(one.assessment.version, scope), None
    except UsageError as error:
        return None, error.message


def _down_checksum(migration: Migration) -> str | None:
    if migration.down is None:
        return None
    return hashlib.sha256(migration.down.text.encode(errors="surrogatepass")).hexdigest()


def _digest(workspace: Workspace, catalog: str | None, migrations: Sequence[ReviewedMigration]) -> str:
    target = workspace.target
    where = (target.host, target.database, target.role, target.server_version_num) if target is not None else ()
    files = [(one.assessment.version, one.checksum, one.down_checksum) for one in migrations]
    return hashlib.sha256(repr((workspace.profile.name, where, catalog, files)).encode()).hexdigest()
