"""The JSON documents that the commands print: one model each, so that what is printed is what is promised.

The keys are a public contract: add, never rename. ``null`` means *not looked at* or *not applicable*, never *none*.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from confiture_tui.core.dry_run.result import DryRunResult, On, Rows
from confiture_tui.core.effects.model import Basis, FrozenModel, StatementEffects
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.core.risk.model import RiskAssessment
from confiture_tui.service.models import PreviewedHook
from confiture_tui.terminal import safe_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confiture_tui.core.dry_run.cache import Listed
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import TargetInfo

SCHEMA_VERSION: Final = 1


class TargetDocument(FrozenModel):
    """The database that a document speaks of.

    Attributes:
        server_version: the number, for example 180006.
        database: its name.
        role: the session's role.
        host: ``host:port``; ``None`` for a local socket.
    """

    server_version: int
    database: str
    role: str
    host: str | None = None


class Document(FrozenModel):
    """What every document has.

    Attributes:
        schema_version: of this contract; it grows only if a key must ever change its meaning.
        tool_version: of confiture-tui.
        generated_at: when, in UTC.
        target: the database; ``None`` without one.
        runner: the runner profile in whose name everything is judged.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    tool_version: str = Field(default_factory=lambda: _tool_version())
    generated_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    target: TargetDocument | None
    runner: str

    def to_json(self) -> str:
        """The document as text that ends with a newline; characters that a terminal would obey are escaped."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2)
        return safe_json(text) + "\n"


class MigrationStateDocument(FrozenModel):
    """One migration of ``status``: its state, when it was applied, and its file."""

    version: str
    name: str
    state: MigrationState
    applied_at: datetime | None
    path: str | None


class LeftOverDocument(FrozenModel):
    """A migration that stopped half-way: what stands, what is invalid, and what can be done (``LeftOver``)."""

    version: str
    state: str
    sentence: str
    actions: tuple[str, ...]
    invalid: tuple[str, ...]


class StatusDocument(Document):
    """What ``status --format json`` prints; ``findings`` says what is wrong with the files, ``left`` what earlier runs
    have left half-way."""

    migrations: tuple[MigrationStateDocument, ...]
    findings: tuple[Finding, ...] = ()
    left: tuple[LeftOverDocument, ...] = ()


class RollbackDocument(FrozenModel):
    """The way back.

    Attributes:
        strategy: ``down_file``, or ``none`` when the migration has no way back.
        schema_proved: up, down and compare brought the schema back; ``None`` when that was not tried.
        data: ``kept``, ``lost`` or ``unknown``.
    """

    strategy: Literal["down_file", "none"]
    schema_proved: bool | None = None
    data: Literal["kept", "lost", "unknown"] = "unknown"


class MigrationPreviewDocument(FrozenModel):
    """One migration of ``preview``.

    Attributes:
        version: of the migration; empty for a loose file that has none.
        name: of the migration.
        path: its file, relative to the project where it is inside it.
        confidence: how far the analysis can be trusted, 0 to 1; ``None`` as long as nothing was analysed.
        analysed: how many statements were analysed, and how many there are.
        wrapping: how the runner would wrap it: ``transaction``, ``own`` or ``none``.
        statements: one entry each, with the effects as far as they are known.
        rollback: the way back.
        findings: what is wrong with the file.
        hooks: what it declares.
    """

    version: str
    name: str
    path: str | None
    confidence: float | None = None
    analysed: tuple[int, int]
    wrapping: str
    statements: tuple[StatementEffects, ...]
    rollback: RollbackDocument
    findings: tuple[Finding, ...] = ()
    hooks: tuple[PreviewedHook, ...] = ()


class PreviewDocument(Document):
    """What ``preview --format json`` prints; ``basis`` is ``None`` as long as nothing was analysed."""

    basis: Basis | None
    migrations: tuple[MigrationPreviewDocument, ...]


class KeptShadowDocument(FrozenModel):
    """A shadow that is kept: of which database, on which version of PostgreSQL, its size, and when it was used last."""

    database: str
    server_version: str
    bytes: int
    used_at: datetime


class CacheDocument(Document):
    """What ``cache list --format json`` prints: where shadows are kept, and which."""

    directory: str
    shadows: tuple[KeptShadowDocument, ...]


class SkippedDocument(FrozenModel):
    """A migration that was not tried, and why."""

    version: str
    name: str
    why: str


class DryRunDocument(Document):
    """What ``dry-run --format json`` and ``demo --headless --format json`` print.

    Attributes:
        on: where the migrations were tried.
        rows: what data was there; ``None`` when no migration was tried.
        migrations: one result each, in the order in which they would be applied.
        skipped: pending migrations that cannot be tried.
        levels: the risk level of each by version; ``None`` when none was assessed.
        assessments: how dangerous each is by what was seen, by version.
    """

    on: On
    rows: Rows | None
    migrations: tuple[DryRunResult, ...]
    skipped: tuple[SkippedDocument, ...] = ()
    levels: dict[str, str] | None = None
    assessments: dict[str, RiskAssessment] = Field(default_factory=dict)


def status_document(
    statuses: Iterable[MigrationStatus],
    *,
    target: TargetInfo | None,
    runner: str,
    findings: Iterable[Finding] = (),
    base: Path | None = None,
    left: Iterable[LeftOver] = (),
) -> StatusDocument:
    """The document of ``status``; paths inside ``base`` are written relative to it."""
    return StatusDocument(
        target=target_document(target),
        runner=runner,
        migrations=tuple(
            MigrationStateDocument(
                version=status.version,
                name=status.name,
                state=status.state,
                applied_at=status.applied_at,
                path=_path(status.path, base),
            )
            for status in statuses
        ),
        findings=_findings(findings, base),
        left=tuple(
            LeftOverDocument(
                version=one.entry.version,
                state=one.state,
                sentence=one.sentence,
                actions=one.actions,
                invalid=one.invalid,
            )
            for one in left
        ),
    )


def preview_document(
    previews: Iterable[MigrationPreview], *, target: TargetInfo | None, runner: str, base: Path | None = None
) -> PreviewDocument:
    """The document of ``preview``; paths inside ``base`` are written relative to it."""
    migrations = tuple(
        MigrationPreviewDocument(
            version=preview.version,
            name=preview.name,
            path=_path(preview.path, base),
            analysed=preview.analysed,
            wrapping=preview.wrapping,
            statements=preview.statements,
            rollback=RollbackDocument(strategy="down_file" if preview.has_down else "none"),
            findings=_findings(preview.findings, base),
            hooks=preview.hooks,
        )
        for preview in previews
    )
    known = target_document(target)
    return PreviewDocument(target=known, runner=runner, basis=_basis(migrations), migrations=migrations)


def dry_run_document(
    results: Sequence[DryRunResult],
    *,
    target: TargetInfo | None,
    runner: str,
    on: On = On.SHADOW,
    skipped: Iterable[MigrationStatus] = (),
    assessments: Mapping[str, RiskAssessment] | None = None,
    base: Path | None = None,
) -> DryRunDocument:
    """The document of ``dry-run``; ``skipped`` are pending migrations that are programs."""
    from confiture_tui.service.assessing import shorter_path

    found = {version: one if base is None else shorter_path(one, base) for version, one in (assessments or {}).items()}
    return DryRunDocument(
        levels={version: one.level.value for version, one in found.items()} or None,
        assessments=found,
        target=target_document(target),
        runner=runner,
        on=on,
        rows=results[0].rows if results else None,
        migrations=tuple(results),
        skipped=tuple(
            SkippedDocument(version=one.version, name=one.name, why="It is a program, not SQL.") for one in skipped
        ),
    )


def cache_document(directory: Path, kept: Iterable[Listed], *, runner: str) -> CacheDocument:
    """The document of ``cache list``."""
    return CacheDocument(
        target=None,
        runner=runner,
        directory=str(directory),
        shadows=tuple(
            KeptShadowDocument(
                database=one.database, server_version=one.server_version, bytes=one.bytes, used_at=one.used_at
            )
            for one in kept
        ),
    )


def _tool_version() -> str:
    from confiture_tui import __version__

    return __version__


def target_document(target: TargetInfo | None) -> TargetDocument | None:
    """The target as documents have it."""
    if target is None:
        return None
    return TargetDocument(
        server_version=target.server_version_num, database=target.database, role=target.role, host=target.host or None
    )


def _path(path: Path | None, base: Path | None) -> str | None:
    if path is None:
        return None
    return (path.relative_to(base) if base is not None and path.is_relative_to(base) else path).as_posix()


def _findings(findings: Iterable[Finding], base: Path | None) -> tuple[Finding, ...]:
    """The findings with their paths as those of the migrations are written."""
    return tuple(
        finding
        if finding.path is None or base is None or not finding.path.is_relative_to(base)
        else finding.model_copy(update={"path": finding.path.relative_to(base)})
        for finding in findings
    )


def _basis(migrations: Iterable[MigrationPreviewDocument]) -> Basis | None:
    """What all statements rest on: the weakest basis among them; ``None`` as soon as one was not looked at."""
    found = {statement.basis for migration in migrations for statement in migration.statements}
    if not found or None in found:
        return None
    return next(basis for basis in Basis if basis in found)
