"""One attempt at a migration in one transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import QUERY_CANCELED, failure_of
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.committing import commit, current_transaction
from confiture_tui.core.runner.failures import StatementFailed
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.session import check, set_timeouts
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run

_CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class LedgerDiffers(ConfitureError):
    """The ledger says something else than when the plan was made (exit code 4)."""

    exit_code = 4


def attempt(
    run: Run, job: MigrationJob, entry: int, context: HookContext, results: list[HookResult], started: float
) -> None:
    """Begin, run the hooks and the statements, write the ledger, commit. When it returns, the migration is committed.

    Args:
        entry: the journal's.
        results: of hooks; added to.
        started: when the migration was begun (``time.perf_counter``), for the ledger.

    Raises:
        StatementFailed, HookError, LetThrough, LedgerDiffers, ConnectError, Cancelled: nothing of it stands.
        HalfWay: whether it was committed is not known.
    """
    conn = run.session.clean()
    run.journal.update(run.control, entry, state=JournalState.RUNNING, backend_pid=run.session.pid)
    try:
        with run.guarded():
            with run.watched(job.migration.version) as watcher:
                conn.execute("BEGIN")
                set_timeouts(conn, run.policy, local=True)
                transaction_id = current_transaction(conn)
                check_ledger(run, conn, job)
                run.executor.execute_phase(conn, HookPhase.BEFORE_DDL, job.hooks, context, done=results.append)
                for statement in job.script.statements:
                    run.statement(job, statement, watcher)
                for phase in job.phases_in_transaction:
                    run.executor.execute_phase(conn, phase, job.hooks, context, done=results.append)
                # What is deferred is checked now, while somebody watches who waits, and not by COMMIT.
                _in_words(run, conn, _CHECK_NOW)
                write_ledger(run, conn, job, started)
            check(run.scope)
        run.journal.update(
            run.control,
            entry,
            state=JournalState.COMMITTING,
            transaction_id=transaction_id,
            hooks_after=job.has_hooks_after_commit,
        )
        commit(run, conn, job, transaction_id)
    except BaseException:
        run.session.come_to_rest()
        raise


def write_ledger(run: Run, conn: psycopg.Connection[Any], job: MigrationJob, started: float) -> None:
    """Write that the migration is applied, or take that away, in the transaction that is open."""
    migration = job.migration
    if job.direction == "backward":
        run.ledger.remove(conn, migration.version)
        return
    run.ledger.record(
        conn,
        version=migration.version,
        name=migration.name,
        checksum=migration.checksum,
        execution_time_ms=round((time.perf_counter() - started) * 1000),
    )


def check_ledger(run: Run, conn: psycopg.Connection[Any], job: MigrationJob) -> None:
    """Refuse to run what the ledger says is done.

    Raises:
        LedgerDiffers: it is to be applied and is applied already, or to be taken back and is not applied.
    """
    applied = run.ledger.holds(conn, job.migration.version)
    if job.direction == "forward" and applied:
        raise LedgerDiffers(
            f"{job.migration.label} is in the ledger already: somebody else has applied it since the plan was made.",
            hint="Nothing was changed. Look at the status and plan again.",
        )
    if job.direction == "backward" and not applied:
        raise LedgerDiffers(
            f"{job.migration.label} is not in the ledger: somebody else has taken it back since the plan was made.",
            hint="Nothing was changed. Look at the status and plan again.",
        )


def _in_words(run: Run, conn: psycopg.Connection[Any], command: str) -> None:
    """Run a command of ours that fails when the migration's data are wrong, or that waits for a lock in vain."""
    import psycopg

    try:
        conn.execute(command.encode())
    except psycopg.Error as error:
        if run.lost(error):
            raise
        if error.sqlstate == QUERY_CANCELED:
            check(run.scope)
        raise StatementFailed(failure_of(error), None) from error
