"""``confiture-tui demo``: the demo shop on an embedded server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session


def demo(
    given: Given,
    headless: Annotated[
        bool, typer.Option("--headless", help="Without the app: dry-run every pending migration and print the results.")
    ] = False,
    walkthrough: Annotated[
        bool, typer.Option("--walkthrough", help="With captions that lead through it, screen by screen.")
    ] = False,
    traffic: Annotated[
        bool | None,
        typer.Option(
            "--traffic/--no-traffic",
            help="Whether customers buy jam meanwhile; in the app they do, with --headless they do not.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """See it at work, without any database of yours.

    Starts an embedded PostgreSQL, builds a small shop with twelve pending migrations on it, some of them bad on
    purpose, and opens the app. A few connections of the shop's application read and write orders meanwhile. The
    server listens on no network, and is gone afterwards.

    \b
    Examples:
      confiture-tui demo
      confiture-tui demo --walkthrough
      confiture-tui demo --no-traffic
      confiture-tui demo --headless
      confiture-tui demo --headless --format json
    """
    from confiture_tui.cli.dry_run import try_migrations
    from confiture_tui.cli.open_app import open_app

    # The demo has a database of its own: what is missing for yours must not keep it from starting.
    settings = given.settings(needs_database=False)
    if headless and walkthrough:
        raise UsageError("A walkthrough needs the app.", hint="Leave out --headless or --walkthrough.")
    if not headless:
        return open_app(settings, demo=True, traffic=traffic is not False, walkthrough=walkthrough)

    from confiture_tui.cli.session import with_service

    async def work(session: Session) -> None:
        await try_migrations(session, None, json=settings.format is OutputFormat.JSON)

    with_service(settings, work, demo=True, traffic=traffic is True)
    return 0
