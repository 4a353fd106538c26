"""``confiture-tui dry-run``: try migrations on a shadow of the database."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.cli.session import Session
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus


class FailOn(StrEnum):
    """What makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


class Where(StrEnum):
    """Where migrations are tried."""

    SHADOW = "shadow"


def dry_run(
    given: Given,
    versions: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERSION", help="Which migrations; all pending ones by default.", show_default=False),
    ] = None,
    on: Annotated[Where, typer.Option("--on", help="Where to try them.")] = Where.SHADOW,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on", help="Exit with 1 on a failing migration (error), an inconclusive one too (warning), or never."
        ),
    ] = FailOn.ERROR,
) -> int:
    """Try migrations on a shadow of the database.

    The shadow is a disposable copy of the schema on a server of its own: nothing is run on your database. Each
    migration is tried after the pending ones before it.

    \b
    Examples:
      confiture-tui dry-run
      confiture-tui dry-run 007 --env staging
      confiture-tui dry-run --format json --fail-on warning
    """
    from confiture_tui.cli.session import with_service

    settings = given.settings()

    async def work(session: Session) -> Sequence[DryRunResult]:
        return await try_migrations(session, versions, json=settings.format is OutputFormat.JSON)

    return exit_code(with_service(settings, work), fail_on)


async def try_migrations(session: Session, versions: Sequence[str] | None, *, json: bool) -> Sequence[DryRunResult]:
    """Try migrations one after the other and print each result when it is there (as JSON: all at the end).

    Args:
        versions: which; all pending ones when there is nothing in it.

    Raises:
        UsageError: there is no such migration.
        ConfitureError: the shadow could not be made.
    """
    from confiture_tui.cli.output.dry_run import write_result, write_summary
    from confiture_tui.cli.output.header import write_findings, write_header
    from confiture_tui.cli.output.page import Page
    from confiture_tui.service.documents import dry_run_document

    service = session.service
    pending = () if versions else await pending_migrations(session)
    chosen = list(dict.fromkeys(versions or (status.version for status in pending if status.migration is not None)))
    skipped = [status for status in pending if status.migration is None]
    # Before the first one is tried, which may take minutes, a wrong one is told.
    previews = [await service.preview(version) for version in chosen]
    page = Page.for_stream()
    if not json:
        write_header(page, service.project, service.target)
        page.blank()
        session.print(page.text())
    results = []
    for preview in previews:
        result = await service.dry_run(preview.version)
        results.append(result)
        if not json:
            page = page.fresh()
            write_result(page, result)
            write_findings(page, preview.findings)
            session.print(page.text() + "\n")
    if json:
        document = dry_run_document(results, target=service.target, runner=service.settings.runner, skipped=skipped)
        session.print(document.to_json())
    else:
        page = page.fresh()
        write_summary(page, results, skipped)
        session.print(page.text())
    return results


async def pending_migrations(session: Session) -> tuple[MigrationStatus, ...]:
    """The pending migrations, in the order in which they would be applied; those that are programs among them."""
    from confiture_tui.core.migrations.status import MigrationState

    return tuple(status for status in await session.service.status() if status.state is MigrationState.PENDING)


def exit_code(results: Sequence[DryRunResult], fail_on: FailOn) -> int:
    """1 when a result is at or above ``fail_on``, 0 otherwise."""
    from confiture_tui.core.dry_run.result import Verdict

    if fail_on is FailOn.NEVER:
        return 0
    bad = {Verdict.FAILS} if fail_on is FailOn.ERROR else {Verdict.FAILS, Verdict.INCONCLUSIVE}
    return int(any(result.verdict in bad or result.proof.nothing_persisted is False for result in results))
