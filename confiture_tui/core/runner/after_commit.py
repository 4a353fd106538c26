"""The hooks that run when the migration is committed already, since one of them makes transactions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.journal import JournalState

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run


def run_after_commit(
    run: Run,
    job: MigrationJob,
    entry: int,
    context: HookContext,
    results: list[HookResult],
    *,
    done: frozenset[str] = frozenset(),
) -> None:
    """Run them, each noted in the journal when it is done.

    Args:
        done: the hooks that an earlier run has done, as the journal names them.

    Raises:
        HalfWay: one failed; the migration stands.
        Cancelled: somebody asked for a stop; the migration stands.
    """
    phases = [phase for phase in job.phases_after_commit if job.has_hooks(phase)]
    if not phases:
        return
    conn = run.session.clean()
    for phase in phases:
        waiting = [hook for hook in job.hooks if hook.runs_in is phase and f"{phase}:{hook.hook_name()}" not in done]

        def note(result: HookResult) -> None:
            results.append(result)
            run.journal.add_hook_done(run.control, entry, f"{result.phase}:{result.hook}")

        try:
            with run.guarded():
                run.executor.execute_phase(conn, phase, waiting, context, done=note)
        except HookError as error:
            raise HalfWay(
                error.message,
                hint=f"{job.migration.label} is committed; resume it when the cause is mended.",
            ) from error
    run.journal.update(run.control, entry, state=JournalState.DONE)
