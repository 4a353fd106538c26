"""``confiture-tui hooks``: which hooks there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session


def list_hooks(given: Given) -> int:
    """All hooks: the built-in ones, and those of installed packages; this imports the packages that are not denied.

    \b
    Examples:
      confiture-tui hooks list
      confiture-tui hooks list --format json
    """
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.output.run import write_hooks
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.run_documents import hooks_document

    settings = given.settings(needs_database=False)

    async def work(session: Session) -> None:
        hooks = await session.service.hooks()
        if settings.format is OutputFormat.JSON:
            session.print(hooks_document(hooks, target=None, runner=settings.runner).to_json())
            return
        page = Page.for_stream()
        write_hooks(page, hooks)
        session.print(page.text())

    with_service(settings, work, opens=False)
    return 0
