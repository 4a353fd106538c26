"""``confiture-tui assess``: how dangerous migrations are, and why."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.completion import versions as complete_versions
from confiture_tui.cli.files import files_or_versions, sql_of
from confiture_tui.cli.options import OF_FINDINGS, Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.cli.session import Session
    from confiture_tui.config import Settings
    from confiture_tui.service.assessing import Assessed, BaselineUse


class FailOn(StrEnum):
    """From which level on the exit code is 1."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"


def assess(
    given: Given,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VERSION|FILE|DIR",
            help="Migrations by version, or SQL files ('-' is stdin) and directories; all pending ones by default.",
            autocompletion=complete_versions,
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 when a migration is of this level or above.")
    ] = FailOn.HIGH,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="RULE,…", help="Accept the risks of these rules.", show_default=False),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Whether the data are asked what only they can decide.")
    ] = True,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Measure first how fast a server on this machine works, unless that was done lately."
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", metavar="FILE", help="Risks that are let pass until they get worse.", show_default=False
        ),
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the baseline anew, with every risk that is found.")
    ] = False,
    safe_sql: Annotated[bool, typer.Option("--safe-sql", help="Print the safe way of each risk as SQL.")] = False,
) -> int:
    """How dangerous migrations are, and why: locks, work, data, compatibility, way back.

    With a database its catalog and sizes decide, and read-only questions ask the data; without one the text alone
    does, and what it leaves open is taken at its worst. In a file, `-- risk: ignore RULE: reason` accepts a risk.

    \b
    Examples:
      confiture-tui assess
      confiture-tui assess 007 --safe-sql
      confiture-tui assess db/migrations/007_add_segment.up.sql
      confiture-tui assess --fail-on medium --format sarif > risks.sarif
      confiture-tui assess 012 --allow drop-column
      confiture-tui assess --baseline risks.json --update-baseline
      git show main:db/migrations/007_add_segment.up.sql | confiture-tui assess -
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.assess_request import AssessRequest

    files, versions = files_or_versions(what or ())
    if update_baseline and baseline is None:
        raise UsageError("There is no baseline to update.", hint="Name its file: --baseline FILE.")
    settings = given.settings(needs_database=not files, formats=OF_FINDINGS)
    request = AssessRequest(versions=tuple(dict.fromkeys(versions)), allow=_rules(allow or []), asks_data=probe)
    read = sql_of(files)

    async def work(session: Session) -> int:
        service = session.service
        if calibrate:
            await service.calibrate()
        if files:
            assessed = await service.assess_files(read, request)
        else:
            assessed = await service.assess(request)
        use = None
        if baseline is not None:
            use = await service.by_baseline(
                assessed, baseline.absolute(), update=update_baseline, complete=not (files or versions)
            )
            assessed = use.assessed
        session.print(_rendered(session, settings, assessed, use, safe_sql=safe_sql))
        return _exit_code(assessed, fail_on)

    return with_service(
        settings, work, opens=not files, tells_findings=not files and settings.format is OutputFormat.TEXT
    )


def _rules(given: list[str]) -> frozenset[str]:
    """The ids given to ``--allow``.

    Raises:
        UsageError: there is no such rule.
    """
    from confiture_tui.yaml_file import did_you_mean

    names = {name.strip() for text in given for name in text.split(",") if name.strip()}
    if not names:
        return frozenset()
    from confiture_tui.core.risk.consent import known_rules

    known = known_rules()
    for name in sorted(names):
        if name not in known:
            raise UsageError(f"--allow: there is no rule '{name}'.", hint=did_you_mean(name, known, "Rules"))
    return frozenset(names)


def _exit_code(assessed: Sequence[Assessed], fail_on: FailOn) -> int:
    from confiture_tui.core.risk.model import Level

    if fail_on is FailOn.NEVER:
        return 0
    order = list(Level)
    limit = order.index(Level(fail_on.value))
    return int(any(order.index(one.assessment.level) >= limit for one in assessed))


def _rendered(
    session: Session, settings: Settings, given: Sequence[Assessed], use: BaselineUse | None, *, safe_sql: bool
) -> str:
    from confiture_tui import __version__
    from confiture_tui.cli.output.assess import (
        notes,
        reported,
        write_assessment,
        write_baseline_use,
        write_summary,
    )
    from confiture_tui.service.assess_documents import assess_document
    from confiture_tui.service.assessing import relative_to

    service = session.service
    base = service.project.directory if service.project is not None else settings.project_dir
    assessed = [relative_to(one, base) for one in given]
    judged = {one.runner for one in assessed}
    runner = judged.pop() if len(judged) == 1 else service.runner
    match settings.format:
        case OutputFormat.JSON:
            return assess_document(assessed, target=service.target, runner=runner, use=use).to_json()
        case OutputFormat.SARIF:
            from confiture_tui.cli.output.sarif import sarif

            return sarif(reported(assessed), version=__version__, notes=notes(assessed, use))
        case OutputFormat.GITHUB:
            from confiture_tui.cli.output.github import github

            return github(reported(assessed))
        case OutputFormat.MARKDOWN:
            from confiture_tui.cli.output.markdown import heading, markdown

            findings = reported(assessed)
            return markdown(f"Migration risks: {heading(findings)}", findings, notes=notes(assessed, use))
    from confiture_tui.cli.output.header import write_findings, write_header
    from confiture_tui.cli.output.page import Page

    page = Page.for_stream()
    if service.project is not None:
        write_header(page, service.project, service.target)
        page.blank()
        told = {finding for one in assessed for finding in one.findings}
        write_findings(page, (finding for finding in service.project.findings if finding not in told))
        page.blank()
    for one in assessed:
        write_assessment(page, one, safe_sql=safe_sql)
        page.blank()
    write_summary(page, assessed)
    if use is not None:
        write_baseline_use(page, use)
    return page.text()
