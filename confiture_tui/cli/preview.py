"""``confiture-tui preview``: what migrations, or any SQL files, contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.completion import versions
from confiture_tui.cli.files import files_or_versions, sql_of
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.cli.session import Session
    from confiture_tui.config import Settings
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import ProjectInfo, TargetInfo

LOOSE = "loose"


def preview(
    given: Given,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VERSION|FILE|DIR",
            help="Migrations by version, or SQL files and directories ('-' is stdin); all pending ones by default.",
            autocompletion=versions,
            show_default=False,
        ),
    ] = None,
) -> int:
    """What migrations contain, statement by statement.

    Files need neither a project nor a database. A file in a directory of a migration tool is that tool's migration.

    \b
    Examples:
      confiture-tui preview
      confiture-tui preview 007
      confiture-tui preview db/migrations/007_add_segment.up.sql
      git show main:db/migrations/007_add_segment.up.sql | confiture-tui preview -
    """
    files, versions = files_or_versions(what or ())
    if files:
        return _preview_files(files, given.settings(needs_database=False))
    return _preview_versions(versions, given.settings())


def _preview_files(files: Sequence[str], settings: Settings) -> int:
    from confiture_tui.cli.session import with_service

    # A file of no project that nobody says who runs promises nothing.
    runner = settings.runner if settings.is_given("runner") else LOOSE
    read = sql_of(files)

    async def show(session: Session) -> int:
        previews = await session.service.preview_files(read)
        for preview in previews:
            for finding in preview.findings:
                if finding.code == "unreadable-file":
                    raise UsageError(finding.message)
        judged = {preview.runner for preview in previews}
        session.print(_rendered(previews, settings, judged.pop() if len(judged) == 1 else runner, None, None))
        return _exit_code(previews)

    return with_service(settings, show, opens=False)


def _preview_versions(versions: Sequence[str], settings: Settings) -> int:
    from confiture_tui.cli.session import with_service

    async def show(session: Session) -> int:
        service = session.service
        previews = await service.previews(tuple(dict.fromkeys(versions)))
        session.print(_rendered(previews, settings, service.runner, service.project, service.target))
        return _exit_code(previews)

    return with_service(settings, show, tells_findings=True)


def _exit_code(previews: Sequence[MigrationPreview]) -> int:
    """1 when a file cannot be trusted to be what it seems to be, or PostgreSQL cannot read it; 0 otherwise."""
    untrusted = any(finding.level == "error" for preview in previews for finding in preview.findings)
    return int(untrusted or any(statement.fails for preview in previews for statement in preview.statements))


def _rendered(
    previews: Sequence[MigrationPreview],
    settings: Settings,
    runner: str,
    project: ProjectInfo | None,
    target: TargetInfo | None,
) -> str:
    from confiture_tui.cli.output.header import write_findings, write_header
    from confiture_tui.cli.output.page import Page, Style
    from confiture_tui.cli.output.preview import write_preview
    from confiture_tui.service.documents import preview_document

    if settings.format is OutputFormat.JSON:
        return preview_document(previews, target=target, runner=runner, base=settings.project_dir).to_json()
    page = Page.for_stream()
    if project is not None:
        write_header(page, project, target)
        page.blank()
        told = {finding for preview in previews for finding in preview.findings}
        write_findings(page, (finding for finding in project.findings if finding not in told))
        page.blank()
    for preview in previews:
        write_preview(page, preview)
        page.blank()
    if not previews:
        page.line(page.styled("No migration is pending.", Style.TITLE))
    return page.text()
