"""``confiture-tui dry-run``: try migrations on a shadow of the database, or in place."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.asking import ask, can_ask
from confiture_tui.cli.files import is_file
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import UsageError
from confiture_tui.terminal import safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confiture_tui.cli.session import Session
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.service.in_place import InPlaceOptions


class FailOn(StrEnum):
    """What makes the exit code 1; a migration that fails always does, unless it is ``never``."""

    ERROR = "error"
    WARNING = "warning"
    """One that is inconclusive too."""
    MISMATCH = "mismatch"
    """One that did something else than was predicted too."""
    LOW = "low"
    """One whose assessed risk is of this level or above too."""
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"

    @property
    def is_level(self) -> bool:
        """Whether it names a level of risk, for which the migrations must be assessed."""
        return self in (FailOn.LOW, FailOn.MEDIUM, FailOn.HIGH, FailOn.CRITICAL)


class Where(StrEnum):
    """Where migrations are tried."""

    SHADOW = "shadow"
    TARGET = "target"


def dry_run(
    given: Given,
    versions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VERSION|FILE",
            help="Which migrations, or one SQL file; all pending ones by default.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        Where,
        typer.Option(
            "--on", help="Where to try them: on a copy of the schema, or on the database itself, rolled back."
        ),
    ] = Where.SHADOW,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            help="Exit with 1 on a failing migration (error); on an inconclusive one too (warning), on one that did "
            "something else than was predicted (mismatch), or on one of this level of risk or above; or never.",
        ),
    ] = FailOn.ERROR,
    cache: Annotated[
        bool | None,
        typer.Option("--cache/--no-cache", help="Whether a shadow is kept for the next time.", show_default=False),
    ] = None,
    write_down: Annotated[
        bool,
        typer.Option("--write-down", help="Where there is no down file, write the one that was derived and proved."),
    ] = False,
    as_role: Annotated[
        str | None, typer.Option("--as", metavar="ROLE", help="With --on target: the role to run as.")
    ] = None,
    allow_superuser: Annotated[
        bool,
        typer.Option(
            "--allow-superuser", help="With --on target: run as a superuser, who can do what no rollback undoes."
        ),
    ] = False,
    lock_timeout: Annotated[
        str | None,
        typer.Option(
            "--lock-timeout",
            metavar="TIME",
            help="With --on target: how long a statement may wait for a lock; 1s by default.",
        ),
    ] = None,
    statement_timeout: Annotated[
        str | None,
        typer.Option(
            "--statement-timeout",
            metavar="TIME",
            help="With --on target: how long a statement may run; 1min by default.",
        ),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm",
            metavar="NAME",
            help="With --on target on production: the database's name; on a terminal it is asked for.",
        ),
    ] = None,
) -> int:
    """Try migrations on a shadow of the database, or in place.

    The shadow is a disposable copy of the schema on a server of its own: nothing is run on your database. Each
    migration is tried after the pending ones before it.

    With --on target each migration is tried by itself on your database, in one transaction that is always rolled back.
    Its locks are real until then: time-outs bound them, and it gives way to sessions that wait behind it. What
    PostgreSQL never rolls back is listed: sequences that moved, dead rows, WAL.

    \b
    Examples:
      confiture-tui dry-run
      confiture-tui dry-run 007 --env staging
      confiture-tui dry-run change.sql
      confiture-tui dry-run --format json --fail-on warning
      confiture-tui dry-run --clone-dsn postgresql://app@staging/shop --fail-on mismatch
      confiture-tui dry-run 007 --on target --lock-timeout 500ms
      confiture-tui dry-run 007 --on target --as app_owner --env production --confirm shop
    """
    from confiture_tui.cli.session import with_service

    settings = given.settings(shadow_cache=cache)
    file = _file_in(versions or [])
    if file is not None:
        settings = replace(settings, file=file)
    options = None
    own = {
        "--as": as_role,
        "--allow-superuser": allow_superuser or None,
        "--lock-timeout": lock_timeout,
        "--statement-timeout": statement_timeout,
        "--confirm": confirm,
    }
    if on is Where.TARGET:
        _refuse(
            {
                "--write-down": write_down or None,
                "--rows": given.rows,
                "--clone-dsn": given.clone_dsn,
                "--shadow-dsn": given.shadow_dsn,
            },
            "is for a dry run on the shadow",
            "Leave it, or --on target, out.",
        )
        options = _in_place(as_role, lock_timeout, statement_timeout, confirm, allow_superuser=allow_superuser)
    else:
        _refuse(own, "is for a dry run on the target", "Add --on target, or leave it out.")

    async def work(session: Session) -> int:
        chosen = await _confirmed(session, options) if options is not None else None
        named = [await _version_of(session, file)] if file is not None else versions
        results, assessments = await try_migrations(
            session, named, json=settings.format is OutputFormat.JSON, in_place=chosen, by_level=fail_on.is_level
        )
        if write_down:
            await _write_down(session, results)
        return exit_code(results, fail_on, {version: one.level for version, one in assessments.items()})

    return with_service(settings, work)


def _file_in(what: Sequence[str]) -> Path | None:
    """The file that is to be tried, where one is named.

    Raises:
        UsageError: several are, a version too, or it is none.
    """
    named = [text for text in what if is_file(text)]
    if not named:
        return None
    if len(what) > 1:
        raise UsageError("A file is tried by itself.", hint="Name one file, or versions of the project.")
    path = Path(named[0]).expanduser().absolute()
    if not path.is_file() or path.suffix.lower() != ".sql":
        raise UsageError(f"There is no SQL file {path}.", hint="Name one, or versions of the project.")
    return path


async def _version_of(session: Session, file: Path) -> str:
    """By what the file is known: as a migration of its directory, or by its name."""
    return next(one.version for one in await session.service.status() if one.path == file)


def _in_place(
    as_role: str | None,
    lock_timeout: str | None,
    statement_timeout: str | None,
    confirm: str | None,
    *,
    allow_superuser: bool,
) -> InPlaceOptions:
    """The options of a dry run on the target.

    Raises:
        UsageError: one of them cannot be used.
    """
    from confiture_tui.cli.durations import milliseconds_of
    from confiture_tui.service.in_place import InPlaceOptions

    limits = {"lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
    given = {
        f"{name}_ms": milliseconds_of(text, f"--{name.replace('_', '-')}")
        for name, text in limits.items()
        if text is not None
    }
    return InPlaceOptions(as_role=as_role, allow_superuser=allow_superuser, confirmation=confirm, **given)


def _refuse(given: Mapping[str, object], why: str, hint: str) -> None:
    """Refuse options that mean nothing where the dry run is made.

    Raises:
        UsageError: one of them is given.
    """
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} {why}.", hint=hint)


async def _confirmed(session: Session, options: InPlaceOptions) -> InPlaceOptions:
    """The options with the database's name, asked for on a terminal where production demands it."""
    service = session.service
    project, target = service.project, service.target
    asks = project is not None and project.is_production and not service.settings.read_only
    if not asks or target is None or options.confirmation is not None or not can_ask():
        return options
    session.settle()
    typed = await ask(
        f"PRODUCTION. Migrations will be run on {target.database} and rolled back; until then their locks are real.\n"
        "Type the database's name to go on: "
    )
    return options.model_copy(update={"confirmation": typed})


async def try_migrations(
    session: Session,
    versions: Sequence[str] | None,
    *,
    json: bool,
    in_place: InPlaceOptions | None = None,
    by_level: bool = False,
) -> tuple[Sequence[DryRunResult], dict[str, RiskAssessment]]:
    """Try migrations one after the other and print each result when it is there (as JSON: all at the end).

    Returns the results, and by version how dangerous the migrations are by what was seen.

    Args:
        versions: which; all pending ones when there is nothing in it.
        in_place: on the target itself, and how; ``None`` for the shadow.
        by_level: their level of risk decides: it must be known.

    Raises:
        UsageError: there is no such migration.
        ConfitureError: the shadow could not be made; or the migrations cannot be assessed, and their level decides.
    """
    from confiture_tui.cli.output.dry_run import write_result, write_summary
    from confiture_tui.cli.output.header import write_findings, write_header
    from confiture_tui.cli.output.page import Page
    from confiture_tui.core.dry_run.result import On
    from confiture_tui.service.documents import dry_run_document

    service = session.service
    on = On.SHADOW if in_place is None else On.TARGET
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
        result = await service.dry_run(preview.version, on=on, options=in_place)
        results.append(result)
        if not json:
            page = page.fresh()
            write_result(page, result)
            write_findings(page, preview.findings)
            session.print(page.text() + "\n")
    assessments = await _assessments(session, chosen, must=by_level)
    if json:
        document = dry_run_document(
            results,
            target=service.target,
            runner=service.runner,
            on=on,
            skipped=skipped,
            assessments=assessments,
            base=service.project.directory if service.project is not None else None,
        )
        session.print(document.to_json())
    else:
        page = page.fresh()
        write_summary(page, results, skipped, assessments)
        session.print(page.text())
    # What began beside the first dry run is let finish, so that later assessments have it: a second, once a month.
    await service.calibrate(starts=False)
    return results, assessments


async def _write_down(session: Session, results: Sequence[DryRunResult]) -> None:
    """Write the ways back that were derived, and say what was written; on stderr, which is for people.

    Raises:
        UsageError: one of them cannot be written.
    """
    session.settle()
    for result in results:
        path = await session.service.write_derived_down(result.version)
        if path is not None:
            typer.echo(f"The way back was written to {safe_text(str(path))}.", err=True)


async def _assessments(session: Session, versions: Sequence[str], *, must: bool) -> dict[str, RiskAssessment]:
    """How dangerous migrations are by what their dry runs have seen, by version.

    Where that cannot be told and nothing depends on it, it is said on stderr, and the results still count.

    Raises:
        ConfitureError: it cannot be told, and it ``must``.
    """
    from confiture_tui.errors import ConfitureError
    from confiture_tui.service.assess_request import AssessRequest

    if not versions:
        return {}
    try:
        assessed = await session.service.assess(AssessRequest(versions=tuple(versions)))
    except ConfitureError as error:
        if must:
            raise
        session.settle()
        typer.echo(safe_text(f"How dangerous the migrations are cannot be told: {error.message}"), err=True)
        return {}
    return {one.assessment.version: one.assessment for one in assessed}


async def pending_migrations(session: Session) -> tuple[MigrationStatus, ...]:
    """The pending migrations, in the order in which they would be applied; those that are programs among them."""
    from confiture_tui.core.migrations.status import MigrationState

    return tuple(status for status in await session.service.status() if status.state is MigrationState.PENDING)


def exit_code(results: Sequence[DryRunResult], fail_on: FailOn, levels: Mapping[str, str] | None = None) -> int:
    """1 when a result is at or above ``fail_on``, or its level of risk is; 0 otherwise."""
    from confiture_tui.core.dry_run.result import Verdict
    from confiture_tui.core.risk.model import Level

    if fail_on is FailOn.NEVER:
        return 0
    bad = {Verdict.FAILS, Verdict.INCONCLUSIVE} if fail_on is FailOn.WARNING else {Verdict.FAILS}
    found = any(result.verdict in bad or result.proof.nothing_persisted is False for result in results)
    if fail_on is FailOn.MISMATCH:
        found = found or any(one.mismatch for result in results for one in result.statements)
    if fail_on.is_level:
        order = list(Level)
        limit = order.index(Level(fail_on.value))
        found = found or any(order.index(Level(level)) >= limit for level in (levels or {}).values())
    return int(found)
