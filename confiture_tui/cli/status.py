"""``confiture-tui status``: what is applied, what is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session

from confiture_tui.cli.options import Given


def status(given: Given) -> int:
    """What is applied, what is pending.

    Reads the migration files, and the ledger of the database if there is one. Changes nothing.

    \b
    Examples:
      confiture-tui status
      confiture-tui status --env staging
      confiture-tui status --dsn service=shop --format json
    """
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.output.status import write_status
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.documents import status_document

    settings = given.settings()

    async def show(session: Session) -> None:
        service = session.service
        statuses = await service.status()
        left = await service.left_overs() if any(one.state == "interrupted" for one in statuses) else ()
        if settings.format is OutputFormat.JSON:
            document = status_document(
                statuses,
                target=service.target,
                runner=service.runner,
                findings=service.project.findings if service.project else (),
                left=left,
                base=settings.project_dir,
            )
            session.print(document.to_json())
        else:
            page = Page.for_stream()
            write_status(page, statuses, service.project, service.target, left)
            session.print(page.text())

    with_service(settings, show, tells_findings=True)
    return 0
