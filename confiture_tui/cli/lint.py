"""``confiture-tui lint``: what is wrong with the schema, and what the pending migrations change in that."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.options import OF_FINDINGS, Given
from confiture_tui.config import OutputFormat
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.cli.session import Session
    from confiture_tui.config import Settings
    from confiture_tui.core.lint.model import Violation
    from confiture_tui.service.linting import LintResult


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def lint(
    given: Given,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="ID", help="Only this rule, or the rules of this category; may be repeated."),
    ] = None,
    schemas: Annotated[
        list[str] | None, typer.Option("--schema", metavar="GLOB", help="Only these schemas; may be repeated.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="Exit with 1 from this severity on; error unless the settings say otherwise.",
            show_default=False,
        ),
    ] = None,
    pending: Annotated[
        bool, typer.Option("--pending/--no-pending", help="Whether to say what the pending migrations add and fix.")
    ] = True,
    changed_only: Annotated[
        bool, typer.Option("--changed-only", help="Only what the pending migrations, or those of --since, add.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="VERSION", help="Without a database: the first migration of the change."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Findings that are let pass for now.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the baseline anew, with everything that is found.")
    ] = False,
    show_fixes: Annotated[bool, typer.Option("--fixes", help="Print the SQL that mends each finding.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write migrations that mend what can safely be mended; runs nothing.")
    ] = False,
    review_fixes: Annotated[
        bool, typer.Option("--review-fixes", help="Like --fix, with fixes that must be reviewed before they are run.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="ID", help="Say what a rule is for, and end.")
    ] = None,
    list_rules: Annotated[bool, typer.Option("--list-rules", help="List all rules, and end.")] = False,
) -> int:
    """What is wrong with the schema, and what the pending migrations would add to that or fix.

    The database is read, never changed. Without one, the schema is built from the migrations on a server of its own.

    \b
    Examples:
      confiture-tui lint
      confiture-tui lint --changed-only --fail-on warning
      confiture-tui lint --rule missing-index --fixes
      confiture-tui lint --rule missing-index --fix
      confiture-tui lint --format sarif > lint.sarif
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.linting import LintRequest

    settings = given.settings(formats=OF_FINDINGS)
    if explain is not None or list_rules:
        return _tell_of_rules(explain)
    if update_baseline and (changed_only or fix or review_fixes):
        raise UsageError("--update-baseline stands alone.", hint="Leave out --changed-only and --fix.")
    if changed_only and not pending:
        raise UsageError("--changed-only is about the pending migrations.", hint="Leave out --no-pending.")
    request = LintRequest(
        rules=tuple(rules or ()),
        schemas=tuple(schemas or ()),
        pending=pending and not update_baseline,
        since=since,
        baseline=baseline.absolute() if baseline is not None else None,
        update_baseline=update_baseline,
        fix=fix or review_fixes,
        review_fixes=review_fixes,
    )

    async def work(session: Session) -> int:
        result = await session.service.lint(request)
        if changed_only and result.comparison is None:
            raise UsageError(
                "Without a database nobody knows which migrations are the change.",
                hint="Name the first of them with --since, or give a database.",
            )
        shown = tuple(one for one in result.violations if not changed_only or one.key in result.added)
        session.print(_rendered(session, settings, result, shown, show_fixes=show_fixes))
        return _exit_code(result, shown, fail_on)

    return with_service(settings, work)


def _exit_code(result: LintResult, shown: Sequence[Violation], fail_on: FailOn | None) -> int:
    """1 when a finding is as severe as asked for; one that the pending migrations fix does not count."""
    from confiture_tui.core.lint.model import Severity

    if fail_on is FailOn.NEVER:
        return 0
    limit = Severity(fail_on.value) if fail_on is not None else result.fail_on or Severity.ERROR
    return int(any(one.severity.rank >= limit.rank and one.key not in result.fixed for one in shown))


def _rendered(
    session: Session, settings: Settings, result: LintResult, shown: Sequence[Violation], *, show_fixes: bool
) -> str:
    from confiture_tui import __version__
    from confiture_tui.cli.output.lint import notes_of, reported, write_lint
    from confiture_tui.service.lint_documents import lint_document

    service = session.service
    base = service.project.directory if service.project is not None else settings.project_dir
    match settings.format:
        case OutputFormat.JSON:
            return lint_document(
                result, target=service.target, runner=service.runner, base=base, only=tuple(shown)
            ).to_json()
        case OutputFormat.SARIF:
            from confiture_tui.cli.output.sarif import sarif

            return sarif(reported(shown, result, base), version=__version__, notes=notes_of(result))
        case OutputFormat.GITHUB:
            from confiture_tui.cli.output.github import github

            return github(reported(shown, result, base))
        case OutputFormat.MARKDOWN:
            from confiture_tui.cli.output.markdown import heading, markdown

            findings = reported(shown, result, base)
            return markdown(f"Schema lint: {heading(findings)}", findings, notes=notes_of(result))
    from confiture_tui.cli.output.header import write_header
    from confiture_tui.cli.output.page import Page

    page = Page.for_stream()
    write_header(page, service.project, service.target)
    write_lint(page, result, shown, fixes=show_fixes, base=base)
    return page.text()


def _tell_of_rules(wanted: str | None) -> int:
    """Print what one rule is for, or all of them in a line each."""
    from confiture_tui.cli.output.lint_rules import write_rule, write_rules
    from confiture_tui.cli.output.page import Page
    from confiture_tui.cli.output.stdout import write_out
    from confiture_tui.core.lint.linter import SchemaLinter
    from confiture_tui.yaml_file import did_you_mean

    known = SchemaLinter().known
    page = Page.for_stream()
    if wanted is None:
        write_rules(page, tuple(known.values()))
    elif wanted in known:
        write_rule(page, known[wanted])
    else:
        raise UsageError(f"There is no rule '{wanted}'.", hint=did_you_mean(wanted, known, "Rules"))
    write_out(page.text())
    return 0
