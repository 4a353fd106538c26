"""``confiture-tui cache``: the shadows that are kept from one run to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session


def list_cache(given: Given) -> int:
    """The shadows that are kept, that which was used last first.

    A shadow is kept for a week after its last use. It holds the schema of your database, never its rows.

    \b
    Examples:
      confiture-tui cache list
      confiture-tui cache list --format json
    """
    from confiture_tui.cli.output.cache import write_kept
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.documents import cache_document

    settings = given.settings(needs_database=False)

    async def work(session: Session) -> None:
        directory, kept = await session.service.kept_shadows()
        if settings.format is OutputFormat.JSON:
            session.print(cache_document(directory, kept, runner=settings.runner).to_json())
            return
        page = Page.for_stream()
        write_kept(page, directory, kept)
        session.print(page.text())

    with_service(settings, work, opens=False)
    return 0


def clear_cache(given: Given) -> int:
    """Throw the shadows away that are kept: the next dry run makes its own.

    \b
    Examples:
      confiture-tui cache clear
    """
    from confiture_tui.cli.output.units import plural
    from confiture_tui.cli.session import with_service

    settings = given.settings(needs_database=False, formats=(OutputFormat.TEXT,))

    async def work(session: Session) -> None:
        number = await session.service.clear_kept_shadows()
        session.print(f"{plural(number, 'kept shadow')} thrown away.\n")

    with_service(settings, work, opens=False)
    return 0
