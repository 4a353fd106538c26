"""``confiture-tui baseline``: a database that has the schema already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.apply import Confirm, Yes, agreed_to, names_allowed
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session
    from confiture_tui.service.settling import PreparedBaseline


def baseline(
    given: Given,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The last migration to mark; all pending by default.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="WHAT", help="Mark although: absent, changed, missing.", show_default=False),
    ] = None,
    look_only: Annotated[bool, typer.Option("--dry-run", help="Show what would be marked, and mark nothing.")] = False,
    yes: Yes = False,
    confirm: Confirm = None,
) -> int:
    """Mark pending migrations as applied without running them: for a database that has their schema already.

    Refused where a table, view, index or sequence that they make is not there. Changes the ledger and the journal, and
    nothing else.

    \b
    Examples:
      confiture-tui baseline --dry-run
      confiture-tui baseline --to 005
      confiture-tui baseline --yes --env staging

    \b
    Exit codes:
      0 marked   2 not allowed   3 no connection   5 something is left half-way   6 another run holds the lock
      130 cancelled
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.run_documents import baseline_document
    from confiture_tui.service.running import RunRequest

    settings = given.settings()
    as_json = settings.format is OutputFormat.JSON
    allowed = frozenset(names_allowed(allow or [], ("absent", "changed", "missing")))
    request = RunRequest(to=to, allowed=allowed, confirmation=confirm)

    async def work(session: Session) -> None:
        service = session.service
        prepared = await service.prepare_baseline(request)
        if not as_json:
            _print(session, prepared)
        marked = False
        if not look_only and prepared.migrations:
            prepared.refuse_objections()
            database = service.target.database if service.target is not None else ""
            agreed = await agreed_to(session, request, "mark these as applied", database, yes=yes)
            await service.baseline(agreed, prepared)
            marked = True
        if as_json:
            document = baseline_document(prepared, marked=marked, target=service.target, runner=session.service.runner)
            session.print(document.to_json())
        elif marked:
            session.print(f"{len(prepared.migrations)} marked as applied. Nothing was run.\n")

    with_service(settings, work)
    return 0


def _print(session: Session, prepared: PreparedBaseline) -> None:
    from confiture_tui.cli.output.header import write_header
    from confiture_tui.cli.output.page import Page, Style

    page = Page.for_stream()
    write_header(page, session.service.project, session.service.target)
    page.blank()
    for one in prepared.migrations:
        page.line("  ", page.styled("_".join(part for part in (one.version, one.name) if part), Style.TITLE))
    if not prepared.migrations:
        page.line(page.styled("Nothing is pending.", Style.TITLE))
    for objection in prepared.objections:
        page.paragraph(f"refused: {objection.sentence}", indent=2, first="  ", style=Style.BAD_TITLE)
    session.print(page.text() + "\n")
