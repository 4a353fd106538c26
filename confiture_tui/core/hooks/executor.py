"""Runs the hooks of a phase, each where a failure of it can be taken back."""

from __future__ import annotations

import dataclasses
import inspect
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from confiture_tui.core.hooks.context import CancelFlag
from confiture_tui.core.hooks.deadline import Abandoned, Deadline
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.guarded_connection import GuardedConnection
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.hooks.transaction import HookSavepoint, Left
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.events import Event, EventName, Level

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.hook import Hook

_UNDONE = {
    Left.INTACT: "What it did was rolled back.",
    Left.FAILED: "What it did was rolled back.",
    Left.COMMITTED: "It committed the transaction that it was given: what was done in it until then stands.",
    Left.ROLLED_BACK: "It rolled back the transaction that it was given: nothing of it stands.",
    Left.LOST: "The connection is gone: PostgreSQL rolls back what was not committed.",
}


class HookExecutor:
    """Runs hooks, phase by phase, on a connection of the caller's.

    >>> with psycopg.connect(dsn) as conn, conn.transaction():
    ...     conn.execute("ALTER TABLE orders ADD COLUMN note text")
    ...     results = HookExecutor().execute_phase(conn, HookPhase.AFTER_DDL, [CountOrders()], HookContext())
    ...     print(results[0].statistics, results[0].elapsed_ms)
    """

    def execute_phase(
        self,
        conn: psycopg.Connection[Any],
        phase: HookPhase,
        hooks: Iterable[Hook],
        context: HookContext,
        *,
        done: Callable[[HookResult], None] | None = None,
    ) -> tuple[HookResult, ...]:
        """Run those hooks that belong to the phase, in the order given.

        In a transaction each hook has a savepoint of its own; on an idle connection a transaction of its own, which
        is committed; a hook that is not transactional finds the connection idle and in autocommit.
        In a dry run, hooks that nothing could take back are not exercised: those with effects outside the database,
        and, on the target, those that are not transactional; a hook's own transaction on the target is rolled back.

        Args:
            conn: idle, or in the migration's transaction; left in the same state.
            phase: which hooks to run.
            hooks: of all phases.
            context: shared by the phases of a run; the statistics of each hook are put into it.
            done: told of each hook as soon as it has come to an end without raising.

        Returns:
            One result for each hook of the phase. In CLEANUP and ON_ERROR failures are among them, and never raised.

        Raises:
            HookError: a hook failed; the ones after it were not run.
            Cancelled: somebody asked for a stop.
            ValueError: the connection is neither idle nor in a sound transaction, or a hook that is not transactional
                was handed a transaction.
        """
        phase = HookPhase(phase)
        chosen = [hook for hook in hooks if hook.runs_in is phase]
        if not chosen:
            return ()
        _check(conn, chosen)
        names = ", ".join(hook.hook_name() for hook in chosen)
        self._emit(context, phase, EventName.EXECUTING_HOOKS, f"{phase}: {names}.", data={"hooks": len(chosen)})
        started = time.perf_counter()
        results = []
        for hook in chosen:
            results.append(self._one(conn, phase, hook, context))
            if done is not None:
                done(results[-1])
        self._emit(
            context,
            phase,
            EventName.PHASE_COMPLETED,
            f"{phase} is complete.",
            duration_ms=_since(started),
            rows_affected=sum(result.rows_affected for result in results),
        )
        return tuple(results)

    def _one(self, conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook, context: HookContext) -> HookResult:
        name = hook.hook_name()
        known = {"hook": name, "phase": phase}
        if why := _not_exercised(hook, context):
            self._emit(context, phase, EventName.HOOK_NOT_EXERCISED, f"{name} was not exercised: {why}.", hook=name)
            return HookResult(outcome=HookOutcome.NOT_EXERCISED, error=why, **known)
        if not phase.best_effort:
            context.check_cancelled()
        self._emit(context, phase, EventName.HOOK_START, f"{name} starts.", hook=name)
        started = time.perf_counter()
        try:
            given = _run(conn, phase, hook, context)
        except Cancelled:
            raise
        except HookError as error:
            elapsed = _since(started)
            self._emit(
                context,
                phase,
                EventName.HOOK_FAILED,
                f"{name} failed: {error.reason}",
                level=Level.WARNING if phase.best_effort else Level.ERROR,
                duration_ms=elapsed,
                hook=name,
            )
            if not phase.best_effort:
                raise
            return HookResult(outcome=HookOutcome.FAILED, error=error.message, elapsed_ms=elapsed, **known)
        result = given.model_copy(update={**known, "elapsed_ms": _since(started)})
        context.statistics[name] = dict(result.statistics)
        self._emit(
            context,
            phase,
            EventName.HOOK_COMPLETED,
            f"{name} is complete{f': {result.message}' if result.message else ''}".rstrip(".") + ".",
            duration_ms=result.elapsed_ms,
            rows_affected=result.rows_affected,
            hook=name,
            data={"statistics": {key: str(value) for key, value in result.statistics.items()}},
        )
        return result

    def _emit(
        self,
        context: HookContext,
        phase: HookPhase,
        name: EventName,
        message: str,
        *,
        level: Level = Level.INFO,
        hook: str | None = None,
        data: dict[str, Any] | None = None,
        duration_ms: float | None = None,
        rows_affected: int | None = None,
    ) -> None:
        context.sink(
            Event(
                name=name,
                message=message,
                level=level,
                migration=context.version,
                phase=phase,
                duration_ms=duration_ms,
                rows_affected=rows_affected,
                data={**({"hook": hook} if hook else {}), **(data or {})},
            )
        )


def _check(conn: psycopg.Connection[Any], hooks: list[Hook]) -> None:
    from psycopg.pq import TransactionStatus

    status = conn.info.transaction_status
    if status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
        raise ValueError(
            f"hooks need a connection that is idle or in a sound transaction, and this one is {status.name}"
        )
    if status is TransactionStatus.INTRANS:
        for hook in hooks:
            if not hook.transactional:
                raise ValueError(
                    f"{hook.hook_name()} makes transactions of its own, so the migration's must be committed before it"
                )


def _not_exercised(hook: Hook, context: HookContext) -> str | None:
    if not context.dry_run:
        return None
    if hook.outside_effects:
        return "it does something outside the database, which nothing could take back"
    if not hook.transactional and not context.on_shadow:
        return "it commits by itself, and this is the target"
    return None


def _run(conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook, context: HookContext) -> HookResult:
    from psycopg.pq import TransactionStatus

    if not hook.transactional:
        return _in_its_own_transactions(conn, phase, hook, context)
    if conn.info.transaction_status is TransactionStatus.INTRANS:
        return _in_a_savepoint(conn, phase, hook, context)
    if conn.autocommit:
        conn.execute("BEGIN")
    try:
        result = _in_a_savepoint(conn, phase, hook, context)
        if context.dry_run and not context.on_shadow:
            conn.execute("ROLLBACK")
        else:
            _commit(conn, phase, hook)
    except BaseException:
        _come_to_rest(conn)
        raise
    return result


def _commit(conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook) -> None:
    """Commit a hook's own transaction: a constraint that is checked only now is the hook's failure, too."""
    import psycopg

    try:
        conn.execute("COMMIT")
    except psycopg.Error as error:
        undone = "Whether what it did was committed is not known." if conn.closed else _UNDONE[Left.FAILED]
        raise HookError(
            hook=hook.hook_name(), phase=phase, reason=_reason(error), undone=undone, cause=error
        ) from error


def _in_a_savepoint(conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook, context: HookContext) -> HookResult:
    savepoint = HookSavepoint(conn)
    try:
        result = _call(conn, phase, hook, context)
    except Cancelled:
        savepoint.roll_back()
        raise
    except _Failed as failed:
        left = savepoint.roll_back()
        ended = left in (Left.COMMITTED, Left.ROLLED_BACK, Left.LOST)
        raise HookError(
            hook=hook.hook_name(),
            phase=phase,
            reason=failed.reason,
            undone=_UNDONE[left],
            cause=failed.cause,
            transaction_ended=ended,
            committed=left is Left.COMMITTED,
        ) from failed.cause
    left = savepoint.release()
    if left is Left.INTACT:
        return result
    if left is Left.FAILED:
        savepoint.roll_back()
    reasons = {
        Left.FAILED: "a statement of it failed, and it went on as if none had",
        Left.COMMITTED: "it committed the transaction, which is not its own",
        Left.ROLLED_BACK: "it rolled back the transaction, which is not its own",
        Left.LOST: "it lost the connection",
    }
    raise HookError(
        hook=hook.hook_name(),
        phase=phase,
        reason=reasons[left],
        undone=_UNDONE[left],
        transaction_ended=left is not Left.FAILED,
        committed=left is Left.COMMITTED,
    )


def _in_its_own_transactions(
    conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook, context: HookContext
) -> HookResult:
    from psycopg.pq import TransactionStatus

    autocommit = conn.autocommit
    conn.autocommit = True
    try:
        result = _call(conn, phase, hook, context)
        if conn.closed or conn.info.transaction_status is not TransactionStatus.IDLE:
            raise _Failed("it left a transaction open" if not conn.closed else "it lost the connection", None)
        return result
    except _Failed as failed:
        raise HookError(
            hook=hook.hook_name(),
            phase=phase,
            reason=failed.reason,
            undone="What it had committed until then stands.",
            cause=failed.cause,
        ) from failed.cause
    finally:
        _come_to_rest(conn)
        if not conn.closed:
            conn.autocommit = autocommit


class _Failed(Exception):
    def __init__(self, reason: str, cause: BaseException | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause


def _call(conn: psycopg.Connection[Any], phase: HookPhase, hook: Hook, context: HookContext) -> HookResult:
    name = hook.hook_name()
    deadline: Deadline[Any] = Deadline(conn, hook.timeout_s)
    too_long = f"it took longer than {hook.timeout_s:g} s" if hook.timeout_s is not None else ""
    view = dataclasses.replace(
        context, phase=phase, hook=name, cancelled=CancelFlag(lambda: context.cancelled() or deadline.passed)
    )
    guarded: Any = GuardedConnection(conn, name)
    try:
        returned = deadline.run(lambda: hook.execute(guarded, view))
    except KeyboardInterrupt:
        raise
    except Abandoned:
        raise _Failed(f"{too_long} and did not stop; its connection was cut and its thread left behind", None) from None
    except BaseException as error:  # a hook is anybody's code: SystemExit must not end the run either
        if context.cancelled():
            raise Cancelled("Cancelled.") from error
        raise _Failed(too_long if deadline.passed else _reason(error), error) from error
    if deadline.passed:
        raise _Failed(too_long, None)
    if returned is None:
        return HookResult()
    if inspect.iscoroutine(returned):
        returned.close()
        raise _Failed("its execute() is a coroutine; hooks are plain functions", None)
    if not isinstance(returned, HookResult):
        raise _Failed(f"it returned {type(returned).__name__}, not a HookResult", None)
    return returned


def _reason(error: BaseException) -> str:
    import psycopg

    if isinstance(error, ConfitureError):
        return error.message
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        return f"{error.diag.message_primary}{detail} [{error.sqlstate}]"
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} was raised"


def _come_to_rest(conn: psycopg.Connection[Any]) -> None:
    """Roll back what is open, so that the next hook finds the connection idle."""
    import psycopg
    from psycopg.pq import TransactionStatus

    if conn.closed or conn.info.transaction_status is TransactionStatus.IDLE:
        return
    try:
        conn.execute("ROLLBACK")
    except psycopg.OperationalError:
        # The server is gone, and the transaction with it: the caller's next statement says so.
        return


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
