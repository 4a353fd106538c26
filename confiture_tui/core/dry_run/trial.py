"""The statements of one in-place dry run, one after the other, in a transaction that a guard keeps from committing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.ceiling import IDLE, Ceiling
from confiture_tui.core.dry_run.execution import QUERY_CANCELED, Ran, failure_of, run_statement
from confiture_tui.core.dry_run.guard import CommitGuard
from confiture_tui.core.dry_run.observer import Counters, Observer
from confiture_tui.core.dry_run.passes import Seen
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.sightings import sighting
from confiture_tui.core.dry_run.target_state import Traces
from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block
from confiture_tui.database.connection_errors import connection_was_lost
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.escapes import Escapes
    from confiture_tui.core.dry_run.observer import Look
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.core.traffic.watcher import TrafficWatcher
    from confiture_tui.database.cancellation import CancelScope

_BEFORE_ANY_QUERY = frozenset(
    {"transaction", "transaction snapshot", "transaction_isolation", "transaction_deferrable"}
)
"""What can only be set before a transaction's first query (documentation, SET TRANSACTION); READ ONLY can be later."""

_FIRST_REASON = "It must come before the transaction's first query, and the dry run has asked its own already."
_GUARD_REASON = (
    "It meets the guard that keeps the dry run from being committed ({state}), so it cannot be tried in place: "
    "dry-run on the shadow."
)
_COMMIT_REASON = "It would have ended the dry run's transaction; the guard kept it from committing."
_LOOK_REASON = "The dry run's own questions after it failed ({state}: {message}): what it did is not known."
_REST_REASON = "The dry run stopped at statement {index}."
_CANCELLED_REASON = "Another session cancelled it (57014): whether it succeeds is not known."
_WRITES = frozenset(
    {
        "CallStmt",
        "CopyStmt",
        "DeleteStmt",
        "DoStmt",
        "ExecuteStmt",
        "InsertStmt",
        "MergeStmt",
        "SelectStmt",
        "UpdateStmt",
    }
)
"""What may change rows in place before it fails."""
_CODE = frozenset({"CallStmt", "DoStmt", "ExecuteStmt", "SelectStmt"})
"""What may run any function, and so anything."""


class Trial:
    """One run of the statements: what came of each, and what was seen.

    Attributes:
        results: one for each statement that was tried or left out.
        seen: what was seen of each of them.
        traces: what the transaction is known to have touched.
        notes: what the reader must know.
        ran_code: statements ran whose effects cannot be read from their text.
        xid: the transaction's id.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        ceiling: Ceiling,
        escapes: Escapes,
        *,
        watcher: TrafficWatcher | None,
        sink: Sink,
        scope: CancelScope,
    ) -> None:
        self._conn = conn
        self._ceiling = ceiling
        self._escapes = escapes
        self._watcher = watcher
        self._sink = sink
        self._scope = scope
        self._guard = CommitGuard(conn)
        self._observer = Observer(conn)
        self.results: list[Ran] = []
        self.seen: list[Seen | None] = []
        self.traces = Traces()
        self.notes: list[str] = []
        self.ran_code = False
        self.xid = ceiling.check()
        # The guard is not one of the relations that were there: nothing is said of it.
        self._observer.start()
        self._observer.carry_over()
        self._were = dict(self._observer.baseline.relations)
        self._guard.plant()
        self._first = self._observer.look()
        self._observer.accept(self._first)

    def run(self, statements: tuple[Statement, ...]) -> None:
        """Run them, up to the first that fails, and ask what COMMIT would ask.

        Raises:
            Cancelled: the scope was cancelled.
            ConnectError: the connection was lost.
            ConfitureError: a statement ended the transaction.
            psycopg.Error: one of our own queries was cancelled, or met a lost connection.
        """
        import psycopg

        for statement in statements:
            self._scope.check()
            done = len(self.results)
            try:
                goes_on = self._must_stop() is None and self._one(statement)
            except psycopg.Error as error:
                self._cannot_look(error, done)
                goes_on = False
            if not goes_on:
                reason = self._must_stop()
                if reason is not None and len(self.results) == done:
                    self._leave_out(reason)
                if self.results[-1].skipped:
                    for _rest in statements[len(self.results) :]:
                        self._leave_out(_REST_REASON.format(index=statement.index))
                return
        self._check_at_commit()

    def _must_stop(self) -> str | None:
        """Why nothing more may be tried: others have waited for too long behind us; ``None`` to go on."""
        gave_way = self._watcher.gave_way if self._watcher is not None else None
        return f"The dry run gave way: {gave_way.reason}" if gave_way is not None else None

    def _check_at_commit(self) -> None:
        """Ask what COMMIT would ask, unless we must stop; a failure is the last statement's."""
        import psycopg

        done = max(0, len(self.results) - 1)
        reason = self._must_stop()
        try:
            if reason is None:
                self._guard.lift()
                self._ask_deferred()
        except psycopg.Error as error:
            self._cannot_look(error, done)
            return
        reason = reason or self._must_stop()
        if reason is not None and self.results and not self.results[-1].failure:
            del self.results[done:], self.seen[done:]
            self._leave_out(reason)

    def _cannot_look(self, error: psycopg.Error, done: int) -> None:
        """One of our own queries failed: nothing is known of the statements from the given one on."""
        self._raise_if_over(error)
        self.traces.complete = False
        del self.results[done:], self.seen[done:]
        told = failure_of(error)
        self._leave_out(self._must_stop() or _LOOK_REASON.format(state=told.sqlstate, message=told.message))

    def _raise_if_over(self, error: psycopg.Error) -> None:
        if self._conn.closed or connection_was_lost(error) or self._scope.requested:
            raise error

    def _leave_out(self, reason: str, *, transactional: bool | None = None) -> None:
        self.results.append(Ran(0.0, (), None, skipped=reason))
        self.seen.append(Seen(None, transactional=transactional))

    def _one(self, statement: Statement) -> bool:
        """Run one statement and look at it; whether the next may follow."""
        refused = refusal_in_transaction_block(statement)
        if refused:
            self._leave_out(refused, transactional=False)
            return True
        if _must_come_first(statement):
            self._leave_out(_FIRST_REASON, transactional=True)
            return True
        escapes = self._escapes.reason(statement)
        if escapes:
            self._leave_out(escapes)
            return True
        self._say(EventName.STATEMENT_START, statement, level=Level.DEBUG)
        around = statement.node_kind == "ConstraintsSetStmt"
        if around:
            self._guard.lift()
        before = self._observer.look()
        self.ran_code = self.ran_code or statement.node_kind in _CODE
        ran = self._execute(statement)
        if ran.failure is not None:
            self._failed(statement, ran, ran.failure)
            return False
        self.results.append(ran)
        self._escapes.learn(statement)
        self._same_transaction(statement)
        if self._ceiling.disturbed:
            self._observer.beware()
        self._saw(statement, ran, before)
        if around:
            self._guard.raise_again()
        return True

    def _execute(self, statement: Statement) -> Ran:
        """Run it; one that sets the limit between statements, together with our own setting it back.

        In a pipeline the server starts no clock between the two: else a limit of a millisecond would end the session
        before we can say anything.
        """
        import psycopg

        if _variable(statement) != IDLE:
            return run_statement(self._conn, statement, scope=self._scope)
        try:
            with self._conn.pipeline():
                ran = run_statement(self._conn, statement, scope=self._scope)
                self._ceiling.set_idle()
        except psycopg.Error as error:
            self._raise_if_over(error)
            return Ran(0.0, (), failure_of(error, statement))
        return ran

    def _failed(self, statement: Statement, ran: Ran, failure: Failure) -> None:
        from psycopg.pq import TransactionStatus

        self.traces.complete = False
        self.traces.unseen_rows = statement.node_kind in _WRITES
        reason = self._must_stop()
        if self._conn.info.transaction_status is TransactionStatus.IDLE:
            self._leave_out(_COMMIT_REASON)
        elif self._guard.tripped(failure):
            self._leave_out(_GUARD_REASON.format(state=failure.sqlstate))
        elif reason is not None:
            self._leave_out(reason)
        elif failure.sqlstate == QUERY_CANCELED and not self._ceiling.reached(failure.sqlstate, ran):
            self._leave_out(_CANCELLED_REASON)
        else:
            self.results.append(ran)
            self.seen.append(None)
            self._note_limit(statement, ran, failure)
            self._say(EventName.STATEMENT_FAILED, statement, f": {failure.sqlstate}: {failure.message}", Level.ERROR)

    def _note_limit(self, statement: Statement, ran: Ran, failure: Failure) -> None:
        """Say so when it was a limit of the dry run's own that ended a statement, and who was in the way."""
        limit = self._ceiling.own_limit(failure.sqlstate)
        if limit is None or not self._ceiling.reached(failure.sqlstate, ran):
            return
        told = f"Line {statement.line}: what ended it is the dry run's own {limit}; with another limit it may succeed."
        waited_for = self._watcher.waited_for if self._watcher is not None else None
        if waited_for is not None:
            told += f" It waited for {waited_for}."
        self.notes.append(told)

    def _saw(self, statement: Statement, ran: Ran, before: Look) -> None:
        after = self._observer.look()
        found = sighting(statement, self._observer.baseline, before, after, Rows.FULL)
        self._trace(after)
        self.seen.append(Seen(found, transactional=True, cumulative=True))
        self._observer.accept(after)
        self._say(EventName.STATEMENT_COMPLETED, statement, duration_ms=ran.elapsed_ms, rows_affected=found.rows)

    def _trace(self, after: Look) -> None:
        """Keep what the transaction has touched so far, of what was there before it."""
        were = self._were
        self.traces.relations |= {were[oid].name for oid in after.locks if oid in were}
        self.traces.wal_bytes = max(0, after.wal - self._first.wal)
        dead = {
            oid: (count - self._first.counters.get(oid, Counters())).changed
            for oid, count in after.counters.items()
            if oid in were and were[oid].kind in "rm" and not were[oid].temporary
        }
        self.traces.dead_rows = {were[oid].name: rows for oid, rows in dead.items() if rows > 0}
        self.traces.sizes = {were[oid].name: were[oid].size or 0 for oid, rows in dead.items() if rows > 0}

    def reached(self) -> tuple[str, ...]:
        """What changing rows may have done beyond the transaction, by way of triggers: a sentence each."""
        return tuple(
            f"Rows of {name} were changed, and a trigger of it may have called {function}, which acts at once: "
            "what that did, if anything, stays."
            for name in sorted(self.traces.dead_rows)
            if (function := self._escapes.trigger_on(name)) is not None
        )

    def _same_transaction(self, statement: Statement) -> None:
        """Whether the transaction is still the one that the guard is planted in."""
        from psycopg.pq import TransactionStatus

        inside = self._conn.info.transaction_status is TransactionStatus.INTRANS
        if inside and self._ceiling.check(statement) == self.xid:
            return
        raise ConfitureError(
            f"Line {statement.line}: {statement.tag} ended the dry run's transaction.",
            hint="The guard kept it from committing what came before; check the schema, and dry-run on the shadow.",
        )

    def _ask_deferred(self) -> None:
        """Ask for what COMMIT would check: the migration's deferred constraints."""
        import psycopg

        try:
            self._conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            self._raise_if_over(error)
            self.traces.complete = False
            if self.results and self._must_stop() is None:
                self.results[-1] = dataclasses.replace(self.results[-1], failure=failure_of(error))

    def _say(
        self,
        name: EventName,
        statement: Statement,
        more: str = "",
        level: Level = Level.INFO,
        *,
        duration_ms: float | None = None,
        rows_affected: int | None = None,
    ) -> None:
        self._sink(
            Event(
                name=name,
                message=f"line {statement.line}: {statement.tag}{more}",
                level=level,
                statement=statement.index,
                duration_ms=duration_ms,
                rows_affected=rows_affected,
            )
        )


def _variable(statement: Statement) -> str:
    """The name of the setting that a SET or RESET is about, in lower case; empty for anything else."""
    if statement.node_kind != "VariableSetStmt" or statement.node is None:
        return ""
    return str(statement.node.get("name", "")).lower()


def _must_come_first(statement: Statement) -> bool:
    """Whether the server takes it only before a transaction's first query."""
    name = _variable(statement)
    if name == "transaction" and statement.node is not None:
        set_here = {one.get("DefElem", {}).get("defname") for one in statement.node.get("args", ())}
        return set_here != {"transaction_read_only"}
    return name in _BEFORE_ANY_QUERY
