"""``confiture-tui apply`` and ``rollback``: run migrations on the target, after a plan and a deliberate yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.asking import ask, can_ask
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.jobs import Job
    from confiture_tui.service.running import PreparedRun, RunRequest

Yes = Annotated[bool, typer.Option("--yes", help="Run the plan without asking; on production give --confirm too.")]
PlanOnly = Annotated[bool, typer.Option("--dry-run", help="Show the plan and run nothing.")]
Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm", metavar="NAME", help="On production: the database's name; on a terminal it is asked for."
    ),
]


def apply(
    given: Given,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The last migration to apply; all pending by default.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="How many to apply; all pending by default.")
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            "--skip", metavar="VERSION", help="Leave these out this time; they stay pending.", show_default=False
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow", metavar="WHAT", help="Run although: changed, missing, out-of-order.", show_default=False
        ),
    ] = None,
    plan_only: PlanOnly = False,
    yes: Yes = False,
    confirm: Confirm = None,
) -> int:
    """Apply the pending migrations.

    Shows the plan, asks, and runs it: each migration in one transaction with its hooks and its row in the ledger,
    with a short lock time-out, retries, and giving way to sessions that wait behind it. The first failure stops it.

    \b
    Examples:
      confiture-tui apply --dry-run
      confiture-tui apply --to 007
      confiture-tui apply --steps 1
      confiture-tui apply --skip 005 --dry-run
      confiture-tui apply --yes --env staging
      confiture-tui apply --env production --yes --confirm shop --format json

    \b
    Exit codes:
      0 applied   2 not allowed   3 no connection   4 failed, all of it rolled back   5 stopped half-way
      6 another run holds the lock   130 cancelled
    """
    from confiture_tui.service.running import RunRequest

    _refuse_both(steps, to)
    request = RunRequest(
        direction="forward",
        to=to,
        skip=frozenset(_listed(skip or [])),
        steps=steps,
        allowed=frozenset(names_allowed(allow or [], ("changed", "missing", "out-of-order"))),
        confirmation=confirm,
    )
    return _run(given, request, plan_only=plan_only, yes=yes)


def rollback(
    given: Given,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="How many to take back; one by default.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Take back all that came after this one.")
    ] = None,
    plan_only: PlanOnly = False,
    yes: Yes = False,
    confirm: Confirm = None,
) -> int:
    """Take applied migrations back, the newest first, by their .down.sql files.

    \b
    Examples:
      confiture-tui rollback
      confiture-tui rollback --steps 2 --dry-run
      confiture-tui rollback --to 005 --yes
    """
    from confiture_tui.service.running import RunRequest

    _refuse_both(steps, to)
    request = RunRequest(direction="backward", to=to, steps=steps, confirmation=confirm)
    return _run(given, request, plan_only=plan_only, yes=yes)


def _refuse_both(steps: int | None, to: str | None) -> None:
    if steps is not None and to is not None:
        raise UsageError("--steps and --to say the same thing in two ways.", hint="Give one of them.")


def _listed(given: list[str]) -> list[str]:
    return [name.strip() for text in given for name in text.split(",")]


def names_allowed(given: list[str], known: tuple[str, ...]) -> list[str]:
    """What ``--allow`` names, several at once by commas.

    Raises:
        UsageError: it names something that cannot be allowed here.
    """
    from confiture_tui.yaml_file import did_you_mean

    names = _listed(given)
    for name in names:
        if name not in known:
            raise UsageError(f"--allow: there is no '{name}'.", hint=did_you_mean(name, known, "What there is"))
    return names


def _run(given: Given, request: RunRequest, *, plan_only: bool, yes: bool) -> int:
    from confiture_tui.cli.session import with_service
    from confiture_tui.core.runner.failures import HalfWay
    from confiture_tui.service.run_documents import run_document
    from confiture_tui.service.running import refuse_objections

    settings = given.settings()
    as_json = settings.format is OutputFormat.JSON

    async def work(session: Session) -> int:
        service = session.service
        prepared = await service.prepare_run(request)
        if prepared.plan.is_empty and (left := await service.left_overs()):
            # What stopped half-way is in no plan, and a run that has something to do refuses to begin before it.
            raise HalfWay(" ".join(one.sentence for one in left), hint="`confiture-tui status` says what can be done.")
        if not as_json:
            _print_plan(session, prepared)
        result: RunResult | None = None
        if not plan_only and not prepared.plan.is_empty:
            refuse_objections(prepared)
            agreed = await agreed_to(session, request, "run this plan", prepared.plan.target.database, yes=yes)
            result = await finished(session, service.run(agreed, prepared.plan.digest))
        if as_json:
            document = run_document(result, prepared=prepared, target=service.target, runner=session.service.runner)
            session.print(document.to_json())
        elif result is not None:
            print_result(session, result)
        return result.exit_code if result is not None else 0

    return with_service(settings, work)


async def finished(session: Session, job: Job[RunResult]) -> RunResult:
    """What came of a run. Ctrl-C cancels it, and its own end is waited for, so that what stands is told.

    Raises:
        Cancelled: it was stopped, and nothing of it stands.
        HalfWay: it was stopped, and something does.
        ConfitureError: what the run said.
    """
    import asyncio

    from confiture_tui.core.runner.failures import HalfWay

    try:
        try:
            return await job
        except asyncio.CancelledError:
            job.cancel()
            return await job
    except Cancelled:
        # It was given up before it could say how it ended: the journal knows.
        if left := await session.service.left_overs():
            sentences = " ".join(one.sentence for one in left)
            raise HalfWay(f"Cancelled. {sentences}", hint="`confiture-tui status` says what can be done.") from None
        raise Cancelled("Cancelled.", hint="Nothing is left half-way.") from None


def _print_plan(session: Session, prepared: PreparedRun) -> None:
    from confiture_tui.cli.output.header import write_header
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.output.run import write_plan

    page = Page.for_stream()
    write_header(page, session.service.project, session.service.target)
    page.blank()
    write_plan(page, prepared)
    session.print(page.text() + "\n")


def print_result(session: Session, result: RunResult) -> None:
    """Print what came of a run."""
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.output.run import write_run

    page = Page.for_stream()
    write_run(page, result)
    session.print(page.text())


async def agreed_to(session: Session, request: RunRequest, what: str, database: str, *, yes: bool) -> RunRequest:
    """The request with the operator's yes in it.

    Args:
        what: what is to be done, as a question asks for it.
        yes: it was given on the command line.

    Raises:
        UsageError: there is nobody to ask.
        Cancelled: the answer was no.
    """
    project = session.service.project
    production = project is not None and project.is_production and not session.service.settings.read_only
    if production and request.confirmation is None and can_ask():
        session.settle()
        typed = await ask(f"PRODUCTION. Type the database's name to {what}: ")
        return request.model_copy(update={"confirmation": typed})
    if yes or (production and request.confirmation is not None):
        return request
    if not can_ask():
        raise UsageError("There is no terminal on which to ask.", hint="Look at the plan, and give --yes to run it.")
    session.settle()
    answer = await ask(f"{what[0].upper()}{what[1:]} on {database}? Type yes: ")
    if answer.lower() != "yes":
        raise Cancelled("Nothing was changed.")
    return request
