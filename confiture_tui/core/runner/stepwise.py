"""A migration whose statements are transactions of their own: CREATE INDEX CONCURRENTLY and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Failure
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.committing import commit, current_transaction
from confiture_tui.core.runner.failures import RETRIED, LetThrough, StatementFailed
from confiture_tui.core.runner.in_transaction import write_ledger
from confiture_tui.core.runner.invalid_indexes import drop, find_index, index_name, invalid_indexes
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.retry import pause
from confiture_tui.core.runner.session import set_timeouts
from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block
from confiture_tui.errors import ConnectError
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run
    from confiture_tui.core.sql.statement import Statement


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
        StatementFailed, HookError, LetThrough, ConnectError, Cancelled: what the journal says is done stands.
    """
    conn = run.session.clean()
    run.journal.update(run.control, entry, state=JournalState.RUNNING, backend_pid=run.session.pid)
    with run.guarded():
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
    number = 0
    while True:
        try:
            _once(run, job, entry, statement)
        except (StatementFailed, LetThrough) as error:
            run.session.come_to_rest()
            again = isinstance(error, LetThrough) or error.failure.sqlstate in RETRIED
            if not again or number >= run.policy.retries or run.session.connection.closed:
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
        set_timeouts(conn, run.policy, local=False, concurrent=True, but=own)
    before = invalid_indexes(conn)
    try:
        with run.watched(job.migration.version) as watcher:
            run.statement(job, statement, watcher)
    except (StatementFailed, LetThrough):
        _clean_up(run, job, statement, before)
        raise
    # CREATE INDEX CONCURRENTLY IF NOT EXISTS succeeds when there is an index of that name, valid or not.
    name = index_name(conn, statement)
    made = find_index(conn, name) if name is not None else None
    if made is not None and not made.valid:
        message = f"the index {name} is there and is not valid: an earlier attempt has left it"
        hint = f"Drop it with DROP INDEX CONCURRENTLY {name}; and run this again."
        raise StatementFailed(Failure(sqlstate="XX002", message=message, hint=hint), statement)
    run.journal.update(run.control, entry, statement_done=statement.index)


def _clean_up(run: Run, job: MigrationJob, statement: Statement, before: frozenset[Any]) -> None:
    """Drop what the statement has left behind, invalid: the next attempt would stumble over it."""

    conn: psycopg.Connection[Any] = run.session.connection
    if statement.node_kind not in ("IndexStmt", "ReindexStmt"):
        return
    run.session.come_to_rest()
    conn.execute(b"RESET lock_timeout; RESET statement_timeout")
    for index in invalid_indexes(conn) - before:
        drop(conn, index)
        run.emit(
            EventName.INVALID_INDEX_DROPPED,
            f"The index {index.label}, which statement {statement.index} has left invalid, was dropped.",
            level=Level.WARNING,
            migration=job.migration.version,
            statement=statement.index,
        )


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
