"""One attempt at a migration in one transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import failure_of
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.failures import HalfWay, StatementFailed
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.session import check, set_timeouts
from confiture_tui.core.runner.unknown_outcome import Settled, settle
from confiture_tui.errors import ConfitureError, ConnectError
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run

_TRANSACTION = "SELECT pg_catalog.pg_current_xact_id()::text"
_CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class LedgerDiffers(ConfitureError):
    """The ledger says something else than when the plan was made (exit code 4)."""

    exit_code = 4


def attempt(
    run: Run, job: MigrationJob, entry: int, context: HookContext, results: list[HookResult], started: float
) -> None:
    """Begin, run the hooks and the statements, write the ledger, commit.

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
                transaction_id = _only(conn, _TRANSACTION)
                _check_ledger(run, conn, job)
                results += run.executor.execute_phase(conn, HookPhase.BEFORE_DDL, job.hooks, context)
                for statement in job.script.statements:
                    run.statement(job, statement, watcher)
                for phase in job.phases_in_transaction:
                    results += run.executor.execute_phase(conn, phase, job.hooks, context)
                # What is deferred is checked now, while somebody watches who waits, and not by COMMIT.
                _in_words(conn, _CHECK_NOW)
                write_ledger(run, conn, job, started)
            check(run.scope)
        after = bool(job.phases_after_commit) and job.has_hooks(*job.phases_after_commit)
        run.journal.update(
            run.control, entry, state=JournalState.COMMITTING, transaction_id=transaction_id, hooks_after=after
        )
        _commit(run, conn, job, transaction_id)
        run.journal.update(run.control, entry, state=JournalState.HOOKS_PENDING if after else JournalState.DONE)
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


def _check_ledger(run: Run, conn: psycopg.Connection[Any], job: MigrationJob) -> None:
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


def _in_words(conn: psycopg.Connection[Any], command: str) -> None:
    """Run a command of ours that fails when the migration's data are wrong."""
    import psycopg

    try:
        conn.execute(command.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise StatementFailed(failure_of(error), None) from error


def _commit(run: Run, conn: psycopg.Connection[Any], job: MigrationJob, transaction_id: str) -> None:
    import psycopg

    try:
        tag = conn.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        if not run.lost(error):
            raise StatementFailed(failure_of(error), None) from error
        _settle(run, job, transaction_id)
        return
    if tag != "COMMIT":
        raise ConfitureError(f"{job.migration.label}: the server answered {tag} to COMMIT: nothing of it stands.")


def _settle(run: Run, job: MigrationJob, transaction_id: str) -> None:
    label = job.migration.label
    run.emit(
        EventName.OUTCOME_UNKNOWN,
        f"{label}: the connection was lost during COMMIT; the server is asked what became of transaction "
        f"{transaction_id}.",
        level=Level.WARNING,
        migration=job.migration.version,
    )
    outcome = settle(run.connect, transaction_id, wait_s=run.policy.outcome_wait_s)
    run.emit(
        EventName.OUTCOME_SETTLED,
        f"{label}: transaction {transaction_id} is {outcome.value}.",
        migration=job.migration.version,
    )
    match outcome:
        case Settled.COMMITTED:
            return
        case Settled.ABORTED:
            raise ConnectError(
                f"{label}: the connection was lost during COMMIT, and the server rolled it back.",
                hint="Nothing of it stands. Try again when the server is well.",
            )
        case _:
            raise HalfWay(
                f"{label}: the connection was lost during COMMIT, and whether it was committed is not known.",
                hint="Run `status` when the server answers again: it asks about the transaction and says how it ended.",
            )


def _only(conn: psycopg.Connection[Any], query: str) -> str:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None  # a SELECT without FROM gives one row
    return str(row[0])
