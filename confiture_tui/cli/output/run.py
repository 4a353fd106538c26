"""Plans and runs as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.units import milliseconds, plural
from confiture_tui.core.hooks.result import HookOutcome
from confiture_tui.core.runner.result import RunOutcome

if TYPE_CHECKING:
    from confiture_tui.core.hooks.registry import HookInfo
    from confiture_tui.core.runner.result import MigrationRun, RunResult
    from confiture_tui.service.running import PreparedRun

_OUTCOMES = {
    RunOutcome.APPLIED: Style.GOOD_TITLE,
    RunOutcome.ROLLED_BACK: Style.GOOD_TITLE,
    RunOutcome.FAILED: Style.BAD_TITLE,
    RunOutcome.INTERRUPTED: Style.BAD_TITLE,
    RunOutcome.SKIPPED: Style.QUIET,
}
_LEVELS = {"refuse": Style.BAD_TITLE, "warning": Style.CAREFUL, "note": Style.QUIET}
_STATES = {"available": Style.GOOD, "denied": Style.CAREFUL, "failed": Style.BAD}


def write_plan(page: Page, prepared: PreparedRun) -> None:
    """What will be run, in which order, with which limits, and what speaks against it."""
    plan = prepared.plan
    if plan.is_empty:
        page.line(page.styled("Nothing to run.", Style.TITLE))
    word = "Applies" if plan.direction == "forward" else "Takes back"
    for number, migration in enumerate(plan.migrations, start=1):
        label = "_".join(part for part in (migration.version, migration.name) if part)
        page.line(page.cell(f"{number}", 4, right=True), "  ", page.styled(f"{word} {label}", Style.TITLE))
        shape = "one transaction" if migration.transactional else "one by one, outside a transaction"
        page.paragraph(page.joined(plural(migration.statements, "statement"), shape), indent=6, first="      ")
        for hook in migration.hooks:
            own = "" if hook.transactional else ", in transactions of its own"
            page.paragraph(f"hook {hook.hook} in {hook.phase}{own}", indent=6, first="      ")
        for note in migration.notes:
            page.paragraph(note, indent=6, first="      ", style=Style.QUIET)
    if not plan.is_empty:
        _write_limits(page, prepared)
    for finding in prepared.preflight:
        page.paragraph(f"{finding.level}: {finding.sentence}", indent=2, first="  ", style=_LEVELS[finding.level])
    for objection in plan.objections:
        page.paragraph(f"refused: {objection.sentence}", indent=2, first="  ", style=Style.BAD_TITLE)


def _write_limits(page: Page, prepared: PreparedRun) -> None:
    policy = prepared.plan.policy
    facts = [f"waits {milliseconds(policy.lock_timeout_ms)} for a lock", f"up to {policy.retries} retries"]
    if policy.give_way is not None:
        facts.append(f"gives way when others wait {milliseconds(policy.give_way.wait_ms)} behind it")
    page.blank()
    page.paragraph(page.joined(*facts), indent=2, first="  ", style=Style.QUIET)


def write_run(page: Page, result: RunResult) -> None:
    """What became of each migration, its hooks, and how to take it back."""
    for migration in result.migrations:
        _write_migration(page, migration)
    page.blank()
    counts = [
        f"{number} {outcome.words}"
        for outcome in RunOutcome
        if (number := sum(one.outcome is outcome for one in result.migrations))
    ]
    cancelled = "Cancelled. " if result.cancelled else ""
    style = Style.TITLE if result.ok else Style.BAD_TITLE
    page.paragraph(f"{cancelled}{', '.join(counts) or 'Nothing to run'}.", style=style)
    if result.undo:
        page.paragraph("To take it back:", style=Style.QUIET)
        page.verbatim(result.undo, indent=2)


def _write_migration(page: Page, migration: MigrationRun) -> None:
    label = "_".join(part for part in (migration.version, migration.name) if part)
    sign = {RunOutcome.APPLIED: page.glyphs.good, RunOutcome.ROLLED_BACK: page.glyphs.good}.get(
        migration.outcome, page.glyphs.dot if migration.outcome is RunOutcome.SKIPPED else page.glyphs.bad
    )
    attempts = f" after {migration.attempts} attempts" if migration.attempts > 1 else ""
    times = "" if migration.outcome is RunOutcome.SKIPPED else f"  {milliseconds(migration.elapsed_ms)}{attempts}"
    page.line(
        page.styled(label, Style.TITLE),
        "  ",
        page.styled(f"{sign} {migration.outcome.words}", _OUTCOMES[migration.outcome]),
        page.styled(times, Style.QUIET),
    )
    for hook in migration.hooks:
        outcome = hook.outcome.value.replace("_", " ")
        style = Style.BAD if hook.outcome is HookOutcome.FAILED else Style.PLAIN
        facts = [
            outcome,
            milliseconds(hook.elapsed_ms),
            plural(hook.rows_affected, "row") if hook.rows_affected else "",
        ]
        page.paragraph(f"{hook.phase} {hook.hook}: {page.joined(*facts)}", indent=6, first="      ", style=style)
        for text in filter(None, (hook.message, hook.error)):
            page.paragraph(text, indent=8, first="        ", style=style)
    if migration.error:
        page.paragraph(migration.error, indent=6, first="      ", style=Style.BAD)


def write_hooks(page: Page, hooks: tuple[HookInfo, ...]) -> None:
    """All hooks: their phase, where they come from, and whether they can be used."""
    names = max((len(hook.name) for hook in hooks), default=0) + 2
    for hook in hooks:
        page.line(
            page.cell(hook.name, names, Style.TITLE),
            page.cell(hook.state.value, 11, _STATES[hook.state.value]),
            page.cell(hook.phase or "", 19),
            page.styled(hook.package or hook.source, Style.QUIET),
        )
        if hook.error:
            page.paragraph(hook.error, indent=names, first=" " * names, style=Style.BAD)
