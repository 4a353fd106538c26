"""A migration whose statements are transactions of their own: CREATE INDEX CONCURRENTLY and the like."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Failure
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.committing import commit, current_transaction
from confiture_tui.core.runner.detaching import is_detach_pending
from confiture_tui.core.runner.failures import RETRIED, HalfWay, LetThrough, StatementFailed
from confiture_tui.core.runner.in_transaction import check_ledger, write_ledger
from confiture_tui.core.runner.invalid_indexes import Leavings, drop, find_index, index_name
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.retry import pause
from confiture_tui.core.runner.session import set_timeouts
from confiture_tui.core.sql.transaction_block import holds_up_others, refusal_in_transaction_block
from confiture_tui.errors import Cancelled, ConnectError
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.invalid_indexes import FoundIndex
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.errors import ConfitureError


_DROP_ON_CANCEL = "350ms"
"""For how long an invalid index is tried to be dropped once somebody has asked for a stop: less than the half second
after which a job is taken for one that does not hear it."""


def run_stepwise(
    run: Run,
    job: MigrationJob,
    entry: int,
    context: HookContext,
    results: list[HookResult],
    started: float,
    *,
    first: int = 1,
    unsure: int = 0,
) -> None:
    """Run the statements one by one, each with a line in the journal, then write the ledger and the journal.

    Args:
        first: 1-based number of the statement to begin with: one more than those that an earlier run has done.
        unsure: the statement that an earlier run had begun, and of which nobody knows how it ended; 0 for none.

    Raises:
        StatementFailed, HookError, LetThrough, LedgerDiffers, ConnectError, Cancelled: what the journal says is done
            stands, and nothing else.
        HalfWay: more than that may stand.
    """
    conn = run.session.clean()
    run.journal.update(run.control, entry, state=JournalState.RUNNING, backend_pid=run.session.pid)
    with run.guarded():
        check_ledger(run, conn, job)
        if first == 1:
            run.executor.execute_phase(conn, HookPhase.BEFORE_DDL, job.hooks, context, done=results.append)
        for statement in job.script.statements:
            if statement.index < first:
                if _sets_session(statement):
                    # What the file has set for its session counts for what is left of it.
                    run.statement(job, statement, None)
                continue
            if statement.index == unsure and _is_done_after_all(run, job, statement):
                run.journal.update(run.control, entry, statement_done=statement.index)
                continue
            _with_retries(run, job, entry, statement)
            if conn.closed:
                # Its commit went well; what the file has set for its session went with the connection.
                raise ConnectError(f"The connection was lost after statement {statement.index}.")
        state = JournalState.HOOKS_PENDING if job.has_hooks_after_commit else JournalState.DONE
        conn.execute("BEGIN")
        try:
            transaction_id = current_transaction(conn)
            write_ledger(run, conn, job, started)
            run.journal.update(conn, entry, state=state)
            commit(run, conn, job, transaction_id)
        except BaseException:
            run.session.come_to_rest()
            raise


def _is_done_after_all(run: Run, job: MigrationJob, statement: Statement) -> bool:
    """Whether a statement that an earlier run had begun has done its work; what it left half-done is dropped.

    Only for CREATE INDEX CONCURRENTLY, which leaves a name that tells: the others can be run again, or fail and say so.
    """
    conn = run.session.connection
    name = index_name(conn, statement)
    if name is None:
        return False
    index = find_index(conn, name)
    if index is None:
        return False
    if index.valid:
        return True
    drop(conn, index)
    run.emit(
        EventName.INVALID_INDEX_DROPPED,
        f"The index {index.label}, which the run before has left invalid, was dropped.",
        level=Level.WARNING,
        migration=job.migration.version,
        statement=statement.index,
    )
    return False


def _with_retries(run: Run, job: MigrationJob, entry: int, statement: Statement) -> None:
    run.journal.update(run.control, entry, statement_begun=statement.index)
    conn = run.session.connection
    number = 0
    while True:
        try:
            _once(run, job, entry, statement)
        except (StatementFailed, LetThrough) as error:
            run.session.come_to_rest()
            again = isinstance(error, LetThrough) or error.failure.sqlstate in RETRIED
            # With a lost connection went what the file has set for its session.
            if not again or number >= run.policy.retries or conn.closed:
                raise
            number += 1
            pause(run, job, number, error.message)
            continue
        return


def _once(run: Run, job: MigrationJob, entry: int, statement: Statement) -> None:
    conn = run.session.connection
    own = _settings_before(job, statement)
    if refusal_in_transaction_block(statement) is None and not _sets_session(statement):
        set_timeouts(conn, run.policy, local=False, but=own)
        with run.watched(job.migration.version) as watcher:
            conn.execute("BEGIN")
            try:
                transaction_id = current_transaction(conn)
                run.statement(job, statement, watcher)
                # In the same transaction: both are there, or neither.
                run.journal.update(conn, entry, statement_done=statement.index)
                commit(run, conn, job, transaction_id)
            except BaseException:
                run.session.come_to_rest()
                raise
        return
    if not _sets_session(statement):
        set_timeouts(conn, run.policy, local=False, concurrent=not holds_up_others(statement), but=own)
    leavings = Leavings.of(conn, statement)
    before = leavings.found(conn)
    try:
        with run.watched(job.migration.version) as watcher:
            run.statement(job, statement, watcher)
    except (StatementFailed, LetThrough, Cancelled, ConnectError) as error:
        if _sets_session(statement):
            raise
        if conn.closed or isinstance(error, ConnectError):
            # It may have come to its end, be rolled back just now, or leave something behind.
            raise HalfWay(
                f"{error.message.rstrip('.')}. How statement {statement.index} ended is not known.",
                hint="Run `status` when the server answers again: it says what stands, and what can be done.",
            ) from error
        _clean_up(run, job, statement, leavings, before, error)
        raise
    # CREATE INDEX CONCURRENTLY IF NOT EXISTS succeeds when there is an index of that name, valid or not.
    name = index_name(conn, statement)
    made = find_index(conn, name) if name is not None else None
    if made is not None and not made.valid:
        message = f"the index {name} is there and is not valid: an earlier attempt has left it"
        hint = f"Drop it with DROP INDEX CONCURRENTLY {name}; and run this again."
        raise StatementFailed(Failure(sqlstate="XX002", message=message, hint=hint), statement)
    run.journal.update(run.control, entry, statement_done=statement.index)


def _clean_up(
    run: Run,
    job: MigrationJob,
    statement: Statement,
    leavings: Leavings,
    before: Collection[FoundIndex],
    error: ConfitureError,
) -> None:
    """Drop what a failed statement has left invalid that was not there before: the next attempt would stumble over it.

    On the control connection, which cancel requests for the statement do not meet. A drop waits for everybody who uses
    the table: whoever has asked for a stop does not wait with it.

    Raises:
        HalfWay: something of the statement stands.
    """
    import psycopg

    conn = run.control
    stopping = run.scope is not None and run.scope.requested
    try:
        _limit(conn, _DROP_ON_CANCEL if stopping else "0")
        with nullcontext() if stopping or run.scope is None else run.scope.guard(conn):
            for index in leavings.found(conn):
                if index in before:
                    continue
                drop(conn, index)
                run.emit(
                    EventName.INVALID_INDEX_DROPPED,
                    f"The index {index.label}, which statement {statement.index} has left invalid, was dropped.",
                    level=Level.WARNING,
                    migration=job.migration.version,
                    statement=statement.index,
                )
        _limit(conn, "0")
        pending = is_detach_pending(run.session.connection, statement)
    except (psycopg.Error, Cancelled) as failed:
        raise HalfWay(
            f"{error.message.rstrip('.')}. What statement {statement.index} had begun could not be taken back "
            f"({str(failed).strip().splitlines()[0].rstrip('.')}).",
            hint="Run `status`: it says what stands, and what can be done.",
        ) from error
    if pending:
        raise HalfWay(
            f"{error.message.rstrip('.')}. Statement {statement.index} has begun to detach the partition.",
            hint="ALTER TABLE … DETACH PARTITION … FINALIZE brings that to its end; then mark the migration.",
        ) from error


def _limit(conn: psycopg.Connection[Any], milliseconds: str) -> None:
    conn.execute("SELECT pg_catalog.set_config('statement_timeout', %s, false)", (milliseconds,))


def _settings_before(job: MigrationJob, statement: Statement) -> frozenset[str]:
    """The settings that the file itself has set for the session before this statement."""
    return frozenset(
        str((one.node or {}).get("name", "")).lower()
        for one in job.script.statements[: statement.index - 1]
        if one.node_kind == "VariableSetStmt" and not (one.node or {}).get("is_local")
    )


def _sets_session(statement: Statement) -> bool:
    """Whether a statement only changes the session's settings, which in a transaction of its own would be lost or not
    allowed to last."""
    return statement.node_kind in ("VariableSetStmt", "VariableShowStmt", "DiscardStmt")
