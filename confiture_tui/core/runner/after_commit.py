"""The hooks that run when the migration is committed already, since one of them makes transactions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.runner.failures import HalfWay, LetThrough
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.retry import pause

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run
    from confiture_tui.errors import ConfitureError


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

    One that others had to wait for is stopped, and, where it is idempotent, run again after a pause.

    Args:
        done: the hooks that an earlier run has done, as the journal names them.

    Raises:
        HalfWay: one failed; the migration stands.
        Cancelled: somebody asked for a stop; the migration stands.
    """
    phases = [phase for phase in job.phases_after_commit if job.has_hooks(phase)]
    if not phases:
        return
    noted = set(done)

    def note(result: HookResult) -> None:
        results.append(result)
        run.journal.add_hook_done(run.control, entry, f"{result.phase}:{result.hook}")
        noted.add(f"{result.phase}:{result.hook}")

    for phase in phases:
        retries = 0
        while waiting := [one for one in job.hooks if one.runs_in is phase and _noted_as(one) not in noted]:
            conn = run.session.clean()
            try:
                with run.guarded(), run.watched(job.migration.version):
                    run.executor.execute_phase(conn, phase, waiting, context, done=note)
            except LetThrough as error:
                under_way = [one for one in waiting if _noted_as(one) not in noted][:1]
                if retries >= run.policy.retries or not all(one.idempotent for one in under_way):
                    raise _half_way(job, error) from error
                if under_way:
                    retries += 1
                    pause(run, job, retries, error.message)
            except HookError as error:
                raise _half_way(job, error) from error
    run.journal.update(run.control, entry, state=JournalState.DONE)


def _noted_as(hook: Hook) -> str:
    """How the journal names a hook that is done."""
    return f"{hook.runs_in}:{hook.hook_name()}"


def _half_way(job: MigrationJob, error: ConfitureError) -> HalfWay:
    return HalfWay(error.message, hint=f"{job.migration.label} is committed; resume it when the cause is mended.")
