"""``confiture-tui resume``, ``clean-up`` and ``mark``: what to do about a migration that stopped half-way."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.apply import Confirm, finished, print_result
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.terminal import safe_text

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session


class MarkAs(StrEnum):
    """What a migration is to count as."""

    APPLIED = "applied"
    PENDING = "pending"


Version = Annotated[str, typer.Argument(metavar="VERSION", help="Which migration.")]


def resume(given: Given, version: Version, confirm: Confirm = None) -> int:
    """Go on with a migration that stopped half-way: the statements or hooks that are not done.

    \b
    Examples:
      confiture-tui status
      confiture-tui resume 007
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.run_documents import run_document

    settings = given.settings()

    async def work(session: Session) -> int:
        result = await finished(session, session.service.resume(version, confirmation=confirm))
        if settings.format is OutputFormat.JSON:
            document = run_document(result, prepared=None, target=session.service.target, runner=session.service.runner)
            session.print(document.to_json())
        else:
            print_result(session, result)
        return result.exit_code

    return with_service(settings, work)


def clean_up(given: Given, version: Version, confirm: Confirm = None) -> int:
    """Drop the invalid indexes that a migration has left behind which stopped half-way.

    What else of it stands, stays. Where nothing else does, it counts as pending again; else resume it, or mark it.

    \b
    Examples:
      confiture-tui status
      confiture-tui clean-up 007
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.run_documents import clean_up_document

    settings = given.settings()

    async def work(session: Session) -> None:
        done = await session.service.clean_up(version, confirmation=confirm)
        if settings.format is OutputFormat.JSON:
            document = clean_up_document(version, done, target=session.service.target, runner=session.service.runner)
            session.print(document.to_json())
            return
        state = "It is pending again." if done.pending else "It is still half-way: resume it, or mark it."
        session.print(safe_text(f"Dropped {', '.join(done.dropped)}. {state}\n"))

    with_service(settings, work)
    return 0


def mark(
    given: Given,
    version: Version,
    as_: Annotated[MarkAs, typer.Argument(metavar="applied|pending", help="What it is to count as.")],
    confirm: Confirm = None,
) -> int:
    """Say that a migration that stopped half-way counts as applied, or as pending, after you have looked.

    Changes the ledger and the journal, and nothing else.

    \b
    Examples:
      confiture-tui mark 007 applied
      confiture-tui mark 007 pending
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.run_documents import mark_document

    settings = given.settings()
    applied = as_ is MarkAs.APPLIED

    async def work(session: Session) -> None:
        await session.service.mark(version, applied=applied, confirmation=confirm)
        if settings.format is OutputFormat.JSON:
            target, runner = session.service.target, session.service.runner
            session.print(mark_document(version, applied=applied, target=target, runner=runner).to_json())
            return
        session.print(f"{version} is marked as {as_.value}.\n")

    with_service(settings, work)
    return 0
